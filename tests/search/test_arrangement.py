"""The order of an answer, and what it is chosen from."""

from dataclasses import replace
from pathlib import Path

from search import Asked, Confidence, Hit, Sort
from search.arrangement import arranged, looked_at

STRONG, LIKELY, WEAK, NONE = Confidence
FEBRUARY, MARCH, APRIL = 2e9, 3e9, 4e9


def hit(
    name: str, captured: float, confidence: Confidence | None = STRONG, *, start: float = 0.0
) -> Hit:
    return Hit(
        rank=0,
        score=0.5,
        path=Path(name),
        start=start,
        end=start + 5,
        peak=start + 1,
        duration=60.0,
        clip_id=1,
        video_id=1,
        other_paths=(),
        confidence=confidence,
        captured=captured,
    )


def order(*hits: Hit, sort: Sort, limit: int = 10) -> list[str]:
    ranked = [replace(one, rank=rank) for rank, one in enumerate(hits, start=1)]
    found = arranged(ranked, replace(Asked.of("a dog", limit=limit), sort=sort))
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    return [str(one.path) for one in found]


BEST_FIRST = (
    hit("b", MARCH),
    hit("a", FEBRUARY, LIKELY),
    hit("c", APRIL, WEAK),
    hit("d", APRIL, NONE),
)


def test_each_order_puts_what_is_not_convincing_last() -> None:
    assert order(*BEST_FIRST, sort=Sort.RELEVANCE) == ["b", "a", "c", "d"]
    assert order(*BEST_FIRST, sort=Sort.NEWEST) == ["c", "b", "a", "d"]
    assert order(*BEST_FIRST, sort=Sort.OLDEST) == ["a", "b", "c", "d"]
    assert order(*BEST_FIRST, sort=Sort.PATH) == ["a", "b", "c", "d"]


def test_the_surest_are_chosen_however_old_they_are() -> None:
    assert order(*BEST_FIRST, sort=Sort.NEWEST, limit=2) == ["b", "a"]
    assert order(*BEST_FIRST, sort=Sort.OLDEST, limit=1) == ["b"]


def test_of_equally_sure_ones_the_newest_or_oldest_are_chosen() -> None:
    hits = (hit("b", MARCH), hit("a", FEBRUARY), hit("c", APRIL))
    assert order(*hits, sort=Sort.NEWEST, limit=2) == ["c", "b"]
    assert order(*hits, sort=Sort.OLDEST, limit=2) == ["a", "b"]
    assert order(*hits, sort=Sort.PATH, limit=2) == ["a", "b"]  # the two most relevant
    assert order(*hits, sort=Sort.RELEVANCE, limit=2) == ["b", "a"]


def test_moments_of_one_video_are_in_order_of_their_times() -> None:
    hits = [hit("a", MARCH, start=start) for start in (20.0, 5.0, 40.0)]
    ranked = [replace(one, rank=rank) for rank, one in enumerate(hits, start=1)]
    starts = {
        sort: [one.start for one in arranged(ranked, replace(Asked.of("a dog"), sort=sort))]
        for sort in Sort
    }
    assert starts[Sort.RELEVANCE] == [20.0, 5.0, 40.0]
    assert starts[Sort.NEWEST] == [40.0, 20.0, 5.0]
    assert starts[Sort.OLDEST] == starts[Sort.PATH] == [5.0, 20.0, 40.0]


def test_without_confidence_the_most_relevant_are_put_in_order() -> None:
    hits = (hit("b", MARCH, None), hit("a", FEBRUARY, None), hit("c", APRIL, None))
    assert order(*hits, sort=Sort.NEWEST, limit=2) == ["b", "a"]
    assert order(*hits, sort=Sort.OLDEST, limit=2) == ["a", "b"]


def test_duplicates_have_the_rank_of_their_moment() -> None:
    old, new = hit("old", FEBRUARY), hit("new", APRIL)
    ranked = [
        replace(old, rank=1, duplicates=(replace(hit("copy", MARCH), rank=1),)),
        replace(new, rank=2),
    ]
    found = arranged(ranked, replace(Asked.of("a dog"), sort=Sort.NEWEST))
    assert [(str(one.path), one.rank) for one in found] == [("new", 1), ("old", 2)]
    assert [(str(one.path), one.rank) for one in found[1].duplicates] == [("copy", 2)]


def test_by_time_more_moments_are_looked_at_than_are_asked_for() -> None:
    assert looked_at(Asked.of("a dog", limit=3)) == 3
    assert looked_at(replace(Asked.of("a dog", limit=3), sort=Sort.PATH)) == 3
    assert looked_at(replace(Asked.of("a dog", limit=3), sort=Sort.NEWEST)) == 100
    assert looked_at(replace(Asked.of("a dog", limit=300), sort=Sort.OLDEST)) == 300
