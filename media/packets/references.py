"""References between frames, read from the first bytes of packets without decoding.

A container's own flags are not enough: its key frames may need frames from before them, and frames
on which nothing depends are mostly not marked. Only codecs are read whose streams mark both; of all
others the references are unknown.
"""

from collections.abc import Callable, Iterator
from enum import IntFlag
from functools import partial
from typing import TypeAlias

from av.codec.context import CodecContext

Classify: TypeAlias = Callable[[bytes], int]

_HEAD = 1 << 12  # bytes of a packet that are read: parameter sets and messages come first
SUBLAYER_SHIFT = 5  # bits of PacketFlag; the bits above hold the packet's temporal sub-layer
_ZEROS = bytes(64)  # no packet of these codecs begins with them:
_NEVER_ZEROS = frozenset(
    {"av1", "dnxhd", "h264", "hevc", "mjpeg", "mpeg4", "prores", "theora", "vp8", "vp9"}
)
_IN_UNITS = frozenset({"h264", "hevc"})
_START_CODE = b"\x00\x00\x01"


class PacketFlag(IntFlag):
    """Properties of a packet."""

    RANDOM_ACCESS = (
        1  # what is shown from this frame on depends on nothing that is stored before it
    )
    KEY = 2  # a key frame according to the container
    DISPOSABLE = 4  # nothing depends on it, in its own temporal sub-layer
    HIDDEN = 8  # never displayed; decoded if anything depends on it
    UNKNOWN = 16  # its bytes could not be parsed


def classifier(context: CodecContext) -> Classify | None:
    """Function from the first bytes of a packet to PacketFlag bits; None for unsupported codecs."""
    extradata = bytes(context.extradata or b"")
    match context.codec.canonical_name:
        case "h264":
            return _in_units(_avc_flags, _length_size(extradata, at=4))
        case "hevc":
            return _in_units(_hevc_flags, _length_size(extradata, at=21))
        case "vp9":
            return _vp9_flags
        case "av1":
            return _av1_flags
    return (lambda _: PacketFlag.RANDOM_ACCESS) if context.codec.intra_only else None


def garbled(context: CodecContext) -> Callable[[memoryview], bool]:
    """Function that tells whether the decoder will refuse a packet; False for unknown codecs."""
    name = context.codec.canonical_name
    if name not in _NEVER_ZEROS:
        return lambda _: False
    extradata = bytes(context.extradata or b"")
    size = _length_size(extradata, at=4 if name == "h264" else 21) if name in _IN_UNITS else 0
    return partial(_is_garbled, length_size=size)


def _is_garbled(data: memoryview, *, length_size: int) -> bool:
    if len(data) > len(_ZEROS) and data[: len(_ZEROS)] == _ZEROS:
        return True
    offset = 0
    while length_size and offset + length_size < len(data):
        offset += length_size + int.from_bytes(data[offset : offset + length_size], "big")
    return offset > len(data)


def head(data: bytes | memoryview) -> bytes:
    """The first bytes of a packet, as many as a classifier may need."""
    return bytes(data[:_HEAD])


def _length_size(extradata: bytes, *, at: int) -> int:
    """Size in bytes of a NAL unit's length field (ISO/IEC 14496-15); 0 if start codes are used."""
    return (extradata[at] & 3) + 1 if len(extradata) > at and extradata[0] == 1 else 0


def _in_units(flags_of: Callable[[Iterator[bytes]], int], length_size: int) -> Classify:
    if length_size:
        return lambda data: flags_of(_units_by_length(data, length_size))
    return lambda data: flags_of(_units_by_start_code(data))


def _units_by_length(data: bytes, length_size: int) -> Iterator[bytes]:
    """Yield network abstraction layer (NAL) units; the last one may be cut."""
    offset = 0
    while offset + length_size < len(data):
        start = offset + length_size
        offset = start + int.from_bytes(data[offset:start], "big")
        yield data[start:offset]


def _units_by_start_code(data: bytes) -> Iterator[bytes]:
    start = data.find(_START_CODE)
    while start >= 0:
        following = data.find(_START_CODE, start + 3)
        yield data[start + 3 : following if following >= 0 else len(data)]
        start = following


def _avc_flags(units: Iterator[bytes]) -> int:
    """Flags of an H.264 packet: `nal_ref_idc` 0 marks disposable frames (ITU-T H.264, 7.4.1).

    Random access points are IDR pictures, and recovery points that are exact at once (D.2.8):
    frames that follow them in display order can be decoded from there.
    """
    recovers = False
    for unit in units:
        if not unit:
            continue
        kind = unit[0] & 31
        if kind == 5:
            return PacketFlag.RANDOM_ACCESS
        if kind == 1:
            entry = PacketFlag.RANDOM_ACCESS if recovers else PacketFlag(0)
            return entry if unit[0] & 0x60 else entry | PacketFlag.DISPOSABLE
        if kind == 6:
            recovers = recovers or _recovers_exactly(unit)
        elif kind in {2, 3, 4}:  # data partitioning, which no encoder in use writes
            break
    return PacketFlag.UNKNOWN


def _recovers_exactly(unit: bytes) -> bool:
    """Whether an SEI unit holds a recovery point with a delay of 0 frames and an exact match."""
    offset = 1
    while offset + 2 < len(unit):
        kind, offset = _sei_number(unit, offset)
        size, offset = _sei_number(unit, offset)
        if kind == 6 and size and offset < len(unit):
            return unit[offset] & 0xC0 == 0xC0  # recovery_frame_cnt 0 in one bit, exact_match_flag
        offset += size
    return False


def _sei_number(unit: bytes, offset: int) -> tuple[int, int]:
    """Read a number as coded in SEI messages (H.264, 7.3.2.3.1); also the offset behind it."""
    number = 0
    while offset < len(unit):
        byte = unit[offset]
        number, offset = number + byte, offset + 1
        if byte != 255:
            break
    return number, offset


def _hevc_flags(units: Iterator[bytes]) -> int:
    """Flags of an H.265 packet by its NAL unit type (ITU-T H.265, table 7-1).

    Below 16, even types are not referred to within their own temporal sub-layer.
    """
    for unit in units:
        if len(unit) < 2:
            continue
        kind, layer = unit[0] >> 1 & 63, (unit[0] & 1) << 5 | unit[1] >> 3
        if kind >= 32 or layer:
            continue
        flags = max((unit[1] & 7) - 1, 0) << SUBLAYER_SHIFT
        if 16 <= kind <= 21:
            flags |= PacketFlag.RANDOM_ACCESS
        elif kind < 16 and kind % 2 == 0:
            flags |= PacketFlag.DISPOSABLE
        return flags
    return PacketFlag.UNKNOWN


def _vp9_flags(data: bytes) -> int:
    """Flags of a VP9 packet: a key frame resets the decoder (VP9 bitstream specification, 6.2).

    No frame is disposable: one that refreshes no reference may still adapt the probabilities that
    later frames start from.
    """
    if not data or data[0] >> 6 != 2:
        return PacketFlag.UNKNOWN
    bits = data[0] << 1 if data[0] & 0x30 == 0x30 else data[0]  # profile 3 has one bit more
    return PacketFlag.RANDOM_ACCESS if bits & 0x0C == 0 else PacketFlag(0)


def _av1_flags(data: bytes) -> int:
    """Flags of an AV1 packet: random access is a shown key frame behind a sequence header.

    Source: AV1 bitstream specification, 5.3 to 5.9.
    """
    offset, has_sequence = 0, False
    while offset < len(data):
        header = data[offset]
        kind, offset = header >> 3 & 15, offset + (2 if header & 4 else 1)
        size, offset = _leb128(data, offset) if header & 2 else (len(data) - offset, offset)
        if kind == 1:
            has_sequence = True
        elif kind in {3, 6, 7} and offset < len(data):
            # show_existing_frame 0, frame_type 0 (key), show_frame 1
            is_shown_key = data[offset] & 0xF0 == 0x10
            return PacketFlag.RANDOM_ACCESS if is_shown_key and has_sequence else PacketFlag(0)
        offset += size
    return PacketFlag.UNKNOWN


def _leb128(data: bytes, offset: int) -> tuple[int, int]:
    """Read AV1's variable-length integer (4.10.5); also the offset behind it."""
    number = shift = 0
    while offset < len(data) and shift < 64:
        byte = data[offset]
        number, shift, offset = number | (byte & 127) << shift, shift + 7, offset + 1
        if not byte & 128:
            break
    return number, offset
