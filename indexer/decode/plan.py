"""Clips of a video and the sample times of their frames: arithmetic only."""

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain

import numpy as np

from catalog import ClipSpan
from indexer.errors import SettingsError, UnreadableVideoError

# Seconds. The clock of Matroska ticks in milliseconds, and no video shows frames shorter than
# that: times closer than one tick are the same.
TOLERANCE = 1e-3
_NEARBY = 0.25  # of the distance between wanted frames: how far `auto` may go for a cheaper one
MAXIMUM_CLIPS = 100_000  # more than four days at a stride of 4 s; timestamps can lie


class Sampling(StrEnum):
    """Frame to decode for a sample time: how exact, and how costly."""

    EXACT = "exact"  # the one on display then
    AUTO = "auto"  # the cheapest to decode, near enough that it shows the same
    KEYFRAMES = "keyframes"  # the nearest key frame, be it seconds away

    def tolerance(self, *, distance: float) -> float:
        """Seconds from a sample time to its frame, where sample times are `distance` s apart."""
        if self is Sampling.KEYFRAMES:
            return math.inf
        return _NEARBY * distance if self is Sampling.AUTO else 0.0


def check_window(*, window: float, stride: float) -> None:
    """Raise SettingsError unless both are finite numbers of seconds of at least 0.01."""
    for name, seconds in (("window", window), ("stride", stride)):
        if not (math.isfinite(seconds) and seconds >= 0.01):
            raise SettingsError(f"{name} is {seconds} seconds; give at least 0.01")


def plan_clips(
    end: float,
    *,
    start: float = 0.0,
    window: float,
    stride: float,
    gaps: Sequence[tuple[float, float]] = (),
) -> tuple[ClipSpan, ...]:
    """Cut the frames from `start` to `end` into clips [start, end), seconds on the file's clock.

    Clips of `window` seconds begin every `stride`, from `start` on, as long as they fit. What the
    last of them leaves over is covered by one more clip that ends with the frames. If those do
    not last longer than a window they are one clip; the last clip always ends at `end`. Starts and
    ends ascend strictly. Clips that lie wholly in one of the `gaps` (begin, end), in which the
    video shows one and the same frame, are left out: the clip in which a gap begins has that frame.

    Raises SettingsError for a bad window or stride, UnreadableVideoError for a duration that is
    no finite number of seconds or would take more than `MAXIMUM_CLIPS` clips.
    """
    check_window(window=window, stride=stride)
    duration = end - start
    if not (math.isfinite(duration) and duration >= 0):
        raise UnreadableVideoError(f"its timestamps make no duration ({duration} seconds)")
    if duration <= window + TOLERANCE:
        return (ClipSpan(start, end),)
    last = math.floor((duration - window + TOLERANCE) / stride)
    since_start = [(begin - start, until - start) for begin, until in gaps]
    kept = _outside_of(since_start, last=last, window=window, stride=stride)
    if sum(map(len, kept)) + 1 > MAXIMUM_CLIPS:
        raise UnreadableVideoError(
            f"its timestamps make {duration / 3600:.0f} hours, "
            f"which is more than {MAXIMUM_CLIPS} clips; choose a longer stride if that is true"
        )
    # Products, not a running sum: rounding errors must not add up over a long video.
    starts = [start + index * stride for index in chain(*kept)]
    spans = [ClipSpan(begin, begin + window) for begin in starts]
    if spans[-1].end < end - TOLERANCE:
        spans.append(ClipSpan(end - window, end))
    else:
        spans[-1] = ClipSpan(spans[-1].start, end)
    return tuple(spans)


def _outside_of(
    gaps: Sequence[tuple[float, float]], *, last: int, window: float, stride: float
) -> list[range]:
    """Numbers from 0 to `last` of the clips that do not lie in a gap, as ranges.

    Ranges, as wrong timestamps may make a video or a gap years long.
    """
    kept = []
    start = 0
    for begin, end in gaps:
        inside = math.floor((begin + TOLERANCE) / stride) + 1
        after = math.floor((end - window + TOLERANCE) / stride) + 1
        if start <= inside < after:
            kept.append(range(start, min(inside, last + 1)))
            start = after
    kept.append(range(start, last + 1))
    return kept


def sample_times(span: ClipSpan, *, frames: int) -> tuple[float, ...]:
    """Sample times of a clip in seconds: the middles of `frames` equal segments, ascending."""
    step = (span.end - span.start) / frames
    return tuple(span.start + (index + 0.5) * step for index in range(frames))


class FrameSchedule:
    """Sample times of a video's clips, each once, and which clips share each.

    Overlapping clips share sample times whenever window and stride allow; times that agree to a
    microsecond are one. Kept as arrays: a day of video has 200,000 sample times.
    """

    def __init__(self, spans: Sequence[ClipSpan], *, frames: int) -> None:
        wanted = np.array([sample_times(span, frames=frames) for span in spans])  # (N, T)
        times, time_of = np.unique(np.round(wanted.ravel(), 6), return_inverse=True)
        self.times: list[float] = times.tolist()
        # Seconds between two sample times of one clip; those of different clips may be nearer.
        self.distance = min((span.end - span.start for span in spans), default=0.0) / frames
        # (N * T,) grouped by sample time
        self._clip_of_use = np.argsort(time_of, kind="stable") // frames
        self._ends = np.cumsum(np.bincount(time_of))  # (len(times),)

    def clips(self) -> Iterator[tuple[int, ...]]:
        """Yield, for each of `times` in order, the clips that sample the frame on display then.

        A clip's frames come in their order; a clip that has one sample time twice is named twice.
        """
        start = 0
        for end in self._ends:
            yield tuple(self._clip_of_use[start:end].tolist())
            start = end
