"""Correction of timestamps that restart, wrap around, stray, stand still or are missing.

Timestamps are trusted as far as possible: a video that begins at 5 h or leaps ahead by hours keeps
its own times, so that every player finds the same frame at the same time. Those of MP4 come from an
index with the duration of each frame, and stay as they are. Corrected elsewhere:

- Wraparound of an MPEG clock after 33 bits: time goes on.
- Restart of the clock (recordings joined end to end): time goes on where the part before ended.
- Stray timestamps (damage): a few that leave the sequence, which then goes on as if they had not
  been there. They are replaced by the usual step. At both ends of a video, where the sequence is
  known on one side only, up to two packets are strays if they go back. In broadcasts, where one
  garbled bit moves a timestamp by hours, they also are if they leap ahead by more than an hour,
  unless the program's own clock confirms them.
- No timestamp, or the same one more than eight times in a row: time goes on by the usual step.

Packets are examined in the order in which they are stored. What counts as a leap and as usual is
measured from the video itself, so that videos with one frame a minute are handled as well.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Self

from av.index import IndexEntries
from av.packet import Packet
from av.video.stream import VideoStream

from media.container.clock import CLOCK_PERIOD, duration_of
from media.container.mpeg_streams import program_clock
from media.container.source import (
    BARE_STREAMS,
    BROADCAST_CONTAINERS,
    PacketObserver,
    Source,
    read_packets,
)

# Seconds by which timestamps may step back or ahead before they are examined. Where the container
# has no decoding timestamps FFmpeg guesses them, and they step back a little now and then.
_BACK, _AHEAD = 0.5, 1.0
_NEAR = 10.0  # seconds within which a sequence goes on, or a decoded frame is displayed
_USUAL_STEPS = 16  # the same in usual steps, if that is more: codecs reorder by 16 at most
_LONG_LEAP = 3600.0  # seconds; a longer leap at the ends of a video needs so many packets:
_COMPANY = 3
_STANDSTILL = 8  # equal timestamps in a row, beyond which the clock has stopped
_PACKETS_AHEAD = 512  # read ahead to see whether a sequence goes on ...
_BYTES_AHEAD = 1 << 26
_LONG_LOOKS = 200  # ... so many times; a video with more leaps has them by nature, or is hostile
_SHORT_LOOK = 16  # packets
_USUAL = Fraction(1, 25)  # second between frames, if the stream has no rate
_AVI_CHUNK_HEAD = 8  # bytes between the offset in an index and the packet
_LARGEST = 1 << 61  # timestamps beyond are invalid: sums of them would not fit into 64 bits


@dataclass(slots=True)
class Timeline:
    """Correction of the timestamps of one stream's packets while they are read.

    `unit` is the stream's time base in seconds; `usual` the step between two frames, in units,
    until the packets show a better one; `period` the number of units after which the clock wraps
    around. `restarts` collects the corrected timestamps at which the clock restarted; `wrapped` is
    whether it wrapped around. `confirm`, for streams without an index, reads the program clock
    beside a packet.
    """

    unit: Fraction
    usual: float
    period: int | None = None
    confirm: Callable[["Packet[VideoStream]"], int | None] | None = None
    restarts: list[int] = field(default_factory=list)
    wrapped: bool = False
    _offset: int = 0  # added to the file's timestamps since the last restart
    _raw: tuple[int | None, int | None] | None = None  # the last timestamps in the file ...
    _last: int | None = None  # ... and corrected, without the offset
    _repeats: int = 0
    _delay: int = 0  # from a packet's decoding to its display, the last plausible one
    _end: int | None = None  # of the latest frame so far, corrected
    _looks: int = 0
    _back: float = field(init=False)
    _ahead: float = field(init=False)
    _near: float = field(init=False)
    _long_leap: float = field(init=False)

    def __post_init__(self) -> None:
        self._back, self._ahead, self._near, self._long_leap = (
            seconds / float(self.unit) for seconds in (_BACK, _AHEAD, _NEAR, _LONG_LEAP)
        )

    @classmethod
    def of(cls, source: Source) -> Self:
        """Make the timeline of `source`, from the position at which it is read."""
        rate = source.stream.average_rate or 0
        usual = min(1 / rate, _USUAL) if rate > 0 else _USUAL
        line = cls(source.unit, usual=float(usual / source.unit))
        if source.container_name in BROADCAST_CONTAINERS:
            line.period, line.confirm = CLOCK_PERIOD, _program_clock_of(source)
        return line

    def follow(self, packets: Iterable["Packet[VideoStream]"]) -> Iterator["Packet[VideoStream]"]:
        """Yield the same packets with corrected `dts` and `pts`; reads up to 64 MiB ahead."""
        ahead = _Ahead(packets)
        for packet in ahead:
            if packet.size:
                self._unwind(packet, ahead)
                self._correct(packet, ahead)
            yield packet

    def _unwind(self, packet: "Packet[VideoStream]", ahead: "_Ahead") -> None:
        """Undo wraparounds of the clock."""
        timestamp = ahead.timestamp(packet)
        if self.period is None or timestamp is None:
            return
        if self._last is not None:
            step = timestamp + ahead.shift - self._last
            if not self._is_usual(step) and self._is_usual(step + self.period):
                ahead.shift += self.period
                self.wrapped = True
        if packet.pts is not None:
            wraps_first = packet.dts is not None and packet.pts < packet.dts - self.period // 2
            packet.pts += ahead.shift + (self.period if wraps_first else 0)
        if packet.dts is not None:
            packet.dts += ahead.shift

    def _correct(self, packet: "Packet[VideoStream]", ahead: "_Ahead") -> None:
        timestamp, raw = ahead.timestamp(packet), (packet.dts, packet.pts)
        self._repeats = self._repeats + 1 if raw == self._raw else 0
        self._raw = raw
        if self._repeats > _STANDSTILL:
            packet.pts = packet.dts = timestamp = None
        if timestamp is None or (
            self._strays(timestamp, ahead) and not self._confirmed(packet, timestamp - ahead.shift)
        ):
            self._place(packet, self._next(ahead), ahead)
            return
        if self._last is not None:
            self._step(packet, timestamp)
        self._place(packet, timestamp, ahead)

    def _next(self, ahead: "_Ahead") -> int:
        """Timestamp of the next packet if time goes on by the usual step."""
        step = round(self.usual)
        if self._last is None:  # the first packet: derived from those behind it
            return next(ahead.timestamps(_SHORT_LOOK), step) - step
        return self._last + step

    def _step(self, packet: "Packet[VideoStream]", timestamp: int) -> None:
        """Update the usual step, or start a new part, from a trusted timestamp."""
        step = timestamp - (self._last or 0)
        if self._steps_back(step) and self._end is not None:
            self._offset = self._end - (timestamp if packet.pts is None else packet.pts)
            self.restarts.append(self._end)
        elif 0 < step <= self._reach(self._near):
            self.usual += (min(step, 2 * self.usual) - self.usual) / 8

    def _place(self, packet: "Packet[VideoStream]", timestamp: int, ahead: "_Ahead") -> None:
        """Set the packet's timestamps, with its own delay if plausible, and keep its end."""
        pts = self._shown(packet, timestamp, ahead)
        self._last = timestamp
        shown = (timestamp if pts is None else pts) + self._offset
        if packet.dts is not None or pts is None:
            packet.dts = _clamped(timestamp + self._offset)
        if pts is not None:
            packet.pts = _clamped(shown)
        length = duration_of(packet) or round(self.usual)
        end = shown + min(length, int(self._long_leap))
        self._end = end if self._end is None else max(self._end, end)

    def _shown(self, packet: "Packet[VideoStream]", timestamp: int, ahead: "_Ahead") -> int | None:
        """The packet's corrected presentation timestamp for the decoding timestamp `timestamp`."""
        pts = packet.pts
        if pts is None:
            return None
        if self._is_plausible(pts - timestamp):
            self._delay = pts - timestamp
            return pts
        if packet.dts is not None and self._is_plausible(pts - packet.dts):
            return timestamp + pts - packet.dts
        return pts if self._leads(pts, timestamp, ahead) else timestamp + self._delay

    def _strays(self, timestamp: int, ahead: "_Ahead") -> bool:
        """Whether the sequence goes on as if this timestamp had not been there."""
        if self._last is None:
            following = list(ahead.timestamps(2))
            if len(following) < 2 or not self._is_usual(following[1] - following[0]):
                return False
            return self._leaps(following[0] - timestamp)
        step = timestamp - self._last
        if not self._steps_back(step) and step <= self._reach(self._ahead):
            return False
        previous, company = timestamp, 1
        for later in ahead.timestamps(self._look()):
            if self._is_usual(later - self._last) and not self._is_usual(later - previous):
                return True
            previous, company = later, company + 1
        return company < _COMPANY and self._leaps(step)

    def _confirmed(self, packet: "Packet[VideoStream]", timestamp: int) -> bool:
        """Whether the program clock beside the packet shows the same time."""
        clock = None if self.confirm is None else self.confirm(packet)
        return clock is not None and self._is_plausible(timestamp - clock)

    def _leads(self, pts: int, timestamp: int, ahead: "_Ahead") -> bool:
        """Whether the sequence leaps to `pts` soon after `timestamp`, and stays there.

        The first frame behind a leap may be stored before the last frames in front of it.
        """
        arrived, count = False, 0
        for later in ahead.timestamps(self._look()):
            count += 1
            if self._is_plausible(later - pts):
                arrived = True
            elif arrived and self._is_usual(later - timestamp):
                return False
        return arrived or (count < _SHORT_LOOK and not self._leaps(pts - timestamp))

    def _look(self) -> int:
        """Number of packets to read ahead this time."""
        self._looks += 1
        return _PACKETS_AHEAD if self._looks <= _LONG_LOOKS else _SHORT_LOOK

    def _is_usual(self, step: int) -> bool:
        return not self._steps_back(step) and step <= self._reach(self._near)

    def _steps_back(self, step: int) -> bool:
        return step < -self._reach(self._back)

    def _leaps(self, step: int) -> bool:
        is_long = self.confirm is not None and step > self._reach(self._long_leap)
        return self._steps_back(step) or is_long

    def _is_plausible(self, delay: int) -> bool:
        return abs(delay) <= self._reach(self._near)

    def _reach(self, units: float) -> float:
        return max(units, _USUAL_STEPS * self.usual)


class _Ahead:
    """Iterator over packets that can be read ahead."""

    def __init__(self, packets: Iterable["Packet[VideoStream]"]) -> None:
        self._packets = iter(packets)
        self._waiting: deque[Packet[VideoStream]] = deque()
        self._bytes = 0
        self._has_dts = False
        self.shift = 0  # added to timestamps for the wraparounds so far

    def __iter__(self) -> Iterator["Packet[VideoStream]"]:
        list(self.timestamps(_SHORT_LOOK))  # to know whether there are decoding timestamps
        while self._waiting or self._fetch():
            packet = self._waiting.popleft()
            self._bytes -= packet.size
            yield packet

    def timestamp(self, packet: "Packet[VideoStream]") -> int | None:
        """The decoding timestamp; the presentation timestamp only if no packet has the former."""
        timestamp = packet.dts if self._has_dts else packet.pts
        return None if timestamp is None or abs(timestamp) > _LARGEST else timestamp

    def timestamps(self, count: int) -> Iterator[int]:
        """Yield the timestamps of the next `count` packets that have one and fit into memory."""
        for index in range(count):
            if index == len(self._waiting) and (self._bytes > _BYTES_AHEAD or not self._fetch()):
                return
            timestamp = self.timestamp(self._waiting[index])
            if timestamp is not None:
                yield timestamp + self.shift

    def _fetch(self) -> bool:
        packet = next(self._packets, None)
        if packet is None:
            return False
        self._waiting.append(packet)
        self._has_dts = self._has_dts or packet.dts is not None
        self._bytes += packet.size
        return True


def corrected_packets(
    source: Source,
    *,
    timeline: Timeline | None = None,
    observer: PacketObserver | None = None,
) -> Iterator["Packet[VideoStream]"]:
    """Read the packets of `source` from its position on, with corrected timestamps.

    `timeline` collects what was corrected; see also `media.container.source.read_packets`.
    """
    packets = read_packets(source, observer=observer)
    if source.container_name == "mov" and source.stream.frames:  # else in fragments: without index
        return packets
    if source.container_name == "avi":
        packets = _numbered(packets, source.stream.index_entries)
    elif source.container_name in BARE_STREAMS:
        packets = _counted(packets)
    return (timeline or Timeline.of(source)).follow(packets)


def _program_clock_of(source: Source) -> Callable[["Packet[VideoStream]"], int | None]:
    """Function that reads the program clock at the start of a packet of `source`."""
    if source.container_name != "mpegts":
        return lambda _: None
    return lambda packet: None if packet.pos is None else program_clock(source.path, packet.pos)


def _numbered(
    packets: Iterable["Packet[VideoStream]"], entries: IndexEntries
) -> Iterator["Packet[VideoStream]"]:
    """Set the timestamps of AVI packets from the index.

    They have none of their own: FFmpeg counts packets, and is late where damage swallows some.
    """
    following, late = 0, 0
    for packet in packets:
        if packet.size and packet.pos is not None and packet.dts is not None:
            place = packet.pos - _AVI_CHUNK_HEAD
            while following < len(entries) and entries[following].pos < place:
                following += 1
            if following < len(entries) and entries[following].pos == place:
                late = entries[following].timestamp - packet.dts
            packet.dts += late
            packet.pts = None if packet.pts is None else packet.pts + late
        yield packet


def _counted(packets: Iterable["Packet[VideoStream]"]) -> Iterator["Packet[VideoStream]"]:
    """Set the timestamps of packets without a container: one after the other."""
    timestamp = 0
    for packet in packets:
        if packet.size:
            packet.pts = packet.dts = timestamp
            timestamp += duration_of(packet)
        yield packet


def _clamped(timestamp: int) -> int:
    return max(-2 * _LARGEST, min(2 * _LARGEST, timestamp))
