from pathlib import Path

import pytest

from search import Asked, Hit, SearchResult
from vsearch.services.demo import Answer, Truth

FILM = Path("/demo/film-01.mp4")


def hit(start: float, end: float, *, path: Path = FILM) -> Hit:
    return Hit(
        rank=1,
        score=0.5,
        path=path,
        start=start,
        end=end,
        peak=(start + end) / 2,
        duration=60.0,
        clip_id=1,
        video_id=1,
        other_paths=(),
    )


@pytest.fixture
def answer() -> Answer:
    result = SearchResult(
        asked=Asked.of("a red circle growing"), model="demo", took_ms=1.0, hits=()
    )
    return Answer(result=result, truth=Truth(path=FILM, start=20.0, end=30.0))


@pytest.mark.parametrize(("start", "end"), [(20, 28), (18, 26), (16, 32), (12, 40), (20, 30)])
def test_a_moment_that_mostly_shows_the_truth_is_right(
    answer: Answer, start: float, end: float
) -> None:
    assert answer.is_right(hit(start, end))


@pytest.mark.parametrize(("start", "end"), [(0, 8), (12, 20), (13, 23), (22, 23), (0, 60)])
def test_a_moment_that_shows_little_of_it_or_much_else_is_not(
    answer: Answer, start: float, end: float
) -> None:
    assert not answer.is_right(hit(start, end))


def test_the_right_time_in_another_film_is_not_right(answer: Answer) -> None:
    assert not answer.is_right(hit(20, 30, path=Path("/demo/film-02.mp4")))
