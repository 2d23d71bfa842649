"""Walks through the bytes of files, by container: what is garbled, scrambled or cut off.

FFmpeg's readers of these containers pass over damaged parts without a word.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from media.container.findings import Finding, Findings, find_next, lost_until, useful_end
from media.container.fixed_size_blocks import BlockFormat, check_blocks
from media.container.mpeg_streams import check_program_stream, check_transport_stream
from media.container.source import Source

_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_PACKET = b"\x82\0\0"  # nearly all begin like that; where the first does not, none is looked at
_DV_SEQUENCE = BlockFormat(12_000, b"\x1f")  # bytes: the tenth or twelfth part of a frame
# Void, check sum, seek head, cues, tags, chapters, attachments, tracks; what follows a block.
_EBML_PARTS = tuple(
    bytes.fromhex(text)
    for text in ["EC", "BF", "114D9B74", "1C53BB6B", "1254C367", "1043A770", "1941A469", "1654AE6B"]
)
_SUB_BLOCKS = 1 << 22  # of one picture that are looked at, at most
_KLV_KEY = b"\x06\x0e\x2b\x34"
_OGG_PAGE = b"OggS"
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # each byte's bits reversed
_BROKEN_PAGES = 10_000  # looked at, at most, as their lengths may lie
_PARTS = 1000  # between two packets that are looked at, at most
_PAGES_LOST = 1 << 16  # bytes that are missing where pages are: as many as the largest page takes


@contextmanager
def check_integrity(source: Source) -> Iterator[Findings]:
    """What a walk through the file of `source` finds; nothing, where none is made."""
    name = source.container_name
    with source.path.open("rb") as file:
        if name == "mpegts":
            yield Findings(check_transport_stream(file, source.stream.id))
        elif name in _WALKS:
            yield Findings(_WALKS[name](file))
        elif name in _PART_SIZES:
            yield Findings(unexplained=partial(_unexplained, file, *_PART_SIZES[name]))
        else:
            yield Findings()


def _unexplained(
    file: BinaryIO, head: int, size_of: Callable[[bytes], int], start: int, end: int
) -> int:
    """The bytes of [start, end) that are left behind parts whose sizes their heads tell.

    Where FFmpeg says that a packet begins, a `head` of so many bytes begins, which belongs to it.
    """
    start += head
    for _ in range(_PARTS):
        file.seek(start)
        size = size_of(file.read(16)) if start < end else 0
        if size <= 0:
            break
        start += size
    return max(0, end - start)


def _no_part(_: bytes) -> int:
    return 0


def _ebml_part(head: bytes) -> int:
    """The size of a Matroska element that may lie between clusters (RFC 9559, 4.5)."""
    for identifier in _EBML_PARTS:
        if head.startswith(identifier):
            rest = head[len(identifier) :]
            length = 9 - int.from_bytes(rest[:1], "big").bit_length()
            size = int.from_bytes(rest[:length], "big") & (1 << 7 * length) - 1
            return len(identifier) + length + size if length < 9 else 0
    return 0


def _riff_part(head: bytes) -> int:
    """The size of an AVI chunk without pictures, or of the head of a list of chunks."""
    if head[:1] == b"\0" and head[1:2] != b"\0":  # a byte that makes sizes even
        return 1
    if head[:4] in (b"LIST", b"RIFF"):
        return 12
    is_part = head[:4] in (b"JUNK", b"idx1") or head[:2] == b"ix" or head[2:4] in (b"ix", b"tx")
    return 8 + int.from_bytes(head[4:8], "little") if is_part else 0


def _walk_ogg(file: BinaryIO) -> Iterator[Finding]:
    """What is no page, fails its check sum, or lacks pages in front of it (RFC 3533, 6)."""
    place, end, numbers, broken = 0, file.seek(0, 2), dict[bytes, int](), 0
    while place < end:
        file.seek(place)
        page = file.read(27)
        if not page.startswith(_OGG_PAGE):
            following = find_next(file, _OGG_PAGE, place)
            yield lost_until(file, place, following)
            place = end if following is None else following
            continue
        lengths = file.read(page[-1])
        length = len(page) + len(lengths) + sum(lengths)
        if len(page) < 27 or place + length > end:
            yield Finding(place, cut=True)
            return
        if not _is_whole(page + lengths + file.read(sum(lengths))):
            yield Finding(place, missing=length)
            place += len(_OGG_PAGE)  # its length may be wrong, too
            broken += 1
            if broken > _BROKEN_PAGES:
                return
            continue
        stream, number = page[14:18], int.from_bytes(page[18:22], "little")
        in_order = numbers.get(stream, number - 1) + 1 == number
        numbers[stream] = number
        yield Finding(place, missing=0 if in_order else _PAGES_LOST)
        place += length


def _is_whole(page: bytes) -> bool:
    """Whether an Ogg page fits its check sum: zlib's, but for the order of bits and the start."""
    bare = page[:22] + bytes(4) + page[26:]
    check = ~zlib.crc32(bare.translate(_MIRRORED), 0xFFFFFFFF) & 0xFFFFFFFF
    return check.to_bytes(4, "big").translate(_MIRRORED) == page[22:26]


@dataclass(frozen=True, slots=True)
class AsfData:
    """The data object of an ASF file: packets of `size` bytes, if told, in [start, end)."""

    start: int
    end: int | None
    size: int


def asf_data(file: BinaryIO) -> AsfData | None:
    """Where the packets lie (Advanced Systems Format, 3.2 and 5.1); None if that is not told."""
    file.seek(0)
    head = file.read(24)
    header = head + file.read(min(int.from_bytes(head[16:24], "little"), 1 << 24) - len(head))
    data, properties = file.read(50), header.find(_ASF_PROPERTIES)
    if properties < 0 or not data.startswith(_ASF_DATA):
        return None
    length = int.from_bytes(data[16:24], "little")
    size = int.from_bytes(header[properties + 92 :][:4], "little")
    known = length > len(data) and not header[properties + 88] & 1
    return AsfData(len(header) + len(data), len(header) + length if known else None, size)


def _walk_asf(file: BinaryIO) -> Iterator[Finding]:
    """What is no data packet (Advanced Systems Format, 5.2)."""
    data = asf_data(file)
    if data is None or not 1 < data.size <= 1 << 20 or file.read(3) != _ASF_PACKET:
        return iter(())
    whole = file.seek(0, 2)
    end = whole if data.end is None else min(whole, data.end)
    return check_blocks(file, BlockFormat(data.size, _ASF_PACKET, start=data.start), end=end)


def _walk_mxf(file: BinaryIO) -> Iterator[Finding]:
    """What is no triplet of key, length and value (SMPTE ST 377-1, 6.3)."""
    end = file.seek(0, 2)
    place = find_next(file, _KLV_KEY, 0)
    while place is not None and place < end:
        file.seek(place)
        head = file.read(25)
        if head.startswith(_KLV_KEY) and len(head) > 16:
            long = head[16] & 0x7F if head[16] & 0x80 else 0
            length = int.from_bytes(head[17 : 17 + long], "big") if long else head[16]
            yield Finding(place)
            place += 17 + min(long, 8) + length
        else:
            following = find_next(file, _KLV_KEY, place)
            yield lost_until(file, place, following)
            place = following


def _walk_gif(file: BinaryIO) -> Iterator[Finding]:
    """What follows where a block should; nothing behind the trailer (GIF89a, 15 to 27)."""
    place = 0
    head = file.read(13)
    file.read(_colours(head[10:11]))
    while True:
        place = file.tell()
        label = file.read(1)
        if label == b"\x3b":
            return
        if label == b"\x2c":
            file.read(_colours(file.read(9)[8:9]) + 1)
        elif label == b"\x21":
            file.read(1)
        elif label:
            yield lost_until(file, place, None)
            return
        for _ in range(_SUB_BLOCKS):
            length = file.read(1)
            if length in (b"", b"\0"):
                break
            file.read(length[0])
        if not length:
            yield Finding(place, cut=bool(label))
            return
        yield Finding(place)


def _colours(flags: bytes) -> int:
    """The bytes of a colour table, of whose `flags` the highest says that there is one."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _walk_dv(file: BinaryIO) -> Iterator[Finding]:
    """What is no sequence of DIF blocks (IEC 61834-2); each begins with a header block."""
    yield from check_blocks(file, _DV_SEQUENCE)
    end = file.seek(0, 2)
    last = end // _DV_SEQUENCE.size * _DV_SEQUENCE.size
    if useful_end(file, last) > last:
        yield Finding(last, cut=True)


# The sizes of packets' heads, and of parts between packets, of containers without other room there.
_PART_SIZES: dict[str, tuple[int, Callable[[bytes], int]]] = {
    "avi": (0, _riff_part),
    "flv": (0, _no_part),
    "ivf": (0, _no_part),
    "matroska": (4, _ebml_part),
    "nut": (0, _no_part),
    "rm": (0, _no_part),
}
_WALKS: dict[str, Callable[[BinaryIO], Iterator[Finding]]] = {
    "asf": _walk_asf,
    "dv": _walk_dv,
    "gif": _walk_gif,
    "mpeg": check_program_stream,
    "mxf": _walk_mxf,
    "ogg": _walk_ogg,
}
