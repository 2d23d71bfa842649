"""Encrypted videos: reported as such, not as damaged; their clear parts are read."""

import random
import struct
import uuid
from pathlib import Path

import pytest

from media import UnsupportedError, decode_at, probe

KEYS = {"g": "25", "sc_threshold": "0"}
MPEG2 = {"codec": "mpeg2video", "options": {"g": "15", "b": "4M", "minrate": "4M"}}


def _scrambled(data: bytes, *, begin: float = 0.0, end: float = 1.0) -> bytes:
    """A transport stream whose packets between two parts of it are scrambled."""
    film, draw = bytearray(data), random.Random(1)
    for place in range(0, len(film), 188):
        number = (film[place + 1] & 0x1F) << 8 | film[place + 2]
        inside = begin * len(film) <= place < end * len(film)
        if inside and 0x100 <= number < 0x1FFF:
            adaptation = 1 + film[place + 4] if film[place + 3] & 0x20 else 0
            start = place + 4 + adaptation
            film[place + 3] |= 0x80
            film[start : place + 188] = draw.randbytes(place + 188 - start)
    return bytes(film)


def _marked_sectors(data: bytes, *, descrambled: bool) -> bytes:
    """A program stream like a disc's, a part of whose sectors is scrambled."""
    film, draw = bytearray(data), random.Random(1)
    for place in range(0, len(film) - 2047, 2 * 2048):
        start = place + 14 + (film[place + 13] & 7)
        if film[start : start + 4] == b"\0\0\1\xe0":
            film[start + 6] |= 0x30
            if not descrambled:
                film[place + 128 : place + 2048] = draw.randbytes(1920)
    return bytes(film)


def _refusal(path: Path) -> str:
    with pytest.raises(UnsupportedError) as raised:
        probe(path)
    return str(raised.value)


def test_a_scrambled_broadcast_is_named_as_such(make_video, numbered):
    path = make_video("film.ts", numbered(250), options=KEYS)
    path.write_bytes(_scrambled(path.read_bytes()))
    assert _refusal(path) == (
        "is encrypted (a scrambled broadcast): it cannot be decoded without the key"
    )


CBR = "filler=1:nal-hrd=cbr:bitrate=1000:vbv-maxrate=1000:vbv-bufsize=1000"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ((0.5, 1.0), ("is scrambled beyond 00:1", 10.0)),
        ((0.4, 0.6), ("is scrambled from 00:0", 20.0)),
        ((0.0, 0.3), ("", 14.0)),
    ],
)
def test_of_a_recording_scrambled_in_part_the_clear_part_is_read(
    make_video, numbered, read_number, part, expected
):
    note, duration = expected
    path = make_video("film.ts", numbered(500), options=KEYS | {"x264-params": CBR})
    path.write_bytes(_scrambled(path.read_bytes(), begin=part[0], end=part[1]))
    video = probe(path)
    assert video.duration == pytest.approx(duration, abs=1.0)
    assert (video.damage or "").startswith(note)
    assert bool(video.damage) == bool(note)
    first = 500 - round(video.duration * 25) if part[0] == 0.0 else 0
    frames = decode_at(video, [1.0, duration - 1.0], threads=1)
    numbers = [first + 25, first + 25 * (duration - 1)]
    assert [read_number(frame.pixels) for frame in frames] == pytest.approx(numbers, abs=30)


def test_a_copy_protected_disc_is_named_as_such(make_video, numbered):
    path = make_video("film.vob", numbered(250), **MPEG2)
    path.write_bytes(_marked_sectors(path.read_bytes(), descrambled=False))
    assert _refusal(path).startswith("is encrypted (a copy-protected DVD)")


def test_a_disc_that_was_descrambled_but_for_its_marks_is_read(make_video, numbered):
    path = make_video("film.vob", numbered(250), **MPEG2)
    path.write_bytes(_marked_sectors(path.read_bytes(), descrambled=True))
    assert probe(path).damage is None
    assert probe(path).duration == pytest.approx(10.0, abs=0.1)


def test_a_copy_protected_blu_ray_disc_is_named_as_such(make_video, numbered):
    kind = {"container_options": {"mpegts_m2ts_mode": "1"}}
    path = make_video("film.m2ts", numbered(250), options=KEYS | {"x264-params": CBR}, **kind)
    data, draw = bytearray(path.read_bytes()), random.Random(1)
    for place in range(0, len(data) // 6144 * 6144, 6144):
        for packet in range(place, place + 6144, 192):
            data[packet] |= 0xC0
        data[place + 16 : place + 6144] = draw.randbytes(6128)
    path.write_bytes(data)
    assert _refusal(path).startswith("is encrypted (AACS, a copy-protected Blu-ray disc)")


@pytest.mark.parametrize(
    ("entry", "scheme"), [(b"drmi", "FairPlay"), (b"encv", "Common Encryption")]
)
def test_protected_tracks_of_mp4_are_named_as_such(make_video, numbered, entry, scheme):
    path = make_video("film.m4v", numbered(25), container_format="mp4")
    data = path.read_bytes()
    start = data.index(b"stsd")
    path.write_bytes(data[:start] + data[start:].replace(b"avc1", entry, 1))
    assert _refusal(path).startswith(f"is encrypted ({scheme})")


def _asf_object(identifier: str, content: bytes) -> bytes:
    return uuid.UUID(identifier).bytes_le + struct.pack("<Q", 24 + len(content)) + content


@pytest.mark.parametrize(
    "protection",
    [
        _asf_object(
            "2211B3FB-BD23-11D2-B4B7-00A0C955FC6E",
            b"".join(
                struct.pack("<I", 4) + text for text in (b"data", b"DRM\0", b"key\0", b"url\0")
            ),
        ),
        _asf_object("298AE614-2622-4C17-B935-DAE07EE9289C", struct.pack("<I", 40) + bytes(40)),
    ],
)
def test_protected_windows_media_is_named_as_such(make_video, numbered, protection):
    path = make_video("film.wmv", numbered(25), codec="wmv2")
    data = path.read_bytes()
    size, count = struct.unpack_from("<QI", data, 16)
    head = data[:16] + struct.pack("<QI", size + len(protection), count + 1) + data[28:size]
    path.write_bytes(head + protection + data[size:])
    assert _refusal(path).startswith("is encrypted (Windows Media DRM)")


def test_sound_recordings_are_not_called_scrambled(make_video, numbered):
    """Null packets, and streams of other programmes, may bear any mark."""
    path = make_video("film.ts", numbered(250), options=KEYS)
    data = path.read_bytes()
    packets = [data[place : place + 188] for place in range(0, len(data), 188)]
    null = b"\x47\x1f\xff\xd0" + bytes(184)
    other = b"\x47\x07\xd0\xd0" + random.Random(1).randbytes(184)
    path.write_bytes(b"".join(packet + null * 3 + other for packet in packets))
    video = probe(path)
    assert (video.duration, video.damage) == (pytest.approx(10.0, abs=0.1), None)
