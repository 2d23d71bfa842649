"""What the first bytes of packets say, byte by byte as the standards lay them down."""

import av
import pytest

from media.packets.references import SUBLAYER_SHIFT, PacketFlag, classifier

RANDOM_ACCESS, DISPOSABLE, UNKNOWN = (
    PacketFlag.RANDOM_ACCESS,
    PacketFlag.DISPOSABLE,
    PacketFlag.UNKNOWN,
)
AVCC = b"\x01\x64\x00\x1f\xff\xe1"  # lengths of 4 bytes
HVCC = b"\x01" + bytes(20) + b"\x03"
AUD, SPS = b"\x09\xf0", b"\x67\x64\x00\x1f"
EXACT_RECOVERY = b"\x06\x01\x02\xaa\xaa\x06\x01\xc4\x80"  # behind a message of another kind
SLOW_RECOVERY = b"\x06\x06\x01\x48\x80"  # after frames have passed


def _read_by(codec: str, extradata: bytes = b""):
    context = av.CodecContext.create(codec, "r")
    if extradata:
        context.extradata = extradata
    classify = classifier(context)
    assert classify is not None
    return classify


def _with_lengths(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def _with_start_codes(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


@pytest.mark.parametrize("wrap", [_with_lengths, _with_start_codes])
@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([AUD, SPS, b"\x65\x88"], RANDOM_ACCESS),
        ([AUD, b"\x41\x9a"], 0),
        ([b"\x01\x9e"], DISPOSABLE),
        ([AUD, EXACT_RECOVERY, b"\x41\x88"], RANDOM_ACCESS),
        ([SLOW_RECOVERY, b"\x41\x88"], 0),
        ([b"\x06\x05\x01\x00\x80", b"\x01\x88"], DISPOSABLE),
        ([b"\x42\x88"], UNKNOWN),  # data partitioning
        ([AUD], UNKNOWN),
    ],
)
def test_h264_units_give_the_flags_of_a_frame(wrap, units, expected):
    classify = _read_by("h264", AVCC if wrap is _with_lengths else b"")
    assert classify(wrap(*units)) == expected


@pytest.mark.parametrize("wrap", [_with_lengths, _with_start_codes])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (19, RANDOM_ACCESS),
        (20, RANDOM_ACCESS),
        (21, RANDOM_ACCESS),
        (16, RANDOM_ACCESS),
        (1, 0),
        (0, DISPOSABLE),
        (9, 0),
    ],
)
def test_h265_units_give_the_flags_of_a_frame(wrap, kind, expected):
    classify = _read_by("hevc", HVCC if wrap is _with_lengths else b"")
    parameters, picture = bytes([33 << 1, 1, 0]), bytes([kind << 1, 1, 0x80])
    assert classify(wrap(parameters, picture)) == expected


def test_h265_sublayers_are_distinguished():
    flags = _read_by("hevc")(_with_start_codes(bytes([0, 3, 0x80])))
    assert flags >> SUBLAYER_SHIFT == 2
    assert flags & DISPOSABLE


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (0b10_0_0_0_0_1_0, RANDOM_ACCESS),  # a key frame of profile 0
        (0b10_0_0_0_1_1_0, 0),
        (0b10_0_0_1_000, 0),  # shows a frame that exists
        (0b10_1_1_0_0_0_1, RANDOM_ACCESS),  # a key frame of profile 3, whose bits lie one further
        (0b10_1_1_0_0_1_1, 0),
        (0b01_0_0_0_0_1_0, UNKNOWN),
    ],
)
def test_vp9_key_frames_are_found(first, expected):
    assert _read_by("vp9")(bytes([first, 0x49])) == expected


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (
            b"\x12\x00\x0a\x01\x00\x32\x01\x10",
            RANDOM_ACCESS,
        ),  # delimiter, sequence header, key frame
        (b"\x12\x00\x32\x01\x10", 0),  # a key frame without the sequence header
        (b"\x0a\x01\x00\x32\x01\x00", 0),  # a key frame that is not shown
        (b"\x0a\x01\x00\x32\x01\x30", 0),  # a frame that is predicted
        (b"\x0a\x01\x00\x1a\x01\x80", 0),  # shows a frame that exists
        (b"\x12\x00", UNKNOWN),
    ],
)
def test_displayed_av1_key_frames_are_found(units, expected):
    assert _read_by("libdav1d")(units) == expected


def test_every_frame_of_an_intra_only_codec_is_a_random_access_point():
    assert _read_by("prores")(b"anything") == RANDOM_ACCESS


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video", "vp8", "wmv2", "gif"])
def test_references_of_other_codecs_are_unknown(codec):
    assert classifier(av.CodecContext.create(codec, "r")) is None
