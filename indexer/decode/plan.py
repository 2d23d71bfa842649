"""Which clips a video is cut into and which moments of it are looked at: arithmetic only."""

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain

import numpy as np

from catalog import ClipSpan
from indexer.errors import SettingsError, UnreadableVideoError

# Seconds. The clock of Matroska ticks in milliseconds, and no video shows frames shorter than
# that: what is closer than one tick is the same moment.
TOLERANCE = 1e-3
_NEARBY = 0.25  # of the distance between wanted frames: how far `auto` may go for a cheaper one
MAXIMUM_CLIPS = 100_000  # more than four days at a stride of 4 s; timestamps can lie


class Sampling(StrEnum):
    """Which frame may stand for a wanted moment: how much decoding a moment is worth."""

    EXACT = "exact"  # the one on display then
    AUTO = "auto"  # the cheapest to decode, near enough that it shows the same
    KEYFRAMES = "keyframes"  # the nearest key frame, be it seconds away

    def tolerance(self, *, distance: float) -> float:
        """Seconds from a wanted moment to the frame taken, if those are `distance` s apart."""
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
    """Cut the pictures from `start` to `end` into clips [start, end), seconds on the file's clock.

    Clips of `window` seconds begin every `stride`, from `start` on, as long as they fit. What the
    last of them leaves over is covered by one more clip that ends with the pictures. If those do
    not last longer than a window they are one clip; the last clip always ends at `end`. Starts and
    ends ascend strictly. Of clips that lie wholly in one of the `gaps` (begin, end), in which the
    video shows one and the same picture, none is planned: the clip in which a gap begins holds that
    picture.

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
            f"it claims to last {duration / 3600:.0f} hours, "
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
    """The numbers from 0 to `last` of clips that do not lie in a gap, in runs.

    They are not counted out: where timestamps lie, a video or a gap may be years long.
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
    """Seconds at which a clip is looked at: the middles of `frames` equal segments, ascending."""
    step = (span.end - span.start) / frames
    return tuple(span.start + (index + 0.5) * step for index in range(frames))


class FrameSchedule:
    """The moments of a video that its clips look at, each once, and which clips share each.

    Overlapping clips look at the same moments whenever window and stride allow; times that agree
    to a microsecond are one moment. Kept as arrays: a day of video has 200,000 moments.
    """

    def __init__(self, spans: Sequence[ClipSpan], *, frames: int) -> None:
        wanted = np.array([sample_times(span, frames=frames) for span in spans])  # (N, T)
        moments, moment_of = np.unique(np.round(wanted.ravel(), 6), return_inverse=True)
        self.times: list[float] = moments.tolist()
        # Seconds between two moments of one clip; moments of different clips may be any nearer.
        self.distance = min((span.end - span.start for span in spans), default=0.0) / frames
        # (N * T,) grouped by moment
        self._clip_of_use = np.argsort(moment_of, kind="stable") // frames
        self._ends = np.cumsum(np.bincount(moment_of))  # (len(times),)

    def clips(self) -> Iterator[tuple[int, ...]]:
        """For each of `times`, in their order, the clips that want the frame on display then.

        A clip's frames come in their order; a clip that wants one moment twice is named twice.
        """
        start = 0
        for end in self._ends:
            yield tuple(self._clip_of_use[start:end].tolist())
            start = end
