"""Sequences: a moment for each step of a question, one after the other in one video.

How well a moment fits its step is its score as a share of the best score for that step, as scores
for different sentences cannot be compared. A sequence is as good as its worst part.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from catalog import ClipMatch
from search.background.voids import ByChance
from search.moments.ranking import Moment, are_same, ranked

_EARLY = 1.0  # seconds before the end of a part at which the next may start: ends are not exact
_TIE = 1e-6  # of sequences that are equally good, one with better other parts comes first


@dataclass(frozen=True, slots=True)
class Candidates:
    """The clips that may belong to one step, nearest first, and the moments that they make."""

    clips: Sequence[ClipMatch]
    moments: Callable[[Iterable[ClipMatch]], Iterable[Moment]]
    best: float  # the highest score for the step

    @classmethod
    def of(
        cls,
        clips: Sequence[ClipMatch],
        moments: Callable[[Iterable[ClipMatch]], Iterable[Moment]],
    ) -> "Candidates":
        """The candidates among these clips, whose scores are those of the step."""
        return cls(clips, moments, max((clip.score for clip in clips), default=0.0))

    def share(self, clip: ClipMatch) -> float:
        """The share of the best score that a clip has; 1 for the best."""
        if self.best > 0.0:
            return clip.score / self.best
        return 1.0 + clip.score - self.best

    def by_video(self) -> dict[int, list[ClipMatch]]:
        """The clips of each video, by its id."""
        found: dict[int, list[ClipMatch]] = {}
        for clip in self.clips:
            found.setdefault(clip.video_id, []).append(clip)
        return found


def is_certain(
    last: Moment | None, steps: Sequence[Candidates], chances: Sequence[ByChance | None]
) -> bool:
    """Whether no better sequence than `last` can hold a clip that is no candidate.

    Also where such a clip cannot be convincing: then it does not matter.
    """
    if last is None:
        return False
    good = min(step.share(part.best) for step, part in zip(steps, last.parts, strict=True))
    for step, chance in zip(steps, chances, strict=True):
        farthest = step.clips[-1]
        convincing = chance is None or farthest.score >= chance.median
        if convincing and step.share(farthest) > good:
            return False
    return True


def sequences(steps: Sequence[Candidates], *, within: float) -> Iterator[Moment]:
    """The sequences of candidates of at least two steps, best first.

    Each part starts after the start of the one before, not earlier than a second before its end and
    not later than `within` seconds after. No moment is in two sequences. The moments of a video are
    made when the best that its clips allow comes next.
    """
    clips = [step.by_video() for step in steps]
    bounds: dict[int, float] = {}
    for video in set(clips[0]).intersection(*clips[1:]):
        bound = _bound(steps, [of_video[video] for of_video in clips], within=within)
        if bound is not None:
            bounds[video] = bound
    waiting: list[tuple[float, int, Moment, Iterator[tuple[float, Moment]]]] = []
    for video in sorted(bounds, key=lambda video: (-bounds[video], video)):
        while waiting and -waiting[0][0] >= bounds[video]:
            yield _next(waiting)
        moments = [
            list(step.moments(ranked(of_video[video])))
            for step, of_video in zip(steps, clips, strict=True)
        ]
        _push(waiting, video, _of_video(steps, moments, within=within))
    while waiting:
        yield _next(waiting)


def _next(waiting: list[tuple[float, int, Moment, Iterator[tuple[float, Moment]]]]) -> Moment:
    _, video, sequence, others = heapq.heappop(waiting)
    _push(waiting, video, others)
    return sequence


def _push(
    waiting: list[tuple[float, int, Moment, Iterator[tuple[float, Moment]]]],
    video: int,
    found: Iterator[tuple[float, Moment]],
) -> None:
    for good, sequence in found:
        heapq.heappush(waiting, (-good, video, sequence, found))
        return


def _of_video(
    steps: Sequence[Candidates], moments: Sequence[Sequence[Moment]], *, within: float
) -> Iterator[tuple[float, Moment]]:
    """The sequences of moments of one video, best first, each with its goodness."""
    shares = [
        np.array([step.share(moment.best) for moment in its], np.float64)
        for step, its in zip(steps, moments, strict=True)
    ]
    follows = [
        _follows(earlier, later, early=_EARLY, within=within)
        for earlier, later in pairwise(moments)
    ]
    found: list[Moment] = []
    while (best := _best(shares, follows)) is not None:
        good, numbers = best
        for its, number in zip(shares, numbers, strict=True):
            its[number] = -np.inf  # in one sequence only
        sequence = _joined([its[n] for its, n in zip(moments, numbers, strict=True)])
        if not any(are_same(sequence, other) for other in found):
            found.append(sequence)
            yield good, sequence


def _bound(
    steps: Sequence[Candidates], clips: Sequence[Sequence[ClipMatch]], *, within: float
) -> float | None:
    """How good a sequence of moments of these clips of a video can be; None: there is none.

    A moment may be longer than its best clip. One that is much longer has other clips, too.
    """
    shares = [
        np.array([step.share(clip) for clip in its], np.float64)
        for step, its in zip(steps, clips, strict=True)
    ]
    follows = []
    for earlier, later in pairwise(clips):
        longer = max(clip.end - clip.start for clip in (*earlier, *later))
        follows.append(_follows(earlier, later, early=2 * longer, within=within + 2 * longer))
    best = _best(shares, follows)
    return None if best is None else best[0]


def _follows(
    earlier: Sequence[Moment | ClipMatch],
    later: Sequence[Moment | ClipMatch],
    *,
    early: float,
    within: float,
) -> NDArray[np.bool_]:
    """(N, M): whether the later one starts not too early and not too late after the earlier one."""
    starts = np.array([one.start for one in earlier])[:, np.newaxis]
    ends = np.array([one.end for one in earlier])[:, np.newaxis]
    begins = np.array([one.start for one in later])[np.newaxis]
    follows: NDArray[np.bool_] = (begins >= ends - early) & (begins <= ends + within)
    return follows & (begins + early > starts + _EARLY)


def _best(
    shares: Sequence[NDArray[np.float64]], follows: Sequence[NDArray[np.bool_]]
) -> tuple[float, list[int]] | None:
    """The goodness of the best sequence, and the number of its moment in each step.

    By dynamic programming: for each moment the best sequence that ends with it.
    """
    worst, total = shares[0], shares[0]
    came_from: list[NDArray[np.int64]] = []
    if not len(worst):
        return None
    for its, may_follow in zip(shares[1:], follows, strict=True):
        if not len(its):
            return None
        before = np.where(may_follow, (worst + _TIE * total)[:, np.newaxis], -np.inf)
        chosen = before.argmax(axis=0)
        possible = np.isfinite(before.max(axis=0))
        came_from.append(chosen)
        worst = np.where(possible, np.minimum(worst[chosen], its), -np.inf)
        total = np.where(possible, total[chosen] + its, -np.inf)
    last = int((worst + _TIE * total).argmax())
    if not np.isfinite(worst[last]):
        return None
    numbers = [last]
    for chosen in reversed(came_from):
        numbers.append(int(chosen[numbers[-1]]))
    return float(worst[last]), numbers[::-1]


def _joined(parts: Sequence[Moment]) -> Moment:
    """The moment from the start of the first part to the end of the last; as sure as the worst."""
    worst = min(parts, key=lambda part: part.best.score)
    end = max(part.end for part in parts)
    return Moment(parts[0].start, end, peak=worst.peak, best=worst.best, parts=tuple(parts))
