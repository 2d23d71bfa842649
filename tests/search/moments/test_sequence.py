"""One thing after another in one video: by hand, against all combinations, and over a catalog."""

from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import Catalog, ClipMatch, Provenance
from search import PLAIN, Asked, Searcher, SearchSettings, Sentence, Step
from search.moments.ranking import Moment
from search.moments.sequence import Candidates, sequences
from tests.search.moments.test_of_clips import bank
from tests.search.moments.test_selection import add, seconds_of
from tests.search.test_searcher import IDENTITY, WORDS, words


def clip(number, score, *, start=0.0, end=8.0, video=1):
    return ClipMatch(number, video, score, start, end, 999.0, (Path(f"/{video}.mp4"),), ())


def moment(number, score, start, end, *, video=1):
    best = clip(number, score, start=start, end=end, video=video)
    return Moment(start, end, peak=start, best=best)


def candidates(moments):
    """Candidates whose moments are these."""
    by_clip = {one.best.clip_id: one for one in moments}
    clips = sorted((one.best for one in moments), key=lambda best: -best.score)
    return Candidates.of(clips, lambda its: [by_clip[best.clip_id] for best in its])


def numbers(found):
    return [tuple(part.best.clip_id for part in one.parts) for one in found]


def test_what_follows_starts_after_and_soon() -> None:
    first = candidates([moment(1, 0.9, 10, 20)])
    for start, follows in ((5, False), (18.5, False), (19.2, True), (40, True), (41, False)):
        then = candidates([moment(2, 0.5, start, start + 6)])
        assert numbers(sequences([first, then], within=20)) == ([(1, 2)] if follows else [])
    elsewhere = candidates([moment(2, 0.5, 25, 30, video=2)])
    assert numbers(sequences([first, elsewhere], within=20)) == []
    assert numbers(sequences([first, first], within=20)) == []  # nothing follows itself


def test_a_sequence_goes_from_its_first_part_to_its_last_and_is_as_sure_as_its_worst() -> None:
    first, second = moment(1, 0.9, 10, 20), moment(2, 0.5, 25, 33)
    (found,) = sequences([candidates([first]), candidates([second])], within=20)
    assert (found.start, found.end, found.peak) == (10, 33, 25)
    assert found.best == second.best
    assert found.parts == (first, second)


def test_a_part_is_measured_by_the_best_for_its_own_step() -> None:
    # The scores of the second step are all low; in the first video they are the best there are.
    firsts = [moment(1, 0.6, 0, 9, video=1), moment(2, 0.8, 0, 9, video=2)]
    seconds = [moment(3, 0.2, 10, 19, video=1), moment(4, 0.1, 10, 19, video=2)]
    found = sequences([candidates(firsts), candidates(seconds)], within=20)
    assert numbers(found) == [(1, 3), (2, 4)]


def test_no_moment_is_in_two_sequences() -> None:
    firsts = [moment(1, 0.9, 0, 9), moment(2, 0.8, 100, 109)]
    seconds = [moment(3, 0.9, 10, 19), moment(4, 0.8, 20, 29), moment(5, 0.7, 110, 119)]
    found = sequences([candidates(firsts), candidates(seconds)], within=20)
    assert numbers(found) == [(1, 3), (2, 5)]


def as_good(steps, parts):
    return min(step.share(part.best) for step, part in zip(steps, parts, strict=True))


def fits(parts, *, within):
    return all(
        later.start > earlier.start and earlier.end - 1 <= later.start <= earlier.end + within
        for earlier, later in pairwise(parts)
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 4), st.integers(1, 5), st.integers(0, 2**31))
def test_the_first_is_the_best_of_all_combinations(count: int, each: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    steps, number = [], 0
    for _ in range(count):
        moments = []
        for _ in range(each):
            number += 1
            start = float(drawn.uniform(0, 60))
            score, video = float(drawn.uniform(0.1, 1)), int(drawn.integers(1, 3))
            end = start + float(drawn.uniform(1, 9))
            moments.append(moment(number, score, start, end, video=video))
        steps.append(moments)
    asked = [candidates(moments) for moments in steps]
    possible = [
        as_good(asked, parts)
        for parts in product(*steps)
        if len({part.best.video_id for part in parts}) == 1 and fits(parts, within=15)
    ]
    found = list(sequences(asked, within=15))
    assert bool(found) == bool(possible)
    if found:
        goods = [as_good(asked, one.parts) for one in found]
        assert goods[0] == pytest.approx(max(possible))
        assert goods == sorted(goods, reverse=True)
        assert all(fits(one.parts, within=15) for one in found)
        used = [part.best.clip_id for one in found for part in one.parts]
        assert len(used) == len(set(used))


@pytest.fixture
def catalog(tmp_path):
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        catalog.bind(Provenance("words", None, IDENTITY.model_digest, len(WORDS), 8, 8.0, 4.0))
        for name, shown in (
            ("right.mp4", [("kitchen", 10, 22), ("beach", 30, 41), ("train", 55, 64)]),
            ("wrong order.mp4", [("beach", 10, 22), ("kitchen", 30, 41)]),
            ("too late.mp4", [("kitchen", 10, 22), ("beach", 70, 82)]),
            ("one alone.mp4", [("kitchen", 10, 22), ("train", 30, 40)]),
        ):
            add(catalog, name, seconds_of(shown, duration=100))
        yield catalog


@pytest.fixture
def ask(catalog):
    """Ask for kitchen, then beach; the hits."""

    def ask(*words_in_turn, parts=None, **asked):
        steps = tuple(Step((Sentence(word),)) for word in words_in_turn or ("kitchen", "beach"))
        searcher = Searcher(
            catalog=catalog, load_embedder=words, bank=bank, settings=parts or SearchSettings()
        )
        return searcher.answer(replace(Asked(steps=steps), **asked))

    return ask


def test_the_answer_is_the_whole_with_its_parts(ask):
    hit = ask(limit=1).hits[0]
    assert (hit.path.name, hit.start, hit.end) == ("right.mp4", 10.0, 41.0)
    assert [(part.start, part.end) for part in hit.parts] == [(10.0, 22.0), (30.0, 41.0)]
    assert {part.path for part in hit.parts} == {hit.path}
    worst = min(hit.parts, key=lambda part: part.standing.score)
    assert (hit.confidence, hit.standing) == (worst.confidence, worst.standing)
    first = ask("kitchen", "beach", "train", limit=1).hits[0]
    assert (first.start, first.end, len(first.parts)) == (10.0, 64.0, 3)
    assert ask("beach", "kitchen", limit=1).hits[0].path.name == "wrong order.mp4"


def test_more_time_between_finds_more(ask):
    near = {hit.path.name for hit in ask(limit=2).convincing if hit.standing.value > 0.5}
    far = {hit.path.name for hit in ask(limit=2, within=60.0).convincing}
    assert near == {"right.mp4"}
    assert far == {"right.mp4", "too late.mp4"}


def test_merged_clips_can_be_in_a_sequence_too(ask):
    for parts in (SearchSettings(moments=False), PLAIN):
        assert ask(limit=1, parts=parts).hits[0].path.name == "right.mp4"


def test_as_many_as_asked_for_where_there_are_so_many(catalog, ask):
    shown = [
        (word, start + later, start + later + 6)
        for start in range(5, 2900, 60)
        for word, later in (("kitchen", 0), ("beach", 12))
    ]
    add(catalog, "long.mp4", seconds_of(shown, duration=3000))
    hits = ask(limit=30).hits
    assert len(hits) == 30
    assert sum(hit.path.name == "long.mp4" for hit in hits) >= 29
    assert len({(hit.path, hit.start) for hit in hits}) == 30


def test_sequences_of_re_encoded_videos_are_folded(catalog, ask):
    shown = [("kitchen", 10, 22), ("beach", 30, 41), ("train", 55, 64)]
    add(catalog, "again.mp4", seconds_of(shown, duration=100), noise=0.03)
    first, second = ask(limit=2).hits
    assert {first.path.name, second.path.name} == {"right.mp4", "again.mp4"}
    folded = ask(limit=2, fold=True).hits
    assert [other.path.name for other in folded[0].duplicates] != []
    assert len(folded[0].duplicates[0].parts) == 2


def test_each_step_has_its_curve(catalog):
    searcher = Searcher(catalog=catalog, load_embedder=words, bank=bank)
    steps = tuple(Step((Sentence(word),)) for word in ("kitchen", "beach"))
    result = searcher.answer(Asked(steps=steps, limit=1), with_curves=True)
    assert [curve.step for curve in result.curves] == [1, 2]
    highest = [curve.times[int(np.argmax(curve.heights))] for curve in result.curves]
    assert 10 < highest[0] < 22
    assert 30 < highest[1] < 41
