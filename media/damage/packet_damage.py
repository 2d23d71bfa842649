"""Damage that packets show without being decoded, and damage met while decoding."""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container.clock import Clock, StreamEnds
from media.container.findings import Finding, Findings
from media.container.source import (
    BROADCAST_CONTAINERS,
    PacketObserver,
    Source,
    is_read_error,
    reason,
)
from media.damage.intervals import DamagedIntervals, PendingIntervals, clock_time

_HOLE_BYTES = 4096  # that no packet holds: more than the wrapping of packets takes
_HOLE_PACKETS = 4  # from the first that is read behind a hole: FFmpeg held back some from before it
_HOLE_STEPS = 2  # usual steps between pictures, more than which a hole takes


@dataclass(slots=True)
class ByteGaps(PacketObserver):
    """Bytes of a file that no packet holds, though packets follow: what damage made unreadable.

    Readers skip damaged parts without a word. `findings` tell what became of the bytes between
    packets, for which those of `all_streams` have to be seen, or of all bytes. Of all streams it
    also sees how far the others reach.
    """

    stream: VideoStream
    findings: Findings
    all_streams: bool
    others: StreamEnds = field(default_factory=StreamEnds)
    passed: deque[Finding] = field(default_factory=deque)  # before each packet of the stream
    end: int = 0  # of the packets so far, in bytes of the file
    read_error: str | None = None  # why the file could not be read to its end
    _since: int = 0

    def add(self, packet: "Packet[Stream]") -> None:
        """Take note of the file's next packet, of whatever stream."""
        place = -1 if packet.pos is None or not packet.size else packet.pos
        if place >= 0:
            if self.end and place - self.end > _HOLE_BYTES:
                unexplained = self.findings.unexplained(self.end, place)
                self._since += unexplained if unexplained > _HOLE_BYTES else 0
            self.end = max(self.end, place + packet.size)
        if packet.stream is self.stream:
            found = self.findings.up_to(place)
            missing = found.missing + self._since
            self.passed.append(Finding(place, missing=missing, scrambled=found.scrambled))
            self._since = 0
        else:
            self.others.add(packet)

    def skip(self) -> None:
        """Count what the reader looked through in vain."""
        self._since += _HOLE_BYTES

    def end_with(self, error: Exception) -> None:
        """Note what kept the file from being read any further."""
        if is_read_error(error):
            self.read_error = reason(error)

    def before_next(self) -> Finding:
        """What was found before the stream's next packet, in order."""
        return self.passed.popleft() if self.passed else Finding(0)


@dataclass(slots=True)
class PacketDamage:
    """What is wrong with a run of packets, in seconds of their time stamps."""

    unit: float  # of time stamps, in seconds
    in_place: bool = False  # whether packets come of garbled bytes as well
    losses: DamagedIntervals = field(default_factory=DamagedIntervals)
    scrambled: DamagedIntervals = field(default_factory=DamagedIntervals)
    scrambled_bytes: int = 0
    rest: Finding = field(default_factory=lambda: Finding(0))  # behind the last packet
    torn: bool = False  # whether the last packet is incomplete
    stopped_at: int | None = None  # the byte after which no packet came, where all were looked at
    read_error: str | None = None  # why the file could not be read to its end
    _suspicions: PendingIntervals = field(init=False)
    _first: float = 0.0
    _latest: float = 0.0
    _count: int = 0
    _hole: DamagedIntervals | None = None  # what the latest hole counts as ...
    _near_hole: int = 0  # ... and the packets that may still be the first behind it

    def __post_init__(self) -> None:
        self._suspicions = PendingIntervals(self.losses)

    def add(
        self, packet: "Packet[VideoStream]", pts: int, *, before: Finding, is_garbled: bool = False
    ) -> None:
        """Look at the packet shown at `pts`, in front of which `before` was found."""
        start, end = pts * self.unit, (pts + max(packet.duration or 0, 0)) * self.unit
        self.torn = packet.is_corrupt
        self._suspicions.watch(start, is_key=packet.is_keyframe)
        if packet.is_corrupt and not packet.is_keyframe:
            self._suspicions.add(start, end=end)
        if is_garbled and not packet.is_corrupt:  # nor merely cut off with the file
            self.losses.add(start, end=end)
        self._look_for_hole(start, before)
        self._first, self._latest = (
            (start, start) if self._count == 0 else (self._first, max(self._latest, start))
        )
        self._count += 1

    def finish(self, rest: Finding) -> None:
        """Judge what only the end can tell; behind the last packet `rest` was found."""
        self.rest = rest
        self.scrambled_bytes += rest.scrambled
        self._suspicions.finish()

    def _look_for_hole(self, start: float, before: Finding) -> None:
        """Take bytes of no use for a hole if pictures are missing, or were made of them."""
        self.scrambled_bytes += before.scrambled
        self._near_hole -= 1
        if before.missing or before.scrambled:
            is_scrambled = before.scrambled > before.missing
            self._hole = self.scrambled if is_scrambled else self.losses
            self._near_hole = _HOLE_PACKETS
        if self._hole is not None and self._near_hole > 0 and self._count > 1:
            usual = (self._latest - self._first) / (self._count - 1)
            missing = self.in_place and self._near_hole == _HOLE_PACKETS
            if missing or start - self._latest > _HOLE_STEPS * usual:
                self._hole.add(self._latest, end=start)


@dataclass(slots=True)
class DecodingDamage(PacketObserver):
    """What could not be decoded in the part of a film that was gone through."""

    _losses: DamagedIntervals = field(default_factory=DamagedIntervals)
    _suspicions: PendingIntervals | None = None  # where the container's films are cut anywhere
    _clock: Clock = field(default_factory=lambda: Clock(Fraction(0), Fraction(1)))
    _reached: float = 0.0
    _seen_key: bool = False
    _read_error: str | None = None

    def begin(self, source: Source, *, clock: Clock) -> None:
        """Start (again) to decode `source`, whose times are those of `clock`."""
        self._losses = DamagedIntervals()
        broadcast = source.container_name in BROADCAST_CONTAINERS
        self._suspicions = PendingIntervals(self._losses) if broadcast else None
        self._clock = clock
        self._seen_key, self._read_error, self._reached = False, None, 0.0

    def watch(self, packet: "Packet[VideoStream]") -> None:
        """Take note of a packet about to be decoded."""
        self._seen_key = self._seen_key or packet.is_keyframe
        start, _ = self._shown(packet)
        if start is not None:
            self._reached = max(self._reached, start)
            if self._suspicions is not None:
                self._suspicions.watch(start, is_key=packet.is_keyframe)

    def lose(self, broken: "Packet[VideoStream] | VideoFrame") -> None:
        """Note that nothing, or only rubbish, came of a packet or frame.

        Before the first key frame that is no damage: a film cut out of another refers there to what
        it does not hold.
        """
        start, end = self._shown(broken)
        if start is None or not self._seen_key:
            return
        (self._suspicions or self._losses).add(start, end=end)

    def end_with(self, error: Exception) -> None:
        """Note what kept the file from being read any further."""
        if is_read_error(error):
            self._read_error = reason(error)

    def finish(self) -> None:
        """Judge what only the end can tell."""
        if self._suspicions is not None:
            self._suspicions.finish()

    @property
    def sentence(self) -> str | None:
        """All of it in one short sentence; None where nothing is wrong."""
        lost = self._losses.sentence("cannot be decoded")
        if self._read_error is None:
            return lost
        unread = f"cannot be read beyond {clock_time(self._reached)}: {self._read_error}"
        return f"{lost}; {unread}" if lost else unread

    def _shown(self, thing: "Packet[VideoStream] | VideoFrame") -> tuple[float | None, float]:
        stamp = thing.dts if thing.pts is None else thing.pts
        if stamp is None:
            return None, 0.0
        start = self._clock.seconds(stamp)
        return start, start + float(max(thing.duration or 0, 0) * self._clock.unit)
