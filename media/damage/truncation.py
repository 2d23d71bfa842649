"""Truncation: declared against actual size and duration of a file.

Reported only if size and duration agree: headers of sound files are often wrong in one of them.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import av

from media.container.clock import Clock
from media.container.integrity import asf_data
from media.container.source import BROADCAST_CONTAINERS, Source

_TOLERANCE = 1.0  # seconds by which the declared end may be wrong
_BOXES = 100_000  # read at most: a fragmented file has two for every few seconds
_CHUNKS = 64  # of a RealMedia file that are read at most
_EBML_HEADER, _EBML_SEGMENT = 0x1A45DFA3, 0x18538067


def declared_end(
    source: Source, clock: Clock, *, has: float, torn: bool, cut: bool
) -> float | None:
    """Declared end of a truncated file, in seconds on `clock`; None if it is not truncated.

    `has` is the actual end in seconds. `torn`: the last packet is incomplete. `cut`: the file
    certainly ends in the middle of a unit. Infinite if the header declares no end.
    """
    name = source.container_name
    if name in BROADCAST_CONTAINERS:
        return None  # they may end anywhere
    size_of = _DECLARED_SIZES.get(name, _no_size)
    truncated = cut or torn or size_of(source) > source.path.stat().st_size
    end = _header_end(source, float(clock.zero))
    if truncated and end > has + _TOLERANCE:
        return end
    declared = end > 0 and not (name == "mov" and source.stream.frames == 0)  # not in fragments
    return math.inf if cut or (truncated and not declared) else None


def _header_end(source: Source, zero: float) -> float:
    """Declared end of the frames or of the file, in seconds after the timestamp `zero`."""
    stream = source.stream
    if stream.frames and stream.average_rate and source.container_name == "avi":
        # FFmpeg's duration counts only the frames that it found.
        return float(stream.frames / stream.average_rate)
    whole = (source.container.duration or 0) / av.time_base
    if source.container_name == "matroska":  # its duration counts from timestamp 0
        whole -= zero
    if not stream.duration:
        return whole
    return min(whole, float(((stream.start_time or 0) + stream.duration) * source.unit) - zero)


def _no_size(_: Source) -> int:
    return 0


def _mov_size(source: Source) -> int:
    return max(_index_end(source), _boxes_end(source.path))


def _index_end(source: Source) -> int:
    """Byte at which the last frame ends, according to the sample table (ISO/IEC 14496-12, 8.7)."""
    entries = source.stream.index_entries
    if len(entries) == 0:
        return 0
    last = entries[len(entries) - 1]
    return last.pos + last.size


def _boxes_end(path: Path) -> int:
    """Byte at which the last outermost box ends (ISO/IEC 14496-12, 4.2); 0 if not declared."""
    offset = 0
    with path.open("rb") as file:
        for _ in range(_BOXES):
            file.seek(offset)
            head = file.read(16)
            if len(head) < 8:
                break
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # a length of 8 bytes follows the type
                length = int.from_bytes(head[8:], "big")
            if length < 8 or not head[4:8].isascii():
                return 0
            offset += length
    return offset


def _riff_size(source: Source) -> int:
    """Byte at which the first RIFF chunk ends; later chunks hold what does not fit into it."""
    with source.path.open("rb") as file:
        head = file.read(8)
    return 8 + int.from_bytes(head[4:], "little") if head[:4] == b"RIFF" else 0


def _matroska_size(source: Source) -> int:
    """Byte at which the segment ends (RFC 8794, 6.2); 0 if unknown, as in live recordings."""
    with source.path.open("rb") as file:
        identifier, size = _ebml_number(file, keep_marker=True), _ebml_number(file)
        if identifier != _EBML_HEADER or size is None:
            return 0
        file.seek(size, 1)
        identifier, size = _ebml_number(file, keep_marker=True), _ebml_number(file)
        return file.tell() + size if identifier == _EBML_SEGMENT and size is not None else 0


def _ebml_number(file: BinaryIO, *, keep_marker: bool = False) -> int | None:
    """Read EBML's integer of 1 to 8 bytes (RFC 8794, 4); None for the reserved value "unknown"."""
    first = file.read(1)
    if not first or first == b"\0":
        return None
    length = 9 - first[0].bit_length()
    number = int.from_bytes(first + file.read(length - 1), "big")
    if keep_marker:
        return number
    value = number - (1 << 7 * length)
    return None if value == (1 << 7 * length) - 1 else value


def _asf_size(source: Source) -> int:
    """Byte at which the data object ends; 0 if not declared, as in live recordings."""
    with source.path.open("rb") as file:
        data = asf_data(file)
    return 0 if data is None else data.end or 0


def _real_media_size(source: Source) -> int:
    """Byte at which the last chunk of a RealMedia file ends that can be reached."""
    offset = 0
    with source.path.open("rb") as file:
        for _ in range(_CHUNKS):
            file.seek(offset)
            head = file.read(8)
            length = int.from_bytes(head[4:], "big")
            if len(head) < 8 or length < 8:
                break
            offset += length
    return offset


def _mxf_size(source: Source) -> int:
    """Byte at which the footer partition begins (SMPTE ST 377-1, 7.1); 0 if not declared."""
    with source.path.open("rb") as file:
        head = file.read(128)
    length_bytes = 1 + (head[16] & 0x7F if head[16] & 0x80 else 0)
    return int.from_bytes(head[16 + length_bytes + 24 :][:8], "big")


_DECLARED_SIZES: dict[str, Callable[[Source], int]] = {
    "asf": _asf_size,
    "avi": _riff_size,
    "matroska": _matroska_size,
    "mov": _mov_size,
    "mxf": _mxf_size,
    "rm": _real_media_size,
}
