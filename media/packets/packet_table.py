"""Packet table: timestamp, flags and size of every packet of a video, in 13 bytes each."""

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
_PROGRESSIVE = frozenset({0, 1})  # FFmpeg's field orders: unknown, and progressive
# Containers without presentation times: FFmpeg guesses them while it reads packets.
GUESSING_CONTAINERS = BARE_STREAMS | {"asf", "avi", "nsv", "nuv", "rm", "viv"}


@dataclass(frozen=True, slots=True, eq=False)
class PacketTable:
    """The packets of a video in the order in which they are stored and decoded.

    `pts` (count,) int64: presentation timestamps as `Timeline` corrects them, in units of `unit`
    seconds. `flags` (count,) uint8: `PacketFlag` bits. `sizes` (count,) uint32: bytes. `references`
    is whether the stream tells which frames depend on which; if not, only the container's key
    frames are known. Raises `ValueError` for arrays of other shapes or types.
    """

    pts: NDArray[np.int64]
    flags: NDArray[np.uint8]
    sizes: NDArray[np.uint32]
    unit: Fraction
    references: bool

    def __post_init__(self) -> None:
        columns = (self.pts, np.int64), (self.flags, np.uint8), (self.sizes, np.uint32)
        if any(array.dtype != kind or array.shape != (len(self),) for array, kind in columns):
            found = [(str(array.dtype), array.shape) for array, _ in columns]
            raise ValueError(f"a packet table cannot be made of columns {found}")

    def __len__(self) -> int:
        return len(self.pts)

    def has(self, flag: PacketFlag) -> NDArray[np.bool_]:
        """(count,) bool: which packets have the flag."""
        marked: NDArray[np.bool_] = (self.flags & np.uint8(flag)) != 0
        return marked


@dataclass(slots=True)
class PacketTableBuilder:
    """Builder of a `PacketTable` from packets in the order in which they are read."""

    _unit: Fraction
    _classify: Classify | None
    _complete: bool = True  # whether every packet so far has a presentation timestamp
    _pts: "array[int]" = field(default_factory=lambda: array("q"))
    _flags: "array[int]" = field(default_factory=lambda: array("B"))
    _sizes: "array[int]" = field(default_factory=lambda: array("I"))

    @classmethod
    def of(cls, source: Source) -> "PacketTableBuilder":
        """Start a table of the stream that was chosen from `source`."""
        context = source.stream.codec_context
        # If the fields of a frame lie in two packets, a plan could decode half a frame.
        whole = int(context.field_order) in _PROGRESSIVE
        return cls(
            source.unit,
            classifier(context) if whole else None,
            _complete=source.container_name not in GUESSING_CONTAINERS,
        )

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Append the next packet, with corrected timestamps."""
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
        """The table; None if packets lack timestamps or are too many."""
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
    """Clear DISPOSABLE of packets to which a higher temporal sub-layer may refer.

    `flags` and the result are (count,) uint8.
    """
    layers = flags >> SUBLAYER_SHIFT
    lower = layers < layers.max()
    return np.where(lower, flags & ~np.uint8(PacketFlag.DISPOSABLE), flags).astype(np.uint8)
