"""What a packet tells of the frames that depend on it, read from its first bytes: nothing decoded.

A container's own marks are not enough: a key frame in its sense may need frames from before it, and
which frames nothing depends on is mostly not marked at all. Only codecs are read here whose streams
say so plainly; of every other one this module says that it does not know.
"""

from collections.abc import Callable, Iterator
from enum import IntFlag
from functools import partial
from typing import TypeAlias

from av.codec.context import CodecContext

Classify: TypeAlias = Callable[[bytes], int]

_HEAD = 1 << 12  # bytes of a packet that are looked at: parameter sets and messages come first
SUBLAYER_SHIFT = 5  # of a packet's temporal sub-layer: above PacketFlag, the rest of the byte
_ZEROS = bytes(64)  # that begin no packet of these codecs:
_NEVER_ZEROS = frozenset(
    {"av1", "dnxhd", "h264", "hevc", "mjpeg", "mpeg4", "prores", "theora", "vp8", "vp9"}
)
_IN_UNITS = frozenset({"h264", "hevc"})
_START_CODE = b"\x00\x00\x01"


class PacketFlag(IntFlag):
    """What is known of a packet."""

    RANDOM_ACCESS = (
        1  # what is shown from this frame on depends on nothing that is stored before it
    )
    KEY = 2  # the container calls it a key frame
    DISPOSABLE = 4  # nothing depends on it, in its own temporal sub-layer
    HIDDEN = 8  # decoded, if anything depends on it, but never shown
    UNKNOWN = 16  # its bytes could not be understood


def classifier(context: CodecContext) -> Classify | None:
    """What reads the packets of a stream for `context`; None where the codec is not known here.

    It takes the first bytes of a packet and returns PacketFlag bits.
    """
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
    """What tells of a packet of a stream for `context` that its decoder will refuse it.

    Where nothing is known of the codec, that is none.
    """
    name = context.codec.canonical_name
    if name not in _NEVER_ZEROS:
        return lambda _: False
    extradata = bytes(context.extradata or b"")
    size = _length_size(extradata, at=4 if name == "h264" else 21) if name in _IN_UNITS else 0
    return partial(_is_garbled, length_size=size)


def _is_garbled(data: memoryview, *, length_size: int) -> bool:
    if len(data) > len(_ZEROS) and data[: len(_ZEROS)] == _ZEROS:
        return True
    place = 0
    while length_size and place + length_size < len(data):
        place += length_size + int.from_bytes(data[place : place + length_size], "big")
    return place > len(data)


def head(data: bytes | memoryview) -> bytes:
    """As much of a packet as a classifier may need."""
    return bytes(data[:_HEAD])


def _length_size(extradata: bytes, *, at: int) -> int:
    """The bytes that tell a unit's length (ISO/IEC 14496-15); 0 where start codes part units."""
    return (extradata[at] & 3) + 1 if len(extradata) > at and extradata[0] == 1 else 0


def _in_units(flags_of: Callable[[Iterator[bytes]], int], length_size: int) -> Classify:
    if length_size:
        return lambda data: flags_of(_units_by_length(data, length_size))
    return lambda data: flags_of(_units_by_start_code(data))


def _units_by_length(data: bytes, length_size: int) -> Iterator[bytes]:
    """Network abstraction units, the last one as far as `data` goes."""
    place = 0
    while place + length_size < len(data):
        start = place + length_size
        place = start + int.from_bytes(data[place:start], "big")
        yield data[start:place]


def _units_by_start_code(data: bytes) -> Iterator[bytes]:
    start = data.find(_START_CODE)
    while start >= 0:
        following = data.find(_START_CODE, start + 3)
        yield data[start + 3 : following if following >= 0 else len(data)]
        start = following


def _avc_flags(units: Iterator[bytes]) -> int:
    """ITU-T H.264: `nal_ref_idc` 0 marks what nothing refers to (7.4.1).

    An IDR picture is an entry; so is a recovery point that is exact at once (D.2.8): frames that
    follow it in the order of display can be decoded from there.
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
        elif kind in {2, 3, 4}:  # slices in partitions: no film that people have is made of them
            break
    return PacketFlag.UNKNOWN


def _recovers_exactly(unit: bytes) -> bool:
    """Whether an SEI unit holds a recovery point of no frames' delay and an exact match."""
    place = 1
    while place + 2 < len(unit):
        kind, place = _sei_number(unit, place)
        size, place = _sei_number(unit, place)
        if kind == 6 and size and place < len(unit):
            return unit[place] & 0xC0 == 0xC0  # recovery_frame_cnt 0 in one bit, exact_match_flag
        place += size
    return False


def _sei_number(unit: bytes, place: int) -> tuple[int, int]:
    """A number in the code of SEI payloads, and the place behind it."""
    number = 0
    while place < len(unit):
        byte = unit[place]
        number, place = number + byte, place + 1
        if byte != 255:
            break
    return number, place


def _hevc_flags(units: Iterator[bytes]) -> int:
    """ITU-T H.265: table 7-1. An intra random access point is an entry for what is shown after it.

    Below 16 the even types are not referred to within their own temporal sub-layer.
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
    """VP9 bitstream specification, 6.2: a key frame sets all of the decoder's memory anew.

    Frames that refresh no reference may still adapt the probabilities that later ones start from:
    none is told to be without consequence.
    """
    if not data or data[0] >> 6 != 2:
        return PacketFlag.UNKNOWN
    bits = data[0] << 1 if data[0] & 0x30 == 0x30 else data[0]  # profile 3 has one bit more
    return PacketFlag.RANDOM_ACCESS if bits & 0x0C == 0 else PacketFlag(0)


def _av1_flags(data: bytes) -> int:
    """AV1 bitstream specification, 5.3 to 5.9: a shown key frame behind a sequence header."""
    place, has_sequence = 0, False
    while place < len(data):
        header = data[place]
        kind, place = header >> 3 & 15, place + (2 if header & 4 else 1)
        size, place = _leb128(data, place) if header & 2 else (len(data) - place, place)
        if kind == 1:
            has_sequence = True
        elif kind in {3, 6, 7} and place < len(data):
            # show_existing_frame 0, frame_type 0 (key), show_frame 1
            is_shown_key = data[place] & 0xF0 == 0x10
            return PacketFlag.RANDOM_ACCESS if is_shown_key and has_sequence else PacketFlag(0)
        place += size
    return PacketFlag.UNKNOWN


def _leb128(data: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(data) and shift < 64:
        byte = data[place]
        number, shift, place = number | (byte & 127) << shift, shift + 7, place + 1
        if not byte & 128:
            break
    return number, place
