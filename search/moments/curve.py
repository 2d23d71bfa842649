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
    inside = np.flatnonzero((curve.times >= start) & (curve.times <= end))
    if not len(inside):
        return Stretch(start, end, (start + end) / 2)
    best = int(inside[np.argmax(curve.heights[inside])])
    if curve.heights[best] <= 0.0:
        return Stretch(start, end, (start + end) / 2)
    if not curve.of_frames:
        return _cut(curve, best)
    level = float(np.sort(curve.heights[inside])[-_BEST_FRAMES:].mean())
    if level <= 0.0:
        return Stretch(start, end, float(curve.times[best]))
    return _best_sum(curve, best, over=_HALF * level)


def _best_sum(curve: Curve, best: int, *, over: float) -> Stretch:
    gains = curve.heights - over
    first = best - int(np.argmax(np.cumsum(gains[best::-1])))
    last = best + int(np.argmax(np.cumsum(gains[best:])))
    peak = first + int(np.argmax(curve.heights[first : last + 1]))
    edges = _edges(curve)
    return Stretch(float(edges[first]), float(edges[last + 1]), float(curve.times[peak]))


def _edges(curve: Curve) -> NDArray[np.float64]:
    """Where each frame's part of the video begins, and the last one's ends: (F + 1,) seconds."""
    times = curve.times
    middles = (times[1:] + times[:-1]) / 2
    step = float(np.median(np.diff(times))) if len(times) > 1 else curve.end - curve.begin
    ends = max(curve.begin, times[0] - step / 2), min(curve.end, times[-1] + step / 2)
    return np.concatenate([ends[:1], middles, ends[1:]])


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
