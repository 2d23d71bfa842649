"""Damage that packets show without being decoded."""

from dataclasses import dataclass, field

from av.packet import Packet
from av.video.stream import VideoStream

from media.container.clock import duration_of
from media.container.findings import Finding
from media.damage.intervals import DamagedIntervals, PendingIntervals

_PACKETS_AFTER_GAP = 4  # among which time leaps: FFmpeg holds back some from before the gap
_GAP_STEPS = 2  # usual steps between frames, more than which a gap takes


@dataclass(slots=True)
class PacketDamage:
    """Damage of a stream's packets, in seconds of their timestamps, gathered as they are read."""

    unit: float  # of timestamps, in seconds
    in_place: bool = False  # whether garbled bytes yield packets as well, as in DV
    damaged: DamagedIntervals = field(default_factory=DamagedIntervals)
    scrambled: DamagedIntervals = field(default_factory=DamagedIntervals)
    scrambled_bytes: int = 0
    rest: Finding = field(default_factory=lambda: Finding(0))  # behind the last packet
    torn: bool = False  # whether the last packet is incomplete
    stopped_at: int | None = None  # byte behind the last packet, if nothing else should follow it
    read_error: str | None = None  # why the file could not be read to its end
    _pending: PendingIntervals = field(init=False)
    _first: float = 0.0
    _latest: float = 0.0
    _count: int = 0
    _gap: DamagedIntervals | None = None  # what the latest gap counts as ...
    _near_gap: int = 0  # ... and packets that may still be the first behind it

    def __post_init__(self) -> None:
        self._pending = PendingIntervals(self.damaged)

    def add(
        self, packet: "Packet[VideoStream]", pts: int, *, before: Finding, is_garbled: bool = False
    ) -> None:
        """Judge the packet displayed at `pts`, in front of which `before` was found."""
        start, end = pts * self.unit, (pts + duration_of(packet)) * self.unit
        self.torn = packet.is_corrupt
        self._pending.watch(start, is_key=packet.is_keyframe)
        if packet.is_corrupt and not packet.is_keyframe:
            self._pending.add(start, end=end)
        if is_garbled and not packet.is_corrupt:  # a corrupt one may merely be cut off
            self.damaged.add(start, end=end)
        self._judge_gap(start, before)
        self._first, self._latest = (
            (start, start) if self._count == 0 else (self._first, max(self._latest, start))
        )
        self._count += 1

    def finish(self, rest: Finding) -> None:
        """Judge what is pending at the end; `rest` was found behind the last packet."""
        self.rest = rest
        self.scrambled_bytes += rest.scrambled
        self._pending.finish()

    def _judge_gap(self, start: float, before: Finding) -> None:
        """Count useless bytes as damage if frames are missing there, or were made of them."""
        self.scrambled_bytes += before.scrambled
        self._near_gap -= 1
        if before.missing or before.scrambled:
            is_scrambled = before.scrambled > before.missing
            self._gap = self.scrambled if is_scrambled else self.damaged
            self._near_gap = _PACKETS_AFTER_GAP
        if self._gap is not None and self._near_gap > 0 and self._count > 1:
            usual = (self._latest - self._first) / (self._count - 1)
            made_of_them = self.in_place and self._near_gap == _PACKETS_AFTER_GAP
            if made_of_them or start - self._latest > _GAP_STEPS * usual:
                self._gap.add(self._latest, end=start)
