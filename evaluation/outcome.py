"""Outcomes: what came back for a question, held against the places where it is true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.questions import Place, Question
from search import Hit, SearchResult

DEPTH = 100
"""Moments that are asked for: a right one further down counts as not found."""

NDCG_DEPTH = 10
WELL_MET = 0.7


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one question.

    Attributes:
        question: what was asked.
        first: the first hit, if there was one.
        rank: of the first right hit, from 1; infinite if there is none among `DEPTH`, None if the
            sentence is true of nothing.
        ndcg: of the first ten hits, each place counted once; None likewise.
        iou: intersection over union of the first hit with the place that it meets best; None if no
            place has a span.
        found: share of the places that as many first hits meet with an IoU of `WELL_MET`; None
            likewise.
        boundary_errors: seconds by which start and end of the first hit miss those of that place;
            None unless it is right.
        confidence: level of the answer; None if the search tells none.
        took_ms: milliseconds of the search.
    """

    question: Question
    first: Hit | None
    rank: float | None
    ndcg: float | None
    iou: float | None
    found: float | None
    boundary_errors: tuple[float, float] | None
    confidence: str | None
    took_ms: float


def judge(question: Question, result: SearchResult, *, video_ids: Mapping[Path, int]) -> Outcome:
    """Hold an answer against the places of its question.

    A hit is right if it shares at least half of the shorter of the two with a true moment, or is of
    a video of which the sentence is true as a whole. If all places are whole videos, each video
    counts once, with its best moment, as in published figures.

    Args:
        question: the question.
        result: at least `DEPTH` hits, if there are so many.
        video_ids: the ids of the videos by the paths of their files.
    """
    places, hits = question.places, result.hits
    first = hits[0] if hits else None
    by_video = all(place.span is None for place in places)
    right = _rights(hits, places, video_ids=video_ids, by_video=by_video)
    best = _best_span(first, places, video_ids=video_ids)
    return Outcome(
        question=question,
        first=first,
        rank=(right.index(True) + 1 if any(right) else math.inf) if places else None,
        ndcg=_ndcg(right, ideal=len(places)) if places else None,
        iou=None if by_video else best[0],
        found=None if by_video else _found(hits, places, video_ids=video_ids),
        boundary_errors=best[1] if right[:1] == [True] else None,
        confidence=first.confidence if first else None,
        took_ms=result.took_ms,
    )


def shared_seconds(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The length of what two spans share, in seconds."""
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def intersection_over_union(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The intersection over union of two spans, from 0 to 1."""
    shared = shared_seconds(a, b)
    return shared / (a[1] - a[0] + b[1] - b[0] - shared)


def _rights(
    hits: Sequence[Hit],
    places: Sequence[Place],
    *,
    video_ids: Mapping[Path, int],
    by_video: bool,
) -> list[bool]:
    """Whether each hit is right, and of a place that no hit before it was of."""
    left = list(places)
    seen: set[int | None] = set()
    rights = []
    for hit in hits:
        video_id = video_ids.get(hit.path)
        if by_video and video_id in seen:
            continue
        seen.add(video_id)
        met = next((place for place in left if _meets(hit, place, video_id=video_id)), None)
        rights.append(met is not None)
        if met is not None:
            left.remove(met)
    return rights


def _meets(hit: Hit, place: Place, *, video_id: int | None) -> bool:
    if place.video_id != video_id:
        return False
    if place.span is None:
        return True
    shorter = min(hit.end - hit.start, place.span[1] - place.span[0])
    return shared_seconds((hit.start, hit.end), place.span) >= shorter / 2


def _best_span(
    hit: Hit | None, places: Sequence[Place], *, video_ids: Mapping[Path, int]
) -> tuple[float, tuple[float, float] | None]:
    """The largest IoU of a hit with a place, and the errors of its ends there."""
    if hit is None:
        return 0.0, None
    spans = [p.span for p in places if p.span and p.video_id == video_ids.get(hit.path)]
    own = (hit.start, hit.end)
    best = max(spans, key=lambda span: intersection_over_union(own, span), default=None)
    if best is None:
        return 0.0, None
    ends = (abs(hit.start - best[0]), abs(hit.end - best[1]))
    return intersection_over_union(own, best), ends


def _found(hits: Sequence[Hit], places: Sequence[Place], *, video_ids: Mapping[Path, int]) -> float:
    """The share of places that one of as many hits meets well."""
    tried = [(video_ids.get(hit.path), (hit.start, hit.end)) for hit in hits[: len(places)]]
    met = [
        any(
            video_id == place.video_id
            and (place.span is None or intersection_over_union(own, place.span) >= WELL_MET)
            for video_id, own in tried
        )
        for place in places
    ]
    return sum(met) / len(met)


def _ndcg(right: Sequence[bool], *, ideal: int) -> float:
    """Normalised discounted cumulative gain: right hits are worth 1, places count once."""
    gained = sum(_discount(n) for n, one in enumerate(right[:NDCG_DEPTH]) if one)
    return gained / sum(_discount(n) for n in range(min(ideal, NDCG_DEPTH)))


def _discount(number: int) -> float:
    return 1 / math.log2(number + 2)
