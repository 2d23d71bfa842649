"""One time that goes on, from packets whose time stamps restart, stray, stand still or are missing.

Stamps are trusted as far as they can be: a film that begins at 5 h or leaps ahead by hours keeps
its own times, so that every player finds the same picture at the same place. What is put right:

- A clock that restarts (recordings joined end to end): time goes on where the part before ended.
- Stray stamps (damage): some that leave the line, which then goes on as if they had not been. They
  are replaced by going on at the usual pace. At the ends of a film, where one side of the line is
  missing, up to two packets stray if they go back, or ahead by more than an hour.
- No stamp, or the same one more than eight times running: time goes on at the usual pace.

Packets are looked at in the order in which they are stored; what is a leap and what is usual is
measured by the film itself, so that films of one picture a minute are as welcome as others.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Self

from av.packet import Packet
from av.video.stream import VideoStream

from media.source import Source

# Seconds by which stamps may step back or ahead before they are looked at twice. Where the
# container has no decoding times they are guessed, and step back a little now and then.
_BACK, _AHEAD = 0.5, 10.0
_USUAL_STEPS = 16  # the same in usual steps, whatever is more: codecs reorder by 16 at most
_LONG_LEAP = 3600.0  # seconds that a film's first or last stamps may leap only with company
_COMPANY = 3
_STANDSTILL = 8  # equal stamps in a row, beyond which the clock has stopped
_PACKETS_AHEAD = 512  # looked at to see whether a line of time goes on ...
_BYTES_AHEAD = 1 << 26
_LONG_LOOKS = 200  # ... as often as that; a film that leaps more does so by nature, or by malice
_SHORT_LOOK = 16  # packets
_USUAL = Fraction(1, 25)  # second between pictures, where nothing better is known
_LARGEST = 1 << 61  # stamps beyond are no stamps: sums of them would not fit into 64 bits


@dataclass(slots=True)
class Timeline:
    """Puts the stamps of one stream's packets right, in passing.

    `unit` is the stream's time base in seconds; `usual` the step between two pictures, in units,
    until the packets show a better one. `restarts` fills with the stamps, as put right, at which
    the file's clock restarted.
    """

    unit: Fraction
    usual: float
    restarts: list[int] = field(default_factory=list)
    _offset: int = 0  # what is added to the file's stamps
    _raw: int | None = None  # the stamp before, as the file has it ...
    _last: int | None = None  # ... and put right, without the offset
    _repeats: int = 0
    _delay: int = 0  # from a packet's decoding to its showing, the last that made sense
    _end: int | None = None  # of the latest picture so far, put right
    _looks: int = 0

    @classmethod
    def of(cls, source: Source) -> Self:
        """The time line of the film at `source`, to be followed from where the file is read."""
        rate = source.stream.average_rate or 0
        usual = min(1 / rate, _USUAL) if rate > 0 else _USUAL
        return cls(source.unit, usual=float(usual / source.unit))

    def follow(self, packets: Iterable["Packet[VideoStream]"]) -> Iterator["Packet[VideoStream]"]:
        """The same packets, their `dts` and `pts` put right. May read some megabytes ahead."""
        ahead = _Ahead(packets)
        for packet in ahead:
            if packet.size:
                self._put_right(packet, ahead)
            yield packet

    def _put_right(self, packet: "Packet[VideoStream]", ahead: "_Ahead") -> None:
        stamp = _stamp(packet)
        self._repeats = self._repeats + 1 if stamp == self._raw else 0
        self._raw = stamp
        if stamp is None or self._repeats > _STANDSTILL:
            self._place(packet, self._next)
        elif self._strays(stamp, ahead):
            self._place(packet, self._next_beside(ahead))
        else:
            self._accept(packet, stamp)

    @property
    def _next(self) -> int:
        """Where the next packet belongs if time goes on as usual."""
        return 0 if self._last is None else self._last + round(self.usual)

    def _next_beside(self, ahead: "_Ahead") -> int:
        """The same; for the first packet of all, told from those behind it."""
        if self._last is None:
            return next(ahead.stamps(), 0) - round(self.usual)
        return self._next

    def _accept(self, packet: "Packet[VideoStream]", stamp: int) -> None:
        if self._last is not None:
            step = stamp - self._last
            if self._steps_back(step) and self._end is not None:
                first = stamp if packet.pts is None else packet.pts
                self._offset = self._end - first
                self.restarts.append(self._end)
            elif 0 < step <= self._ticks(_AHEAD):
                self.usual += (step - self.usual) / 8
        self._place(packet, stamp)

    def _place(self, packet: "Packet[VideoStream]", stamp: int) -> None:
        """Give the packet the stamp, its own delay if that makes sense, and note its end."""
        pts = packet.pts
        if pts is not None:
            own = pts - (_stamp(packet) or 0)
            if not self._makes_sense(pts - stamp):
                pts = stamp + (own if self._makes_sense(own) else self._delay)
            self._delay = pts - stamp
        self._last = stamp
        shown = stamp if pts is None else pts
        if packet.dts is not None or pts is None:
            packet.dts = _fitting(stamp + self._offset)
        if pts is not None:
            packet.pts = _fitting(pts + self._offset)
        length = max(packet.duration or 0, 0) or round(self.usual)
        end = shown + self._offset + min(length, self._ticks(_LONG_LEAP))
        self._end = end if self._end is None else max(self._end, end)

    def _strays(self, stamp: int, ahead: "_Ahead") -> bool:
        """Whether the line of time goes on as if this stamp had not been."""
        following = ahead.stamps()
        if self._last is None:
            second, third = next(following, None), next(following, None)
            if second is None or third is None or not self._is_usual(third - second):
                return False
            return self._leaps(second - stamp)
        if self._is_usual(stamp - self._last):
            return False
        self._looks += 1
        reach = _PACKETS_AHEAD if self._looks <= _LONG_LOOKS else _SHORT_LOOK
        previous, company = stamp, 1
        for later in islice(following, reach):
            if self._is_usual(later - self._last) and not self._is_usual(later - previous):
                return True
            previous, company = later, company + 1
        return company < _COMPANY and self._leaps(stamp - self._last)

    def _is_usual(self, step: int) -> bool:
        return not self._steps_back(step) and step <= self._ticks(_AHEAD)

    def _steps_back(self, step: int) -> bool:
        return step < -self._ticks(_BACK)

    def _leaps(self, step: int) -> bool:
        return self._steps_back(step) or step > self._ticks(_LONG_LEAP)

    def _makes_sense(self, delay: int) -> bool:
        return abs(delay) <= self._ticks(_AHEAD)

    def _ticks(self, seconds: float) -> int:
        return max(int(seconds / self.unit), int(_USUAL_STEPS * self.usual))


class _Ahead:
    """Packets that can be looked at before their turn comes."""

    def __init__(self, packets: Iterable["Packet[VideoStream]"]) -> None:
        self._packets = iter(packets)
        self._waiting: deque[Packet[VideoStream]] = deque()
        self._bytes = 0

    def __iter__(self) -> Iterator["Packet[VideoStream]"]:
        while True:
            if not self._waiting and not self._fetch():
                return
            packet = self._waiting.popleft()
            self._bytes -= packet.size
            yield packet

    def stamps(self) -> Iterator[int]:
        """The stamps of the packets to come that have one, as far as may be looked ahead."""
        for index in range(_PACKETS_AHEAD):
            if index == len(self._waiting) and (self._bytes > _BYTES_AHEAD or not self._fetch()):
                return
            stamp = _stamp(self._waiting[index])
            if stamp is not None:
                yield stamp

    def _fetch(self) -> bool:
        packet = next(self._packets, None)
        if packet is None:
            return False
        self._waiting.append(packet)
        self._bytes += packet.size
        return True


def _stamp(packet: "Packet[VideoStream]") -> int | None:
    stamp = packet.pts if packet.dts is None else packet.dts
    return None if stamp is None or abs(stamp) > _LARGEST else stamp


def _fitting(stamp: int) -> int:
    return max(-2 * _LARGEST, min(2 * _LARGEST, stamp))
