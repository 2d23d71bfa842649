"""All packets of a film in 13 bytes each: when they are shown and what depends on them."""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from media.container.source import BARE_STREAMS, Source
from media.packets.references import SUBLAYER_SHIFT, Classify, PacketFlag, classifier, head

_MAXIMUM = 1 << 22  # packets: 38 hours at 30 frames per second, 55 MB
_PROGRESSIVE = frozenset({0, 1})  # FFmpeg's field orders: not known, and not made of fields
# Where presentation times are guessed when packets are read, they say nothing beforehand.
GUESSING_CONTAINERS = BARE_STREAMS | {"asf", "avi", "nsv", "nuv", "rm", "viv"}


@dataclass(frozen=True, slots=True, eq=False)
class PacketTable:
    """A film's packets in the order in which they are stored, which is that of decoding.

    `pts` (N,) int64 are the presentation time stamps, as the time line puts them right, in `unit`
    seconds; `flags` (N,) uint8 are `PacketFlag` bits; `sizes` (N,) uint32 bytes. `references` is
    whether the stream tells what depends on what: else only the container's key frames are known.
    """

    pts: NDArray[np.int64]
    flags: NDArray[np.uint8]
    sizes: NDArray[np.uint32]
    unit: Fraction
    references: bool

    def __len__(self) -> int:
        return len(self.pts)

    def has(self, flag: PacketFlag) -> NDArray[np.bool_]:
        """(N,) which packets bear the flag."""
        marked: NDArray[np.bool_] = (self.flags & np.uint8(flag)) != 0
        return marked


@dataclass(slots=True)
class PacketTableBuilder:
    """Gathers a `PacketTable` while packets pass."""

    _unit: Fraction
    _classify: Classify | None
    _complete: bool = True  # whether every packet so far said when it is shown
    _pts: "array[int]" = field(default_factory=lambda: array("q"))
    _flags: "array[int]" = field(default_factory=lambda: array("B"))
    _sizes: "array[int]" = field(default_factory=lambda: array("I"))

    @classmethod
    def of(cls, source: Source) -> "PacketTableBuilder":
        """Notes on the stream that was chosen from `source`."""
        context = source.stream.codec_context
        # Of pictures that are stored in two packets, one for each field, half a one would be had.
        whole = int(context.field_order) in _PROGRESSIVE
        return cls(
            source.unit,
            classifier(context) if whole else None,
            _complete=source.container_name not in GUESSING_CONTAINERS,
        )

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Note the next packet, whose stamps were put right."""
        if not self._complete or packet.size == 0:
            return
        if packet.pts is None or len(self._pts) >= _MAXIMUM:
            self._complete = False
            return
        flags = PacketFlag.UNKNOWN.value
        if self._classify is not None:
            flags = int(self._classify(head(memoryview(packet))))
        if packet.is_keyframe:
            flags |= PacketFlag.KEY.value
        if packet.is_discard:
            flags |= PacketFlag.HIDDEN.value
        self._pts.append(packet.pts)
        self._flags.append(flags)
        self._sizes.append(packet.size)

    def table(self) -> PacketTable | None:
        """What was noted; None where the stamps of the packets say too little."""
        if not self._complete or not self._pts:
            return None
        flags = np.frombuffer(self._flags, np.uint8)
        unknown = self._classify is None or bool((flags & PacketFlag.UNKNOWN).any())
        return PacketTable(
            pts=np.frombuffer(self._pts, np.int64),
            flags=flags if unknown else _without_lower_sublayers(flags),
            sizes=np.frombuffer(self._sizes, np.uint32),
            unit=self._unit,
            references=not unknown,
        )


def _without_lower_sublayers(flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`flags`, where what a higher temporal sub-layer may refer to is no longer DISPOSABLE."""
    layers = flags >> SUBLAYER_SHIFT
    lower = layers < layers.max()
    return np.where(lower, flags & ~np.uint8(PacketFlag.DISPOSABLE), flags).astype(np.uint8)
