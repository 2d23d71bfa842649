"""Moments, merged from the nearest clips: pure arithmetic; the order of the clips has no effect."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

from catalog import ClipMatch
from search.moments.curve import Stretch

# The median of so many clips is the score of an ordinary clip. The number does not depend on how
# many moments are asked for, so that with more of them the best ones stay the same.
CLIPS_COMPARED = 256

# A neighbour extends a moment from this fraction of the way up from an ordinary clip to the best
# clip. On toy videos with 48 known events, moments and events overlap by 0.51 of their union at
# 0.5, by 0.62 at 0.8; above that, a long event falls into pieces.
NEARLY_AS_GOOD = 0.8

_SHARED = 0.3  # of the shorter one: moments that share more are the same


@dataclass(frozen=True, slots=True)
class Moment:
    """An interval `[start, end)` of one video with its best second, `peak`, and its best clip.

    Of a sequence (`search.moments.sequence`), whose `parts` are moments, these are those of the
    part that is the least sure.
    """

    start: float
    end: float
    peak: float
    best: ClipMatch
    parts: tuple["Moment", ...] = ()


def are_same(one: Moment, other: Moment | Stretch) -> bool:
    """Whether two moments of a video share so much that they are the same."""
    shorter = min(one.end - one.start, other.end - other.start)
    return min(one.end, other.end) - max(one.start, other.start) > _SHARED * shorter


def ranked(clips: Iterable[ClipMatch]) -> list[ClipMatch]:
    """Clips, best first; equal scores by path, start and id."""
    return sorted(clips, key=_order)


def merge_into_moments(pool: Iterable[ClipMatch]) -> tuple[Moment, ...]:
    """All moments of a pool of clips, best first; equal scores by path, start and id.

    The clips are processed best first. Each is compared with the moments of its video that it
    overlaps, best first. It **extends** the first moment that it is nearly as good as: its score is
    at least `NEARLY_AS_GOOD` of the way from the median of the best `CLIPS_COMPARED` clips up to
    the moment's score; weaker moments that it overlaps are joined to that one. A clip that is
    weaker, and at least half of which lies in the moment, is **absorbed**. Every other clip begins
    a moment.
    """
    clips = ranked(pool)
    if not clips:
        return ()
    typical = median(clip.score for clip in clips[:CLIPS_COMPARED])
    moments_of: dict[int, list[Moment]] = {}
    for clip in clips:
        _take_in(moments_of.setdefault(clip.video_id, []), clip, typical=typical)
    every = (moment for moments in moments_of.values() for moment in moments)
    return tuple(sorted(every, key=lambda moment: _order(moment.best)))


def good_enough(best: float, *, typical: float) -> float:
    """The lowest score with which a clip extends a moment whose best clip scores `best`."""
    # Written like this, rounding never excludes a clip with the same score as the best one.
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
    middle = (clip.start + clip.end) / 2
    moments.append(Moment(start=clip.start, end=clip.end, peak=middle, best=clip))


def _extend(moments: list[Moment], clip: ClipMatch, *, rank: int) -> None:
    # Each weaker moment that the clip overlaps has a higher score than the clip: it may join, too.
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
