"""The timeline: plain values that all formats are written from."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from timelines.rates import Rate


@dataclass(frozen=True, slots=True)
class Sound:
    """A track of sound: channels, and samples per second."""

    channels: int
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that items are taken from, counted in frames of `rate` from its first picture.

    `start` is the timecode of that picture, as a number of frames. `width` and `height` are in
    pixels as displayed, of the shape `pixel_aspect`. `by_seconds` says why the source is counted in
    the list's rate: it has none of its own that editing programs know; None for its own rate.
    """

    path: Path
    rate: Rate
    frames: int
    start: int = 0
    width: int = 1920
    height: int = 1080
    pixel_aspect: Fraction = Fraction(1)
    sound: tuple[Sound, ...] = ()
    by_seconds: str | None = None

    @property
    def channels(self) -> int:
        """Channels of all tracks of sound."""
        return sum(track.channels for track in self.sound)

    def label(self, frame: int) -> str:
        """The timecode of one of its frames."""
        return self.rate.label(self.start + frame)


@dataclass(frozen=True, slots=True)
class Marker:
    """A mark on an item, `frame` frames of its source behind its first one."""

    frame: int
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A piece of a source: `count` frames from `first` on, and what it was found for.

    `start` and `end` are seconds on the source's clock, for players.
    """

    source: Source
    first: int
    count: int
    start: float
    end: float
    sentence: str
    confidence: str | None = None
    score: float | None = None
    markers: tuple[Marker, ...] = ()

    @property
    def out(self) -> int:
        """The frame behind its last one."""
        return self.first + self.count

    @property
    def title(self) -> str:
        """The sentence, with the confidence where that is known."""
        return f"{self.confidence}: {self.sentence}" if self.confidence else self.sentence


@dataclass(frozen=True, slots=True)
class Placed:
    """An item in a timeline, from frame `begin` to before frame `end` of the list's rate."""

    item: Item
    begin: int
    end: int


@dataclass(frozen=True)
class Timeline:
    """Items one after the other, from 01:00:00:00 on."""

    name: str
    rate: Rate
    items: tuple[Item, ...]

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """The items with their places. None is longer in the list than it is in its source."""
        counts = [self._count(item) for item in self.items]
        ends = list(accumulate(counts, initial=0))
        return tuple(map(Placed, self.items, ends, ends[1:]))

    @property
    def frames(self) -> int:
        """Its length, in frames of its rate."""
        return self.placed[-1].end if self.items else 0

    @cached_property
    def sources(self) -> dict[Path, Source]:
        """The sources of the items, each once, in order."""
        return {item.source.path: item.source for item in self.items}

    @cached_property
    def usual(self) -> Source:
        """The source that most items are taken from, whose size the list has."""
        of_items = [item.source for item in self.items]
        sizes = [(source.width, source.height) for source in of_items]
        return max(of_items, key=lambda source: sizes.count((source.width, source.height)))

    def _count(self, item: Item) -> int:
        return max(1, int(item.count * self.rate.exact / item.source.rate.exact))
