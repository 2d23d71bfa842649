"""Whole frames from seconds: the picture on display first, never one behind the end."""

from fractions import Fraction

import pytest

from tests.timelines.lists import source
from timelines import LIST_RATES, Source, is_behind, placed

NTSC = Fraction(30000, 1001)
RATE = LIST_RATES["29.97"]


def of(frames: int, *, by_seconds: str | None = None) -> Source:
    plain = source("a.mp4", RATE)
    return Source(path=plain.path, rate=RATE, frames=frames, by_seconds=by_seconds)


@pytest.mark.parametrize(
    ("begin", "end", "meant"),
    [
        (0, 30, (0, 30)),
        (Fraction(7), Fraction(10), (7, 3)),
        (Fraction(7), Fraction("10.5"), (7, 4)),  # that picture is on display when it ends
        (Fraction("7.01"), Fraction("10.01"), (7, 3)),  # rounded to milliseconds
        (Fraction("6.99"), Fraction("9.99"), (7, 3)),
        (99, 200, (99, 1)),
        (Fraction(7), Fraction(7), (7, 1)),
        (Fraction(0), Fraction(0), (0, 1)),
    ],
)
def test_frames_are_counted_from_the_picture_that_is_shown(
    begin: Fraction, end: Fraction, meant: tuple[int, int]
) -> None:
    picture = begin / NTSC, (begin + 1) / NTSC
    assert placed(of(100), picture=picture, end=end / NTSC) == meant


@pytest.mark.parametrize(
    ("begin", "stop", "first"),
    [
        ("7.0", "8.0", 7),
        ("7.4", "9.0", 8),  # at 7 the picture before is shown
        ("7.4", "7.9", 7),  # shorter than a frame of the list: none shows it
        ("0", "0.3", 0),
    ],
)
def test_by_seconds_the_first_frame_is_one_that_shows_the_picture(
    begin: str, stop: str, first: int
) -> None:
    picture = Fraction(begin) / NTSC, Fraction(stop) / NTSC
    assert placed(of(100, by_seconds="it varies"), picture=picture, end=20 / NTSC)[0] == first


def test_what_starts_behind_the_last_picture_has_none() -> None:
    assert not is_behind(of(100), 99 / NTSC)
    assert is_behind(of(100), 100 / NTSC)
