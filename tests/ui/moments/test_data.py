"""What the browser is told of an answer: films in the order of their best moments, and strips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import Asked, Hit, SearchResult, VideoCurve
from ui.moments.data import answer_data, bars
from vsearch.commands.questions.words import asked_in


def hit(rank: int, video: int, *, start: float = 0.0) -> Hit:
    return Hit(
        rank=rank,
        score=0.5,
        path=Path(f"/films/{video}.mp4"),
        start=start,
        end=start + 8.0,
        peak=start + 4.0,
        duration=60.0,
        clip_id=10 * rank,
        video_id=video,
        other_paths=(),
    )


def told(*hits: Hit, curves: tuple[VideoCurve, ...] = (), basket: tuple[int, ...] = ()):
    asked = Asked.of("a dog")
    result = SearchResult(asked=asked, model="x", took_ms=1.0, hits=hits, curves=curves)
    return answer_data(result, hits, answer="one", basket=basket)


def test_moments_are_grouped_by_film_in_the_order_of_the_best() -> None:
    films = told(hit(1, 7), hit(2, 3), hit(3, 7, start=20.0))["films"]
    assert [(film["video"], film["name"]) for film in films] == [(7, "7.mp4"), (3, "3.mp4")]
    assert [[one["rank"] for one in film["moments"]] for film in films] == [[1, 3], [2]]


def test_of_the_basket_the_browser_is_told_what_it_shows() -> None:
    assert told(hit(1, 7), hit(2, 3), basket=(20, 999))["basket"] == [20]


def test_strips_of_one_answer_are_as_high_as_each_other() -> None:
    curves = tuple(
        VideoCurve(Path(f"/films/{video}.mp4"), True, (0.0, 30.0, 60.0), (0.0, top, 0.0))
        for video, top in ((7, 0.8), (3, 0.4))
    )
    films = told(hit(1, 7), hit(2, 3), curves=curves)["films"]
    assert [max(*film["curves"]) for film in films] == pytest.approx([1.0, 0.5], abs=0.01)


def test_a_sequence_has_a_strip_for_each_step_and_tells_its_parts() -> None:
    """Scores for different sentences cannot be compared: each step is as high as its own best."""
    path = Path("/films/7.mp4")
    curves = tuple(
        VideoCurve(path, True, (0.0, 30.0, 60.0), heights, step=step)
        for step, heights in ((1, (0.8, 0.0, 0.0)), (2, (0.0, 0.0, 0.1)))
    )
    parts = hit(1, 7), hit(1, 7, start=50.0)
    whole = replace(hit(1, 7), end=58.0, parts=parts)
    asked = asked_in(["--then=a cat", "--", "a dog"])
    result = SearchResult(asked=asked, model="x", took_ms=1.0, hits=(whole,), curves=curves)
    (film,) = answer_data(result, result.hits, answer="one", basket=())["films"]
    first, second = film["curves"]
    assert (first[0], max(first[150:])) == pytest.approx((1.0, 0.0), abs=0.02)
    assert (second[-1], max(second[:50])) == pytest.approx((1.0, 0.0), abs=0.02)
    (moment,) = film["moments"]
    told = [(part["what"], part["start"], part["end"]) for part in moment["parts"]]
    assert told == [("a dog", 0.0, 8.0), ("a cat", 50.0, 58.0)]


@given(
    heights=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=500),
    step=st.sampled_from((0.1, 1.0, 4.0)),
)
def test_each_bar_is_as_high_as_the_best_of_its_part(heights: list[float], step: float) -> None:
    times = tuple((np.arange(len(heights)) * step).tolist())
    curve = VideoCurve(Path("/a"), True, times, tuple(heights))
    found = bars(curve, times[-1] + step, highest=1.0)
    assert len(found) == 200
    assert max(found) == pytest.approx(max(0.0, *heights), abs=0.02 if len(heights) > 400 else 1.0)
    assert all(0.0 <= bar <= 1.0 for bar in found)
