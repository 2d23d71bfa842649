"""From seconds to whole frames: an in point, and a count from which the out point follows."""

from fractions import Fraction
from math import ceil, floor

from timelines.timeline import Film

ROUNDED = Fraction(1, 1000)  # second by which the ends of moments are rounded


def is_behind(film: Film, start: Fraction) -> bool:
    """Whether a moment that starts then, in seconds from the first picture, has no picture."""
    return start >= film.frames / film.rate.exact


def placed(film: Film, *, picture: tuple[Fraction, Fraction], end: Fraction) -> tuple[int, int]:
    """The first frame of a moment and the count of its frames.

    `picture` is when the first picture of the moment is on display, `end` when the moment ends,
    all in seconds from the first picture of the film. The moment has one frame at least, and none
    behind the end of its film.
    """
    begin, stop = picture
    rate = film.rate.exact
    if film.by_seconds is None:
        first = round(begin * rate)
    else:
        first = ceil(begin * rate)
        if first / rate >= stop:  # shorter than a frame of the list
            first = floor(begin * rate)
    first = min(max(first, 0), film.frames - 1)
    out = min(ceil((end - ROUNDED) * rate), film.frames)
    return first, max(out - first, 1)
