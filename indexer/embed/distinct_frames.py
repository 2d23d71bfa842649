"""Frame vectors of a video, from those of its clips.

Overlapping clips look at the same frames, each in its own surroundings: a frame that two of them
hold gets the mean of both vectors. Letters: N clips, T frames of a clip, F distinct frames.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan, FrameVectors, QuantisedVectors
from indexer.decode.plan import sample_times

_AT_A_TIME = 1024
_NEAR = 0.75  # of the distance of a clip's frames: nearer ones show the same, and take room


def distinct_frames(
    spans: Sequence[ClipSpan], frames: Sequence[QuantisedVectors | None]
) -> FrameVectors | None:
    """The distinct frames of N clips, whose vectors are (T, D) each; None where a clip lacks them.

    Frames that are nearer to the one before than `_NEAR` of the distance between two frames of a
    clip are left out: the last clip of a video looks between the frames of the one before.
    """
    every = [of_clip for of_clip in frames if of_clip is not None]
    if not every or len(every) < len(spans):
        return None
    count = len(every[0].scales)
    asked = np.array([sample_times(span, frames=count) for span in spans]).ravel()  # (N · T,)
    times, time_of = np.unique(asked.round(6), return_inverse=True)
    least = _NEAR * min(span.end - span.start for span in spans) / count
    kept = _spread(times, least=least)
    uses = np.argsort(time_of, kind="stable")  # of the frames of all clips, by time
    begins = np.concatenate([[0], np.cumsum(np.bincount(time_of))])  # of each time among the uses
    parts = []
    for first in range(0, len(kept), _AT_A_TIME):
        some = kept[first : first + _AT_A_TIME]
        of_each = [uses[begins[time] : begins[time + 1]] for time in some]
        parts.append(FrameVectors(times[some], _means(every, of_each, count=count)))
    return FrameVectors.joined(parts, dim=every[0].values.shape[-1])


def _spread(times: NDArray[np.float64], *, least: float) -> NDArray[np.int64]:
    """Numbers (F,) of ascending times that are at least `least` seconds apart, the first among."""
    kept = [0]
    for number, time in enumerate(times.tolist()):
        if time - times[kept[-1]] >= least > 0:
            kept.append(number)
    return np.array(kept)


def _means(
    every: Sequence[QuantisedVectors], of_each: Sequence[NDArray[np.int64]], *, count: int
) -> QuantisedVectors:
    """The means of the vectors that each frame has in the clips, by their number in all clips."""
    uses = np.concatenate(of_each)
    first, last = uses.min() // count, uses.max() // count
    scales = np.concatenate([of_clip.scales for of_clip in every[first : last + 1]])
    values = np.concatenate([of_clip.values for of_clip in every[first : last + 1]])
    vectors = QuantisedVectors(scales, values)[uses - first * count].vectors()
    lengths = np.array([len(some) for some in of_each])
    sums = np.add.reduceat(vectors, np.cumsum(lengths) - lengths)
    return QuantisedVectors.of((sums / lengths[:, None]).astype(np.float32))
