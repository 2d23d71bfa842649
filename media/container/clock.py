"""The clock of a file, by which players count: timestamps to seconds and back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container.source import BROADCAST_CONTAINERS, Source

MAX_HOURS = 1000  # longest video, six weeks: beyond, its timestamps are wrong
CLOCK_PERIOD = 1 << 33  # units after which MPEG timestamps wrap: 26.5 hours (H.222.0, 2.4.3.7)
_CLOCK_RATE = 90_000  # of those units per second
_OUTLIER = 1  # seconds before sound and pictures from which on a text stream is ignored
_MAX_WRAP_DISTANCE = 3600  # seconds between the starts of two streams of which one has wrapped
_TEXT = frozenset({"subtitle", "data"})  # types of streams


def timestamp_of(stored: "Packet[VideoStream] | VideoFrame") -> int | None:
    """Presentation timestamp of a packet or frame, by default its decoding timestamp."""
    return stored.dts if stored.pts is None else stored.pts


def duration_of(stored: "Packet[Stream] | Packet[VideoStream] | VideoFrame") -> int:
    """Duration of a packet or frame in units of its time base; 0 where unknown."""
    return max(stored.duration or 0, 0)


@dataclass(frozen=True, slots=True)
class Clock:
    """Conversion between timestamps of the video stream and seconds on the file's clock.

    `zero` is the timestamp, in seconds, at which the file begins; `unit` the stream's time base.
    """

    zero: Fraction
    unit: Fraction

    def seconds(self, timestamp: int) -> float:
        """The time of a timestamp."""
        return float(timestamp * self.unit - self.zero)

    def timestamp(self, seconds: float) -> int:
        """The last timestamp at or before a time."""
        return math.floor((Fraction(seconds) + self.zero) / self.unit)


@dataclass(frozen=True, slots=True)
class StreamStarts:
    """Start times of the streams of a file, in seconds of their timestamps, edit lists applied.

    Taken from FFmpeg when the file is opened, because reading on may change FFmpeg's values. Zero
    of the file's clock is, as for FFmpeg's tools and mpv, the earliest start of sound or pictures.
    A text or data stream counts if it begins less than a second before them.
    """

    shown: Sequence[Fraction] = ()
    text: Sequence[Fraction] = ()
    period: Fraction | None = None  # seconds after which timestamps wrap around

    @classmethod
    def of(cls, source: Source) -> "StreamStarts":
        """Read them from a file that has just been opened."""
        broadcast = source.container_name in BROADCAST_CONTAINERS
        return cls(
            shown=_starts(source.container, text=False),
            text=_starts(source.container, text=True),
            period=Fraction(CLOCK_PERIOD, _CLOCK_RATE) if broadcast else None,
        )

    def earliest(self, first: Fraction) -> Fraction:
        """Zero of the file's clock, if its first frame is displayed at `first` seconds."""
        shown = self._near(self.shown, first)
        zero = min([first, *(start for start in shown if start > first - MAX_HOURS * 3600)])
        text = min(self._near(self.text, first), default=zero)
        return text if zero - _OUTLIER < text < zero else zero

    def _near(self, starts: Sequence[Fraction], first: Fraction) -> list[Fraction]:
        """Undo a wraparound of the clock between one of the `starts` and `first`."""
        if self.period is None:
            return list(starts)
        wrapped = [start - round((start - first) / self.period) * self.period for start in starts]
        return [
            near if abs(near - first) < _MAX_WRAP_DISTANCE else start
            for start, near in zip(starts, wrapped, strict=True)
        ]


@dataclass(slots=True)
class StreamEnds:
    """End timestamps of the streams beside the chosen one: mostly the sound's."""

    _ends: dict[Stream, int] = field(default_factory=dict)

    def add(self, packet: "Packet[Stream]") -> None:
        """Count in a packet of another stream."""
        stream, pts = packet.stream, packet.pts
        if pts is None:
            return
        end = pts + duration_of(packet)
        if end > self._ends.get(stream, 0) and not packet.is_discard:
            self._ends[stream] = end

    def end(self, container: InputContainer) -> Fraction:
        """Latest end of sound and pictures, in seconds of their timestamps; 0 if there are none.

        At most the end that the `container` declares, because single timestamps can be wrong.
        """
        ends = (
            end * stream.time_base
            for stream, end in self._ends.items()
            if stream.type not in _TEXT and stream.time_base is not None
        )
        latest = max(ends, default=Fraction(0))
        if container.duration is None:
            return latest
        declared = Fraction((container.start_time or 0) + container.duration, av.time_base)
        return min(latest, declared)


def _starts(container: InputContainer, *, text: bool) -> tuple[Fraction, ...]:
    return tuple(
        stream.start_time * stream.time_base
        for stream in container.streams
        if (stream.type in _TEXT) is text
        and stream.start_time is not None
        and stream.time_base is not None
    )
