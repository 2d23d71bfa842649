"""From seconds to whole frames: an in point, and a count from which the out point follows."""

from fractions import Fraction
from math import ceil, floor

from timelines.timeline import Source

ROUNDED = Fraction(1, 1000)  # second by which the ends of moments are rounded


def is_behind(source: Source, start: Fraction) -> bool:
    """Whether a moment that starts then, in seconds from the first picture, has no picture."""
    return start >= source.frames / source.rate.exact


def placed(source: Source, *, picture: tuple[Fraction, Fraction], end: Fraction) -> tuple[int, int]:
    """The first frame of a moment and the count of its frames.

    `picture` is when the first picture of the moment is on display, `end` when the moment ends,
    all in seconds from the first picture of the source. The moment has one frame at least, and none
    behind the end of its source.
    """
    begin, stop = picture
    rate = source.rate.exact
    if source.by_seconds is None:
        first = round(begin * rate)
    else:
        first = ceil(begin * rate)
        if first / rate >= stop:  # shorter than a frame of the list
            first = floor(begin * rate)
    first = min(max(first, 0), source.frames - 1)
    out = min(ceil((end - ROUNDED) * rate), source.frames)
    return first, max(out - first, 1)
