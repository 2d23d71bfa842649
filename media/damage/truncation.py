"""What a file promises in its header, against what it holds: was its end cut off?

Told only where two signs agree, the bytes and the time: headers of sound films are often wrong.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import av

from media.container.clock import Clock
from media.container.integrity import asf_data
from media.container.source import BROADCAST_CONTAINERS, Source

_NOTABLE = 1.0  # seconds by which a header may be wrong about the end
_BOXES = 100_000  # looked at, at most: a fragmented film has two for some seconds
_CHUNKS = 64  # of a RealMedia file that are looked at, at most
_EBML_HEADER, _EBML_SEGMENT = 0x1A45DFA3, 0x18538067


def declared_end(
    source: Source, clock: Clock, *, has: float, torn: bool, cut: bool
) -> float | None:
    """The time on `clock` at which pictures should end, where the file is cut off at `has`.

    `torn`: its last packet was incomplete. `cut`: the file ends in the middle of a part, without a
    doubt. None where nothing seems to be missing, infinite where the header does not tell.
    """
    name = source.container_name
    if name in BROADCAST_CONTAINERS:
        return None  # those end anywhere
    reaches = _REACHES.get(name)
    cut_off = cut or torn or (reaches or _no_end)(source) > source.path.stat().st_size
    promised = _header_end(source, float(clock.zero))
    if cut_off and promised > has + _NOTABLE:
        return promised
    told = promised > 0 and not (name == "mov" and source.stream.frames == 0)  # not in fragments
    return math.inf if cut or (cut_off and not told) else None


def _header_end(source: Source, zero: float) -> float:
    """Seconds from the time stamp `zero`, in seconds, to the end of the pictures or of the file."""
    stream = source.stream
    if stream.frames and stream.average_rate and source.container_name == "avi":
        return float(stream.frames / stream.average_rate)  # FFmpeg's duration is what it could find
    whole = (source.container.duration or 0) / av.time_base
    if source.container_name == "matroska":  # which counts from stamp 0, wherever the file begins
        whole -= zero
    if not stream.duration:
        return whole
    return min(whole, float(((stream.start_time or 0) + stream.duration) * source.unit) - zero)


def _no_end(_: Source) -> int:
    return 0


def _movie_reaches(source: Source) -> int:
    return max(_index_reaches(source), _boxes_reach(source.path))


def _index_reaches(source: Source) -> int:
    """The byte at which the last picture ends, according to the sample table."""
    entries = source.stream.index_entries
    if len(entries) == 0:
        return 0
    last = entries[len(entries) - 1]
    return last.pos + last.size


def _boxes_reach(path: Path) -> int:
    """The byte at which the last of an MP4 file's outermost boxes ends; 0 where it does not say."""
    place = 0
    with path.open("rb") as file:
        for _ in range(_BOXES):
            file.seek(place)
            head = file.read(16)
            if len(head) < 8:
                break
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # the length is a long one, behind the name
                length = int.from_bytes(head[8:], "big")
            if length < 8 or not head[4:8].isascii():
                return 0
            place += length
    return place


def _riff_reaches(source: Source) -> int:
    """The byte at which the first RIFF chunk ends; later ones hold what does not fit into it."""
    with source.path.open("rb") as file:
        head = file.read(8)
    return 8 + int.from_bytes(head[4:], "little") if head[:4] == b"RIFF" else 0


def _matroska_reaches(source: Source) -> int:
    """The byte at which the segment ends; 0 where it does not say, as in live recordings."""
    with source.path.open("rb") as file:
        identifier, size = _ebml_number(file, keep_marker=True), _ebml_number(file)
        if identifier != _EBML_HEADER or size is None:
            return 0
        file.seek(size, 1)
        identifier, size = _ebml_number(file, keep_marker=True), _ebml_number(file)
        return file.tell() + size if identifier == _EBML_SEGMENT and size is not None else 0


def _ebml_number(file: BinaryIO, *, keep_marker: bool = False) -> int | None:
    """EBML's integer of 1 to 8 bytes, whose leading zero bits count them; None for unknown."""
    first = file.read(1)
    if not first or first == b"\0":
        return None
    length = 9 - first[0].bit_length()
    number = int.from_bytes(first + file.read(length - 1), "big")
    if keep_marker:
        return number
    value = number - (1 << 7 * length)
    return None if value == (1 << 7 * length) - 1 else value


def _asf_reaches(source: Source) -> int:
    """The byte at which the data object ends; 0 where it does not say, as in live recordings."""
    with source.path.open("rb") as file:
        data = asf_data(file)
    return 0 if data is None else data.end or 0


def _real_reaches(source: Source) -> int:
    """The byte at which the last of a RealMedia file's chunks ends that can be reached."""
    place = 0
    with source.path.open("rb") as file:
        for _ in range(_CHUNKS):
            file.seek(place)
            head = file.read(8)
            length = int.from_bytes(head[4:], "big")
            if len(head) < 8 or length < 8:
                break
            place += length
    return place


def _mxf_reaches(source: Source) -> int:
    """The byte at which the footer partition begins (SMPTE ST 377-1, 7.1); 0 if it is not told."""
    with source.path.open("rb") as file:
        head = file.read(128)
    length_bytes = 1 + (head[16] & 0x7F if head[16] & 0x80 else 0)
    return int.from_bytes(head[16 + length_bytes + 24 :][:8], "big")


_REACHES: dict[str, Callable[[Source], int]] = {
    "asf": _asf_reaches,
    "avi": _riff_reaches,
    "matroska": _matroska_reaches,
    "mov": _movie_reaches,
    "mxf": _mxf_reaches,
    "rm": _real_reaches,
}
