"""Integrity checks by container: bytes of a file that are garbled, scrambled or cut off.

FFmpeg's demuxers of these containers skip damaged parts without an error.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from media.container.findings import Finding, Findings, find_next, missing_until, useful_end
from media.container.fixed_size_blocks import BlockFormat, check_blocks
from media.container.mpeg_streams import check_program_stream, check_transport_stream
from media.container.source import Source

_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_PACKET = b"\x82\0\0"  # start of nearly all packets; if the first has another, none is checked
_DV_SEQUENCE = BlockFormat(12_000, b"\x1f")  # bytes: the tenth or twelfth part of a frame
# Void, checksum, seek head, cues, tags, chapters, attachments, tracks: what may follow a block.
_MATROSKA_ELEMENTS = tuple(
    bytes.fromhex(text)
    for text in ["EC", "BF", "114D9B74", "1C53BB6B", "1254C367", "1043A770", "1941A469", "1654AE6B"]
)
_SUB_BLOCKS = 1 << 22  # of one picture that are read at most
_KLV_KEY = b"\x06\x0e\x2b\x34"
_OGG_PAGE = b"OggS"
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # each byte's bits reversed
_BROKEN_PAGES = 10_000  # read at most, as their lengths may be wrong
_ELEMENTS = 1000  # between two packets that are read at most
_LOST_PAGES = 1 << 16  # bytes that count as missing for lost pages: the size of the largest page


@contextmanager
def check_integrity(source: Source) -> Iterator[Findings]:
    """Check the file of `source`; no findings for containers without a check."""
    name = source.container_name
    with source.path.open("rb") as file:
        if name == "mpegts":
            yield Findings(check_transport_stream(file, source.stream.id))
        elif name in _CHECKS:
            yield Findings(_CHECKS[name](file))
        elif name in _BETWEEN_PACKETS:
            yield Findings(unexplained=partial(_unexplained, file, *_BETWEEN_PACKETS[name]))
        else:
            yield Findings()


def _unexplained(
    file: BinaryIO, head: int, size_of: Callable[[bytes], int], start: int, end: int
) -> int:
    """Count the bytes of [start, end) that are left behind elements allowed between two packets.

    `size_of` reads an element's size from its first bytes. FFmpeg's position of a packet is that of
    its header, of `head` bytes, which its size does not count.
    """
    start += head
    for _ in range(_ELEMENTS):
        file.seek(start)
        size = size_of(file.read(16)) if start < end else 0
        if size <= 0:
            break
        start += size
    return max(0, end - start)


def _no_element(_: bytes) -> int:
    return 0


def _matroska_element(head: bytes) -> int:
    """Size in bytes of a Matroska element that may lie between clusters (RFC 9559, 4.5)."""
    for identifier in _MATROSKA_ELEMENTS:
        if head.startswith(identifier):
            rest = head[len(identifier) :]
            length = 9 - int.from_bytes(rest[:1], "big").bit_length()
            size = int.from_bytes(rest[:length], "big") & (1 << 7 * length) - 1
            return len(identifier) + length + size if length < 9 else 0
    return 0


def _riff_element(head: bytes) -> int:
    """Size in bytes of an AVI chunk without frames, or of the header of a list of chunks."""
    if head[:1] == b"\0" and head[1:2] != b"\0":  # padding to an even size
        return 1
    if head[:4] in (b"LIST", b"RIFF"):
        return 12
    no_frame = head[:4] in (b"JUNK", b"idx1") or head[:2] == b"ix" or head[2:4] in (b"ix", b"tx")
    return 8 + int.from_bytes(head[4:8], "little") if no_frame else 0


def _check_ogg(file: BinaryIO) -> Iterator[Finding]:
    """Find bytes in no page, pages with a wrong checksum, and lost pages (RFC 3533, 6)."""
    offset, end, numbers, broken = 0, file.seek(0, 2), dict[bytes, int](), 0
    while offset < end:
        file.seek(offset)
        page = file.read(27)
        if not page.startswith(_OGG_PAGE):
            following = find_next(file, _OGG_PAGE, offset)
            yield missing_until(file, offset, following)
            offset = end if following is None else following
            continue
        lengths = file.read(page[-1])
        length = len(page) + len(lengths) + sum(lengths)
        if len(page) < 27 or offset + length > end:
            yield Finding(offset, cut=True)
            return
        if not _is_whole(page + lengths + file.read(sum(lengths))):
            yield Finding(offset, missing=length)
            offset += len(_OGG_PAGE)  # its length may be wrong as well
            broken += 1
            if broken > _BROKEN_PAGES:
                return
            continue
        stream, number = page[14:18], int.from_bytes(page[18:22], "little")
        in_order = numbers.get(stream, number - 1) + 1 == number
        numbers[stream] = number
        yield Finding(offset, missing=0 if in_order else _LOST_PAGES)
        offset += length


def _is_whole(page: bytes) -> bool:
    """Whether an Ogg page fits its checksum: zlib's CRC-32 with other bit order and start value."""
    bare = page[:22] + bytes(4) + page[26:]
    check = ~zlib.crc32(bare.translate(_MIRRORED), 0xFFFFFFFF) & 0xFFFFFFFF
    return check.to_bytes(4, "big").translate(_MIRRORED) == page[22:26]


@dataclass(frozen=True, slots=True)
class AsfData:
    """Data object of an ASF file: packets of `size` bytes in [start, end), or without known end."""

    start: int
    end: int | None
    size: int


def asf_data(file: BinaryIO) -> AsfData | None:
    """Find the data object (Advanced Systems Format, 3.2 and 5.1); None for another header."""
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


def _check_asf(file: BinaryIO) -> Iterator[Finding]:
    """Find bytes in no data packet (Advanced Systems Format, 5.2)."""
    data = asf_data(file)
    if data is None or not 1 < data.size <= 1 << 20 or file.read(3) != _ASF_PACKET:
        return iter(())
    whole = file.seek(0, 2)
    end = whole if data.end is None else min(whole, data.end)
    return check_blocks(file, BlockFormat(data.size, _ASF_PACKET, start=data.start), end=end)


def _check_mxf(file: BinaryIO) -> Iterator[Finding]:
    """Find bytes in no triplet of key, length and value (SMPTE ST 377-1, 6.3)."""
    end = file.seek(0, 2)
    offset = find_next(file, _KLV_KEY, 0)
    while offset is not None and offset < end:
        file.seek(offset)
        head = file.read(25)
        if head.startswith(_KLV_KEY) and len(head) > 16:
            long = head[16] & 0x7F if head[16] & 0x80 else 0
            length = int.from_bytes(head[17 : 17 + long], "big") if long else head[16]
            yield Finding(offset)
            offset += 17 + min(long, 8) + length
        else:
            following = find_next(file, _KLV_KEY, offset)
            yield missing_until(file, offset, following)
            offset = following


def _check_gif(file: BinaryIO) -> Iterator[Finding]:
    """Find bytes where a block should begin; the trailer ends the check (GIF89a, 15 to 27)."""
    offset = 0
    head = file.read(13)
    file.read(_colours(head[10:11]))
    while True:
        offset = file.tell()
        label = file.read(1)
        if label == b"\x3b":
            return
        if label == b"\x2c":
            file.read(_colours(file.read(9)[8:9]) + 1)
        elif label == b"\x21":
            file.read(1)
        elif label:
            yield missing_until(file, offset, None)
            return
        for _ in range(_SUB_BLOCKS):
            length = file.read(1)
            if length in (b"", b"\0"):
                break
            file.read(length[0])
        if not length:
            yield Finding(offset, cut=bool(label))
            return
        yield Finding(offset)


def _colours(flags: bytes) -> int:
    """Size in bytes of a colour table; the highest bit of its `flags` is set if there is one."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _check_dv(file: BinaryIO) -> Iterator[Finding]:
    """Find bytes in no sequence of DIF blocks (IEC 61834-2); each begins with a header block."""
    yield from check_blocks(file, _DV_SEQUENCE)
    end = file.seek(0, 2)
    last = end // _DV_SEQUENCE.size * _DV_SEQUENCE.size
    if useful_end(file, last) > last:
        yield Finding(last, cut=True)


# Size of a packet's header, and of elements between packets, in containers with nothing else there.
_BETWEEN_PACKETS: dict[str, tuple[int, Callable[[bytes], int]]] = {
    "avi": (0, _riff_element),
    "flv": (0, _no_element),
    "ivf": (0, _no_element),
    "matroska": (4, _matroska_element),
    "nut": (0, _no_element),
    "rm": (0, _no_element),
}
_CHECKS: dict[str, Callable[[BinaryIO], Iterator[Finding]]] = {
    "asf": _check_asf,
    "dv": _check_dv,
    "gif": _check_gif,
    "mpeg": check_program_stream,
    "mxf": _check_mxf,
    "ogg": _check_ogg,
}
