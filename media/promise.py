"""What a file promises in its header, against what it holds: was its end cut off?

Told only where two signs agree, the bytes and the time: headers of sound films are often wrong.
"""

import math
from pathlib import Path
from typing import BinaryIO

import av

from media.source import BROADCAST_CONTAINERS, Source

_NOTABLE = 1.0  # seconds by which a header may be wrong about the end
_BOXES = 100_000  # looked at, at most: a fragmented film has two for some seconds
_EBML_HEADER, _EBML_SEGMENT = 0x1A45DFA3, 0x18538067


def promised_duration(source: Source, *, has: float, torn: bool) -> float | None:
    """Seconds that the film should last, where the file is cut off and holds only `has`.

    `torn`: its last packet was incomplete. None where nothing seems to be missing.
    """
    name = source.container_name
    size = source.path.stat().st_size
    cut = torn and name not in BROADCAST_CONTAINERS  # those end anywhere
    if name == "mov":
        cut = cut or max(_index_reaches(source), _boxes_reach(source.path)) > size
    elif name == "matroska":
        cut = cut or _matroska_reaches(source.path) > size
    elif name == "avi":
        cut = cut or _riff_reaches(source.path) > size
    promised = _header_duration(source)
    return promised if cut and promised > has + _NOTABLE else None


def _header_duration(source: Source) -> float:
    stream = source.stream
    if stream.frames and stream.average_rate and source.container_name == "avi":
        return float(stream.frames / stream.average_rate)  # FFmpeg's duration is what it could find
    whole = (source.container.duration or 0) / av.time_base
    return min(whole, float((stream.duration or math.inf) * source.unit))


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
            if length < 8:
                return 0
            place += length
    return place


def _riff_reaches(path: Path) -> int:
    """The byte at which the first RIFF chunk ends; later ones hold what does not fit into it."""
    with path.open("rb") as file:
        head = file.read(8)
    return 8 + int.from_bytes(head[4:], "little") if head[:4] == b"RIFF" else 0


def _matroska_reaches(path: Path) -> int:
    """The byte at which the segment ends; 0 where it does not say, as in live recordings."""
    with path.open("rb") as file:
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
