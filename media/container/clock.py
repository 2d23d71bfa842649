"""A file's own clock: what every player counts from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from media.container.source import BROADCAST_CONTAINERS, Source

MAX_HOURS = 1000  # of one film, six weeks: more is a mistake in its time stamps
CLOCK_PERIOD = 1 << 33  # units of an MPEG clock, after which it begins again: 26.5 hours
_CLOCK_RATE = 90_000  # of those units a second
_OUTLIER = 1  # seconds before sound and pictures from which on a text stream is none of the file's
_TURN = 3600  # seconds between beginnings, within which the clock may have begun again
_TEXT = frozenset({"subtitle", "data"})  # kinds of streams


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds of a file for time stamps of its video stream, and the other way round.

    `zero` is the time stamp, in seconds, at which the file begins; `unit` the stream's time base.
    """

    zero: Fraction
    unit: Fraction

    def seconds(self, stamp: int) -> float:
        """The time of a stamp."""
        return float(stamp * self.unit - self.zero)

    def stamp(self, seconds: float) -> int:
        """The last stamp at or before a time."""
        return math.floor((Fraction(seconds) + self.zero) / self.unit)


@dataclass(frozen=True, slots=True)
class StreamStarts:
    """Where the streams of a file begin, in seconds of their time stamps, edit lists applied.

    As FFmpeg tells it when the file is opened, and as its tools and mpv take it: zero of the file
    is the earliest beginning of sound or pictures. A text or data stream counts if it begins less
    than a second before them. Reading on may change what FFmpeg says: these stay.
    """

    shown: Sequence[Fraction] = ()
    text: Sequence[Fraction] = ()
    period: Fraction | None = None  # seconds after which the clock begins again at 0

    @classmethod
    def of(cls, source: Source) -> "StreamStarts":
        """Those of a file that has just been opened."""
        broadcast = source.container_name in BROADCAST_CONTAINERS
        return cls(
            shown=_starts(source.container, text=False),
            text=_starts(source.container, text=True),
            period=Fraction(CLOCK_PERIOD, _CLOCK_RATE) if broadcast else None,
        )

    def earliest(self, first: Fraction) -> Fraction:
        """The zero of the file whose first picture is shown at `first`."""
        shown = self._near(self.shown, first)
        zero = min([first, *(start for start in shown if start > first - MAX_HOURS * 3600)])
        text = min(self._near(self.text, first), default=zero)
        return text if zero - _OUTLIER < text < zero else zero

    def _near(self, starts: Sequence[Fraction], first: Fraction) -> list[Fraction]:
        """`starts`; as if the clock had not begun again between one of them and `first`."""
        if self.period is None:
            return list(starts)
        turned = [start - round((start - first) / self.period) * self.period for start in starts]
        return [
            near if abs(near - first) < _TURN else start
            for start, near in zip(starts, turned, strict=True)
        ]


@dataclass(slots=True)
class StreamEnds:
    """How far the streams of a file reach beside the one that was chosen: its sound, mostly."""

    _ends: dict[Stream, int] = field(default_factory=dict)

    def add(self, packet: "Packet[Stream]") -> None:
        """Take note of a packet of another stream, as the file has it."""
        stream, pts = packet.stream, packet.pts
        if pts is None:
            return
        end = pts + max(packet.duration or 0, 0)
        if end > self._ends.get(stream, 0) and not packet.is_discard:
            self._ends[stream] = end

    def end(self, container: InputContainer) -> Fraction:
        """Of sound and pictures, in seconds of their time stamps; 0 where there are none.

        Not beyond what the `container` says of itself: stamps can be astray.
        """
        ends = (
            end * stream.time_base
            for stream, end in self._ends.items()
            if stream.type not in _TEXT and stream.time_base is not None
        )
        reached = max(ends, default=Fraction(0))
        if container.duration is None:
            return reached
        claimed = Fraction((container.start_time or 0) + container.duration, av.time_base)
        return min(reached, claimed)


def _starts(container: InputContainer, *, text: bool) -> tuple[Fraction, ...]:
    return tuple(
        stream.start_time * stream.time_base
        for stream in container.streams
        if (stream.type in _TEXT) is text
        and stream.start_time is not None
        and stream.time_base is not None
    )
