"""The curve of a question over a video, and the stretch of it around a peak: arithmetic on arrays.

A height of 0 is what an ordinary second of the library has; the question's moments stand out above
it. F is the number of points of a curve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of the frames of the best clip so many, the best, say how high a moment is; a frame belongs to it
# from half of that on. From the dev libraries of the answers benchmark.
_BEST_FRAMES = 4
_HALF = 0.5
# Without frame vectors: where the line through the clips' centres falls to this share of its peak.
_CUT = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Heights over time, of frames or of clips.

    Attributes:
        times: (F,) float64, seconds, ascending.
        heights: (F,) float32.
        of_frames: each height is that of its second alone, and not of a clip around it.
        begin, end: the seconds that the curve is about.
    """

    times: NDArray[np.float64]
    heights: NDArray[np.float32]
    of_frames: bool
    begin: float
    end: float

    def __len__(self) -> int:
        """F."""
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The interval `[start, end)` around the highest point of a curve, at `peak`; seconds."""

    start: float
    end: float
    peak: float


def stretch_around(curve: Curve, *, start: float, end: float) -> Stretch:
    """The stretch of a curve that belongs to the clip `[start, end)`, which may be longer or not.

    Of a curve of frames it is the stretch around the best frame of the clip with the largest sum of
    what the frames are higher than half of the clip's level. Of a curve of clips it ends where the
    line through their centres falls to a part of its peak. Where nothing stands out it is the clip.
    """
    first, last = np.searchsorted(curve.times, (start, end))
    heights = curve.heights[first:last]
    best = int(first + heights.argmax()) if len(heights) else -1
    if best < 0 or curve.heights[best] <= 0.0:
        return Stretch(start, end, (start + end) / 2)
    if not curve.of_frames:
        return _cut(curve, best)
    highest = np.sort(heights)[-_BEST_FRAMES:]
    level = float(highest.sum()) / len(highest)
    if level <= 0.0:
        return Stretch(start, end, float(curve.times[best]))
    return _best_sum(curve, best, over=_HALF * level)


def _best_sum(curve: Curve, best: int, *, over: float) -> Stretch:
    gains = curve.heights - over
    first = best - int(gains[best::-1].cumsum().argmax())
    last = best + int(gains[best:].cumsum().argmax())
    peak = first + int(curve.heights[first : last + 1].argmax())
    return Stretch(_edge(curve, first), _edge(curve, last + 1), float(curve.times[peak]))


def _edge(curve: Curve, number: int) -> float:
    """The second at which the part of the frame `number` begins, and that of the one before ends.

    It is the middle between both; the first and the last part are as long on both sides of theirs.
    """
    times = curve.times
    if 0 < number < len(times):
        return float(times[number - 1] + times[number]) / 2
    if len(times) == 1:
        return curve.end if number else curve.begin
    if number:
        return min(curve.end, float(3 * times[-1] - times[-2]) / 2)
    return max(curve.begin, float(3 * times[0] - times[1]) / 2)


def _cut(curve: Curve, best: int) -> Stretch:
    height = _CUT * float(curve.heights[best])
    peak = float(curve.times[best])
    start = _crossing(curve.times[best::-1], curve.heights[best::-1], height, curve.begin)
    end = _crossing(curve.times[best:], curve.heights[best:], height, curve.end)
    return Stretch(start, end, peak)


def _crossing(
    times: NDArray[np.float64], heights: NDArray[np.float32], height: float, otherwise: float
) -> float:
    """When a line that begins above `height` falls to it, from its first point on."""
    below = np.flatnonzero(heights < height)
    if not len(below):
        return otherwise
    after = int(below[0])
    one, other = float(heights[after - 1]), float(heights[after])
    share = (one - height) / (one - other)
    return float(times[after - 1] + share * (times[after] - times[after - 1]))
