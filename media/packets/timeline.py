"""One time that goes on, from packets whose time stamps restart, stray, stand still or are missing.

Stamps are trusted as far as they can be: a film that begins at 5 h or leaps ahead by hours keeps
its own times, so that every player finds the same picture at the same place. Those of MP4 come from
an index, which says how long each picture lasts, and are left alone. What is put right elsewhere:

- A clock that has run through its 33 bits and begins again: time goes on.
- A clock that restarts (recordings joined end to end): time goes on where the part before ended.
- Stray stamps (damage): some that leave the line, which then goes on as if they had not been. They
  are replaced by going on at the usual pace. At the ends of a film, where one side of the line is
  missing, up to two packets stray if they go back. In broadcasts, where one garbled bit makes a
  stamp of another hour, they also do if they leap ahead by more than an hour, unless the program's
  own clock is there to confirm them.
- No stamp, or the same one more than eight times running: time goes on at the usual pace.

Packets are looked at in the order in which they are stored; what is a leap and what is usual is
measured by the film itself, so that films of one picture a minute are as welcome as others.
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

# Seconds by which stamps may step back or ahead before they are looked at twice. Where the
# container has no decoding times they are guessed, and step back a little now and then.
_BACK, _AHEAD = 0.5, 1.0
_NEAR = 10.0  # seconds within which a line of time goes on, or a picture is shown once decoded
_USUAL_STEPS = 16  # the same in usual steps, whatever is more: codecs reorder by 16 at most
_LONG_LEAP = 3600.0  # seconds that a film's first or last stamps may leap only with company
_COMPANY = 3
_STANDSTILL = 8  # equal stamps in a row, beyond which the clock has stopped
_PACKETS_AHEAD = 512  # looked at to see whether a line of time goes on ...
_BYTES_AHEAD = 1 << 26
_LONG_LOOKS = 200  # ... as often as that; a film that leaps more does so by nature, or by malice
_SHORT_LOOK = 16  # packets
_USUAL = Fraction(1, 25)  # second between pictures, where nothing better is known
_AVI_CHUNK_HEAD = 8  # bytes between the place that an index names and the packet
_LARGEST = 1 << 61  # stamps beyond are no stamps: sums of them would not fit into 64 bits


@dataclass(slots=True)
class Timeline:
    """Puts the stamps of one stream's packets right, in passing.

    `unit` is the stream's time base in seconds; `usual` the step between two pictures, in units,
    until the packets show a better one; `period` how many units the file's clock counts until it
    begins at 0 again. `restarts` fills with the stamps, as put right, at which that clock was set
    anew; `wrapped` tells whether it began again by itself. `confirm` is for streams without an
    index, and tells the time that the file gives beside a packet, if it does.
    """

    unit: Fraction
    usual: float
    period: int | None = None
    confirm: Callable[["Packet[VideoStream]"], int | None] | None = None
    restarts: list[int] = field(default_factory=list)
    wrapped: bool = False
    _offset: int = 0  # what is added to the file's stamps since the last restart
    _raw: tuple[int | None, int | None] | None = None  # the stamps before, as the file has them ...
    _last: int | None = None  # ... and put right, without the offset
    _repeats: int = 0
    _delay: int = 0  # from a packet's decoding to its showing, the last that made sense
    _end: int | None = None  # of the latest picture so far, put right
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
        """The time line of the film at `source`, to be followed from where the file is read."""
        rate = source.stream.average_rate or 0
        usual = min(1 / rate, _USUAL) if rate > 0 else _USUAL
        line = cls(source.unit, usual=float(usual / source.unit))
        if source.container_name in BROADCAST_CONTAINERS:
            line.period, line.confirm = CLOCK_PERIOD, _clock_beside(source)
        return line

    def follow(self, packets: Iterable["Packet[VideoStream]"]) -> Iterator["Packet[VideoStream]"]:
        """The same packets, their `dts` and `pts` put right. May read some megabytes ahead."""
        ahead = _Ahead(packets)
        for packet in ahead:
            if packet.size:
                self._unwind(packet, ahead)
                self._put_right(packet, ahead)
            yield packet

    def _unwind(self, packet: "Packet[VideoStream]", ahead: "_Ahead") -> None:
        """Undo the turns of a clock that begins again at 0."""
        stamp = ahead.stamp(packet)
        if self.period is None or stamp is None:
            return
        if self._last is not None:
            step = stamp + ahead.shift - self._last
            if not self._is_usual(step) and self._is_usual(step + self.period):
                ahead.shift += self.period
                self.wrapped = True
        if packet.pts is not None:
            turns_early = packet.dts is not None and packet.pts < packet.dts - self.period // 2
            packet.pts += ahead.shift + (self.period if turns_early else 0)
        if packet.dts is not None:
            packet.dts += ahead.shift

    def _put_right(self, packet: "Packet[VideoStream]", ahead: "_Ahead") -> None:
        stamp, raw = ahead.stamp(packet), (packet.dts, packet.pts)
        self._repeats = self._repeats + 1 if raw == self._raw else 0
        self._raw = raw
        if self._repeats > _STANDSTILL:
            packet.pts = packet.dts = stamp = None
        if stamp is None or (
            self._strays(stamp, ahead) and not self._confirmed(packet, stamp - ahead.shift)
        ):
            self._place(packet, self._next(ahead), ahead)
            return
        if self._last is not None:
            self._step(packet, stamp)
        self._place(packet, stamp, ahead)

    def _next(self, ahead: "_Ahead") -> int:
        """Where the next packet belongs if time goes on as usual."""
        step = round(self.usual)
        if self._last is None:  # the first of all: told from those behind it
            return next(ahead.stamps(_SHORT_LOOK), step) - step
        return self._last + step

    def _step(self, packet: "Packet[VideoStream]", stamp: int) -> None:
        """Learn from a stamp that is believed."""
        step = stamp - (self._last or 0)
        if self._steps_back(step) and self._end is not None:
            self._offset = self._end - (stamp if packet.pts is None else packet.pts)
            self.restarts.append(self._end)
        elif 0 < step <= self._reach(self._near):
            self.usual += (min(step, 2 * self.usual) - self.usual) / 8

    def _place(self, packet: "Packet[VideoStream]", stamp: int, ahead: "_Ahead") -> None:
        """Give the packet the stamp, its own delay if that makes sense, and note its end."""
        pts = self._shown(packet, stamp, ahead)
        self._last = stamp
        shown = (stamp if pts is None else pts) + self._offset
        if packet.dts is not None or pts is None:
            packet.dts = _fitting(stamp + self._offset)
        if pts is not None:
            packet.pts = _fitting(shown)
        length = duration_of(packet) or round(self.usual)
        end = shown + min(length, int(self._long_leap))
        self._end = end if self._end is None else max(self._end, end)

    def _shown(self, packet: "Packet[VideoStream]", stamp: int, ahead: "_Ahead") -> int | None:
        """The packet's presentation stamp, put right beside its decoding `stamp`."""
        pts = packet.pts
        if pts is None:
            return None
        if self._makes_sense(pts - stamp):
            self._delay = pts - stamp
            return pts
        if packet.dts is not None and self._makes_sense(pts - packet.dts):
            return stamp + pts - packet.dts
        return pts if self._leads(pts, stamp, ahead) else stamp + self._delay

    def _strays(self, stamp: int, ahead: "_Ahead") -> bool:
        """Whether the line of time goes on as if this stamp had not been."""
        if self._last is None:
            following = list(ahead.stamps(2))
            if len(following) < 2 or not self._is_usual(following[1] - following[0]):
                return False
            return self._leaps(following[0] - stamp)
        step = stamp - self._last
        if not self._steps_back(step) and step <= self._reach(self._ahead):
            return False
        previous, company = stamp, 1
        for later in ahead.stamps(self._look()):
            if self._is_usual(later - self._last) and not self._is_usual(later - previous):
                return True
            previous, company = later, company + 1
        return company < _COMPANY and self._leaps(step)

    def _confirmed(self, packet: "Packet[VideoStream]", stamp: int) -> bool:
        """Whether the file gives the same time beside the packet."""
        told = None if self.confirm is None else self.confirm(packet)
        return told is not None and self._makes_sense(stamp - told)

    def _leads(self, pts: int, stamp: int, ahead: "_Ahead") -> bool:
        """Whether the line of time leaps to `pts` soon after `stamp`, and stays there.

        The first picture behind a leap may be stored before the last pictures in front of it.
        """
        arrived, count = False, 0
        for later in ahead.stamps(self._look()):
            count += 1
            if self._makes_sense(later - pts):
                arrived = True
            elif arrived and self._is_usual(later - stamp):
                return False
        return arrived or (count < _SHORT_LOOK and not self._leaps(pts - stamp))

    def _look(self) -> int:
        """How many packets to look at this time."""
        self._looks += 1
        return _PACKETS_AHEAD if self._looks <= _LONG_LOOKS else _SHORT_LOOK

    def _is_usual(self, step: int) -> bool:
        return not self._steps_back(step) and step <= self._reach(self._near)

    def _steps_back(self, step: int) -> bool:
        return step < -self._reach(self._back)

    def _leaps(self, step: int) -> bool:
        is_long = self.confirm is not None and step > self._reach(self._long_leap)
        return self._steps_back(step) or is_long

    def _makes_sense(self, delay: int) -> bool:
        return abs(delay) <= self._reach(self._near)

    def _reach(self, units: float) -> float:
        return max(units, _USUAL_STEPS * self.usual)


class _Ahead:
    """Packets that can be looked at before their turn comes."""

    def __init__(self, packets: Iterable["Packet[VideoStream]"]) -> None:
        self._packets = iter(packets)
        self._waiting: deque[Packet[VideoStream]] = deque()
        self._bytes = 0
        self._has_dts = False
        self.shift = 0  # what the clock's turns add to stamps

    def __iter__(self) -> Iterator["Packet[VideoStream]"]:
        list(self.stamps(_SHORT_LOOK))  # to know whether there are decoding times
        while self._waiting or self._fetch():
            packet = self._waiting.popleft()
            self._bytes -= packet.size
            yield packet

    def stamp(self, packet: "Packet[VideoStream]") -> int | None:
        """The decoding time, of which the line is made; else the presentation time, which jitters.

        Where some packets have the one and some only the other, the line ignores the latter.
        """
        stamp = packet.dts if self._has_dts else packet.pts
        return None if stamp is None or abs(stamp) > _LARGEST else stamp

    def stamps(self, count: int) -> Iterator[int]:
        """The stamps of the next `count` packets, so far as they have one and may be looked at."""
        for index in range(count):
            if index == len(self._waiting) and (self._bytes > _BYTES_AHEAD or not self._fetch()):
                return
            stamp = self.stamp(self._waiting[index])
            if stamp is not None:
                yield stamp + self.shift

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
    """The packets of `source` from where it is read, with the stamps that they ought to have.

    `timeline` keeps the account; for the rest see `media.container.source.read_packets`.
    """
    packets = read_packets(source, observer=observer)
    if source.container_name == "mov" and source.stream.frames:  # else in fragments: without index
        return packets
    if source.container_name == "avi":
        packets = _numbered(packets, source.stream.index_entries)
    elif source.container_name in BARE_STREAMS:
        packets = _counted(packets)
    return (timeline or Timeline.of(source)).follow(packets)


def _clock_beside(source: Source) -> Callable[["Packet[VideoStream]"], int | None]:
    """What tells the time that the program's clock shows where a packet of `source` begins."""
    if source.container_name != "mpegts":
        return lambda _: None
    return lambda packet: None if packet.pos is None else program_clock(source.path, packet.pos)


def _numbered(
    packets: Iterable["Packet[VideoStream]"], entries: IndexEntries
) -> Iterator["Packet[VideoStream]"]:
    """The packets of an AVI film with the stamps that its index gives them.

    They have none of their own: FFmpeg counts them, and so gets late where damage swallows some.
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
    """The packets of a stream without a container, one after the other."""
    stamp = 0
    for packet in packets:
        if packet.size:
            packet.pts = packet.dts = stamp
            stamp += duration_of(packet)
        yield packet


def _fitting(stamp: int) -> int:
    return max(-2 * _LARGEST, min(2 * _LARGEST, stamp))
