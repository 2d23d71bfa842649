"""Damage met while a video is decoded."""

from dataclasses import dataclass, field
from fractions import Fraction

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from machine.clock_text import clock_text
from media.container.clock import Clock, duration_of, timestamp_of
from media.container.source import (
    BROADCAST_CONTAINERS,
    PacketObserver,
    Source,
    is_read_error,
    reason,
)
from media.damage.intervals import DamagedIntervals, PendingIntervals
from media.errors import UnreadableError


@dataclass(slots=True)
class DecodingDamage(PacketObserver):
    """Intervals that could not be decoded in the part of a video that was read.

    `was_read`: the file was read to its end before, without fault. An error of reading it is raised
    then: it is no damage of the film, and passes.
    """

    was_read: bool = False
    _damaged: DamagedIntervals = field(default_factory=DamagedIntervals)
    _pending: PendingIntervals | None = None  # for containers that may be cut anywhere
    _clock: Clock = field(default_factory=lambda: Clock(Fraction(0), Fraction(1)))
    _latest: float = 0.0  # second that was read
    _seen_key: bool = False
    _read_error: str | None = None

    def begin(self, source: Source, *, clock: Clock) -> None:
        """Start, or start again, with the packets of `source`, whose times are on `clock`."""
        self._damaged = DamagedIntervals()
        broadcast = source.container_name in BROADCAST_CONTAINERS
        self._pending = PendingIntervals(self._damaged) if broadcast else None
        self._clock = clock
        self._seen_key, self._read_error, self._latest = False, None, 0.0

    def watch(self, packet: "Packet[VideoStream]") -> None:
        """Count in a packet that is about to be decoded."""
        self._seen_key = self._seen_key or packet.is_keyframe
        start, _ = self._shown(packet)
        if start is not None:
            self._latest = max(self._latest, start)
            if self._pending is not None:
                self._pending.watch(start, is_key=packet.is_keyframe)

    def lose(self, broken: "Packet[VideoStream] | VideoFrame") -> None:
        """Count in a packet or frame that could not be decoded, or only with errors.

        Before the first key frame this is no damage: a video cut out of another one refers there to
        frames that it does not hold.
        """
        start, end = self._shown(broken)
        if start is None or not self._seen_key:
            return
        (self._pending or self._damaged).add(start, end=end)

    def end_with(self, error: Exception) -> None:
        """Keep the reason why the file could not be read any further."""
        if is_read_error(error):
            self._read_error = reason(error)
            if self.was_read:
                raise UnreadableError(f"cannot be read: {self._read_error}") from error

    def finish(self) -> None:
        """Judge what is pending at the end."""
        if self._pending is not None:
            self._pending.finish()

    @property
    def sentence(self) -> str | None:
        """All damage in one short sentence; None for none."""
        lost = self._damaged.sentence("cannot be decoded")
        if self._read_error is None:
            return lost
        unread = f"cannot be read beyond {clock_text(self._latest)}: {self._read_error}"
        return f"{lost}; {unread}" if lost else unread

    def _shown(self, stored: "Packet[VideoStream] | VideoFrame") -> tuple[float | None, float]:
        timestamp = timestamp_of(stored)
        if timestamp is None:
            return None, 0.0
        start = self._clock.seconds(timestamp)
        return start, start + float(duration_of(stored) * self._clock.unit)
