"""Hits: the moments of an answer with what a person has to know of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from search.background.voids import ByChance, Standing
from search.confidence import confidence_of
from search.copies import copy_to_show
from search.moments.ranking import Moment
from search.moments.selection import Selected
from search.records import Hit


def hit_from(
    selected: Selected,
    *,
    rank: int,
    cosines: Sequence[Mapping[int, float]],
    chances: Sequence[ByChance | None],
) -> Hit:
    """A selected moment as a hit, with its parts and its duplicates.

    `cosines` and `chances` are those of the steps. The whole is as sure as its worst part, where
    that of all parts is known.
    """

    def hit(moment: Moment) -> Hit:
        parts = moment.parts or (moment,)
        hits = [
            hit_of(part, rank=rank, score=of_step[part.best.clip_id], chance=chance)
            for part, of_step, chance in zip(parts, cosines, chances, strict=True)
        ]
        if not moment.parts:
            return hits[0]
        worst = min(range(len(parts)), key=lambda number: parts[number].best.score)
        whole = replace(hits[worst], start=moment.start, end=moment.end, parts=tuple(hits))
        if None in chances:
            return replace(whole, confidence=None, standing=None)
        return whole

    duplicates = tuple(hit(other) for other in selected.duplicates)
    return replace(hit(selected.moment), duplicates=duplicates)


def hit_of(moment: Moment, *, rank: int, score: float, chance: ByChance | None) -> Hit:
    """A moment as a hit, with the copy of its file that is there now."""
    best = moment.best
    standing = None if chance is None else Standing(best.score, chance)
    shown, others = copy_to_show(best.paths, best.other_paths)
    return Hit(
        rank=rank,
        score=score,
        path=shown,
        start=moment.start,
        end=moment.end,
        peak=moment.peak,
        duration=best.duration,
        clip_id=best.clip_id,
        video_id=best.video_id,
        other_paths=others,
        confidence=None if standing is None else confidence_of(standing.value),
        standing=standing,
        captured=best.captured,
        captured_from=best.captured_from,
    )
