"""A list of what is hard to write: several sources, odd names, a timecode at a full minute."""

from fractions import Fraction
from pathlib import Path

from timelines import Item, Marker, Rate, Sound, Source, Timeline

HOSTILE = "Über #1 50% & <b>\n\udcff\u202e.mov"
STEREO = (Sound(2, 48_000),)
LONG = 107_892  # frames


def source(name: str, rate: Rate, *, start: int = 0, sound: bool = True) -> Source:
    return Source(
        path=Path("/media/über #1", name),
        rate=rate,
        frames=LONG,
        start=start,
        width=1920,
        height=1080,
        sound=STEREO if sound else (),
    )


def item(of: Source, first: int, count: int, *, sentence: str = "a dog") -> Item:
    start = first / of.rate.exact
    return Item(
        source=of,
        first=first,
        count=count,
        start=float(start),
        end=float(start + count / of.rate.exact),
        sentence=sentence,
        confidence="strong",
        score=0.5,
        markers=(Marker(0, sentence, "strong"), Marker(count // 2, "a second step", "likely")),
    )


def timeline(rate: Rate) -> Timeline:
    """Five moments of three sources at the rate of the list: from 0, an hour, and time of day."""
    minute = 60 * rate.base
    plain = source("plain.mp4", rate)
    hour = source("AX.mov", rate, start=rate.hour)
    day = source(HOSTILE, rate, start=rate.number(22, 50, 59, 0), sound=False)
    return Timeline(
        "list",
        rate,
        (
            item(plain, 0, 1),
            item(hour, minute - 1, 2, sentence='5 > 3 & "so" <on>'),
            item(day, minute - 3, 10 * minute + 7),
            item(plain, 1_799, 121),
            item(hour, LONG - 50, 50),
        ),
    )


def mixed(rate: Rate, *, of: Fraction) -> Timeline:
    """A moment of a source at another rate between two at the rate of the list."""
    same = source("same.mov", rate, start=rate.hour)
    other = source("other.mov", Rate(of), start=Rate(of).number(10, 0, 0, 12))
    return Timeline("mixed", rate, (item(same, 10, 10), item(other, 100, 121), item(same, 50, 5)))
