"""From the nearest clips to moments: pure arithmetic, the same for any order of its input."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import ClipMatch

# Enough for a median that means "an ordinary clip". The same number whatever the size of the pool:
# who asks for more moments finds the best ones unchanged.
CLIPS_COMPARED = 256

# How far up from an ordinary clip to a moment's best one a neighbour must come to extend it. On toy
# films with 48 known events, moments and events overlap by 0.51 of their union at 0.5, by 0.62 at
# 0.8; still higher, a long event falls into pieces.
NEARLY_AS_GOOD = 0.8

_FIRST_LOOK = 4  # clips a moment; then it is asked whether they are enough


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of one film; `best` is its best clip, which lies within it."""

    start: float
    end: float
    best: ClipMatch


class Ranking(Protocol):
    """Clips best first, as `catalog.NearestClips`: looking at them costs more than their scores."""

    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, some: slice, /) -> list[ClipMatch]:
        """Some of them."""


def best_moments(ranking: Ranking, *, limit: int) -> tuple[Moment, ...]:
    """The first `limit` of all moments that the clips make (see `merge_into_moments`).

    Only so many clips are looked at as can change anything: what scores less than the last of these
    moments and is too weak to extend it can extend none of them, nor join them, nor come before
    them.
    """
    if not len(ranking):
        return ()
    typical = median(ranking.scores[:CLIPS_COMPARED].tolist())
    pool: list[ClipMatch] = []
    while True:
        pool += ranking[len(pool) : max(_FIRST_LOOK * limit, 2 * len(pool))]
        moments = merge_into_moments(pool, typical=typical)
        if len(pool) == len(ranking):
            return moments[:limit]
        if len(moments) >= limit:
            last = moments[limit - 1].best.score
            # Of a moment below the typical score even an equal clip is not good enough.
            if float(ranking.scores[len(pool)]) < min(last, good_enough(last, typical=typical)):
                return moments[:limit]


def merge_into_moments(
    pool: Iterable[ClipMatch], *, typical: float | None = None
) -> tuple[Moment, ...]:
    """All moments of a pool of clips, best first; equal scores by path, start and id.

    Clips are taken best first, and each looks at the moments of its film that it overlaps, best
    first. It **extends** the first one that it is nearly as good as: at least `NEARLY_AS_GOOD` of
    the way from the median of the best `CLIPS_COMPARED` clips up to that moment's score; weaker
    moments that it touches as well are joined. If it is weaker but half of it lies in the moment,
    it says nothing new and is **absorbed**. A clip that no moment took stands as a moment of its
    own.

    Args:
        typical: that median, where the pool is only the beginning of what is compared.
    """
    ranked = sorted(pool, key=_order)
    if not ranked:
        return ()
    if typical is None:
        typical = median(clip.score for clip in ranked[:CLIPS_COMPARED])
    moments_of: dict[int, list[Moment]] = {}
    for clip in ranked:
        _take_in(moments_of.setdefault(clip.video_id, []), clip, typical=typical)
    every = (moment for moments in moments_of.values() for moment in moments)
    return tuple(sorted(every, key=lambda moment: _order(moment.best)))


def good_enough(best: float, *, typical: float) -> float:
    """The score from which a clip extends a moment whose best clip scores `best`."""
    # In this order a clip as good as the best one is always good enough, however floats round.
    return best - (1 - NEARLY_AS_GOOD) * (best - typical)


def _take_in(moments: list[Moment], clip: ClipMatch, *, typical: float) -> None:
    for rank, moment in enumerate(moments):
        shared = _overlap(moment, clip)
        if shared <= 0:
            continue
        if clip.score >= good_enough(moment.best.score, typical=typical):
            _extend(moments, clip, rank=rank)
            return
        if shared >= (clip.end - clip.start) / 2:
            return
    moments.append(Moment(start=clip.start, end=clip.end, best=clip))


def _extend(moments: list[Moment], clip: ClipMatch, *, rank: int) -> None:
    # Each weaker moment that the clip touches beats the clip, hence may extend this one too.
    joined = [weaker for weaker in moments[rank + 1 :] if _overlap(weaker, clip) > 0]
    parts: list[Moment | ClipMatch] = [moments[rank], clip, *joined]
    moments[rank] = replace(
        moments[rank],
        start=min(part.start for part in parts),
        end=max(part.end for part in parts),
    )
    moments[rank + 1 :] = [weaker for weaker in moments[rank + 1 :] if weaker not in joined]


def _overlap(moment: Moment, clip: ClipMatch) -> float:
    return min(moment.end, clip.end) - max(moment.start, clip.start)


def _order(clip: ClipMatch) -> tuple[float, str, float, int]:
    return (-clip.score, str(clip.path), clip.start, clip.clip_id)
