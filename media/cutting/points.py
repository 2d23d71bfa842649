"""In and out points: instants of a video, moved to where a picture begins if one is near."""

from collections.abc import Sequence
from fractions import Fraction

NEAR = Fraction(1, 10)  # second: longer than half a frame of any film, shorter than a still


def snapped(time: Fraction, beginnings: Sequence[Fraction]) -> Fraction:
    """The nearest of the instants at which pictures begin or end; the time where none is near."""
    nearest = min(beginnings, key=lambda begin: (abs(begin - time), begin), default=time)
    return nearest if abs(nearest - time) <= NEAR else time
