"""In and out points: instants of a video, moved to where pictures begin.

The in point is the beginning of the picture on display, the out point the end of one: as
`timelines.placing` counts whole frames. Within a picture that stays they are as asked for.
"""

from fractions import Fraction

ROUNDED = Fraction(1, 1000)  # second by which the ends of moments are rounded
NEAR = Fraction(1, 10)  # second: longer than a frame of most films, shorter than a still


def in_point(time: Fraction, picture: Fraction) -> Fraction:
    """The in point for a time at which, but for rounding, a picture is on display since then."""
    return picture if time - picture <= NEAR else time


def out_point(time: Fraction, picture: Fraction) -> Fraction:
    """The out point for a time before which, but for rounding, a picture is on display to then."""
    return picture if picture - time <= NEAR else time
