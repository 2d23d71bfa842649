"""Frame rates as exact fractions, from timestamps that are rounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

_NTSC = Fraction(1000, 1001)
COMMON_RATES = tuple(
    rate
    for base in (24, 25, 30, 48, 50, 60, 90, 100, 120, 240)
    for rate in ([base * _NTSC, Fraction(base)] if base % 25 else [Fraction(base)])
)
_SAME = Fraction(1, 5000)  # share by which headers round a rate: 29.97 is 30000/1001
_IN_PLACE = Fraction(1, 4)  # of a frame by which a picture may be beside its place
_MOST = 1000  # frames per second


@dataclass(frozen=True, slots=True)
class FrameRate:
    """Frames per second, and whether each picture is where these put it, to a quarter of a frame.

    If not, the rate is the mean.
    """

    exact: Fraction
    constant: bool


def frame_rate_of(
    stream: VideoStream, runs: Sequence[NDArray[np.int64]], *, unit: Fraction
) -> FrameRate:
    """The rate of a stream.

    Each of `runs` (count,) int64 holds timestamps of pictures that follow each other, ascending, in
    units of `unit` seconds. Without two of them the header's rate is believed.
    """
    told = [rate for rate in (stream.average_rate, stream.base_rate, stream.guessed_rate) if rate]
    headers = [common(rate) for rate in told if 0 < rate <= _MOST] or [Fraction(25)]
    long_enough = [run for run in runs if len(run) > 1 and run[-1] > run[0]]
    if not long_enough:
        return FrameRate(headers[0], constant=True)
    steps = sum(len(run) - 1 for run in long_enough)
    mean = Fraction(steps) / (sum(int(run[-1] - run[0]) for run in long_enough) * unit)
    candidates = list(dict.fromkeys([*headers, *COMMON_RATES, mean]))
    beside = [_most_beside(long_enough, rate, unit=unit) for rate in candidates]
    # Of those that are as good but for the rounding of timestamps, the one to be believed most.
    good = min(beside) + float(unit) / 2
    best = next(number for number, most in enumerate(beside) if most <= good)
    in_place = beside[best] <= _IN_PLACE / candidates[best] + unit
    return FrameRate(candidates[best] if in_place else mean, constant=bool(in_place))


def common(rate: Fraction) -> Fraction:
    """The common rate that was rounded to this one; else the rate itself."""
    near: Iterable[Fraction] = (one for one in COMMON_RATES if abs(one / rate - 1) < _SAME)
    return min(near, key=lambda one: abs(one - rate), default=rate)


def _most_beside(runs: Sequence[NDArray[np.int64]], rate: Fraction, *, unit: Fraction) -> float:
    """Seconds by which a picture is beside the place where the rate puts it, at most.

    The places of a run are those that fit it best: its first picture may be beside its own.
    """
    return max(
        float(np.ptp((run - run[0]) * float(unit) - np.arange(len(run)) / float(rate))) / 2
        for run in runs
    )
