"""Small files that claim to be gigantic: each hits a limit, and none takes memory."""

import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def _element(identifier: str, *parts: bytes) -> bytes:
    """An EBML element, its size written in 8 bytes."""
    body = b"".join(parts)
    return bytes.fromhex(identifier) + (len(body) | 1 << 56).to_bytes(8, "big") + body


def _number(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(8, "big"))


def _track(number: int) -> bytes:
    size = _element("E0", _number("B0", 64), _number("BA", 48))
    kind = _number("83", 1) + _element("86", b"V_MJPEG")
    return _element("AE", _number("D7", number), _number("73C5", number), kind, size)


def _matroska(
    pictures: list[bytes],
    *,
    step: int = 40,
    tracks: int = 1,
    extra: bytes = b"",
    duration: bytes = b"",
) -> bytes:
    head = _element("1A45DFA3", _number("4286", 1), _element("4282", b"matroska"))
    info = _element("1549A966", _number("2AD7B1", 1_000_000), duration)
    listed = _element("1654AE6B", *(_track(number + 1) for number in range(tracks)))
    clusters = (
        _element("1F43B675", _number("E7", index * step), _element("A3", b"\x81\0\0\x80" + picture))
        for index, picture in enumerate(pictures)
    )
    return head + _element("18538067", info, listed, extra, *clusters)


def _jpeg(*, claimed: tuple[int, int] = (64, 48)) -> bytes:
    frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuvj420p"
    (packet,) = encoder.encode(frame.reformat(format="yuvj420p"))
    data = bytearray(bytes(packet))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", claimed[1], claimed[0])
    return bytes(data)


def _gif(width: int, height: int) -> bytes:
    size = struct.pack("<HH", width, height)
    colours = b"\x80\0\0\0\0\0\xff\xff\xff"
    return b"GIF89a" + size + colours + b",\0\0\0\0" + size + b"\0\x02\x02\x44\x01\0;"


def _mp4_claiming(film: bytes, table: bytes, *numbers: int) -> bytes:
    """The video with the numbers behind the head of a table of its index changed."""
    place = film.index(table) + 8
    return (
        film[:place] + struct.pack(f">{len(numbers)}I", *numbers) + film[place + 4 * len(numbers) :]
    )


def _repeated_tracks(film: bytes, count: int) -> bytes:
    start, track = film.index(b"moov") - 4, film.index(b"trak") - 4
    size = int.from_bytes(film[track : track + 4], "big")
    data = bytearray(film[:track] + film[track : track + size] * count + film[track:])
    whole = int.from_bytes(film[start : start + 4], "big") + size * count
    data[start : start + 4] = whole.to_bytes(4, "big")
    return bytes(data)


def _h264_claiming(width: int, height: int) -> bytes:
    """A sequence parameter set of H.264 for pictures of that size."""
    bits = "010000100000000000101000"  # baseline, level 4

    def unsigned(value: int) -> str:
        text = f"{value + 1:b}"
        return "0" * (len(text) - 1) + text

    values = [0, 0, 2, 16]  # id, frame numbers, picture order, reference frames
    bits += "".join(unsigned(value) for value in values) + "0"
    bits += unsigned(width // 16 - 1) + unsigned(height // 16 - 1) + "1100" + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\x67" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _with_parameters(film: bytes, parameters: bytes) -> bytes:
    """An MP4 video, its index at the end, with other parameters of the codec."""
    place = film.index(b"avcC") - 4
    old_size = int.from_bytes(film[place : place + 4], "big")
    new = _box(
        b"avcC", b"\x01\x42\0\x28\xff\xe1", len(parameters).to_bytes(2, "big"), parameters, b"\0"
    )
    data = bytearray(film[:place] + new + film[place + old_size :])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        start = data.index(parent) - 4
        size = int.from_bytes(data[start : start + 4], "big") + len(new) - old_size
        data[start : start + 4] = size.to_bytes(4, "big")
    return bytes(data)


CHILD = """
import sys
from pathlib import Path
from media import MediaError, decode_at, probe, thumbnail

def peak():
    with open("/proc/self/status") as status:  # not getrusage: that remembers the parent's peak
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

path, before = Path(sys.argv[1]), peak()
try:
    video = probe(path)
    times = [video.duration * index / 9 for index in range(10)]
    list(decode_at(video, times, threads=1))
    thumbnail(path, time=video.duration / 2, threads=1)
    said = f"{video.width} x {video.height}, {video.duration:.2f} s"
except MediaError as error:
    said = f"{type(error).__name__}: {error}"
print(said)
print((peak() - before) // 1024)
"""


def _set_off(path: Path) -> tuple[str, int]:
    """The result of a child process that reads the file, and by how many MiB its memory grew."""
    run = [sys.executable, "-c", CHILD, str(path)]
    result = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    said, grown = result.stdout.splitlines()
    return said, int(grown)


MEMORY = 150  # MiB that a video of 64 x 48 pixels may take, whatever it claims


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc to see the peak")
def test_oversized_claims_hit_limits_and_take_no_memory(make_video, numbered, tmp_path):
    film = make_video("film.mov", numbered(50)).read_bytes()
    good, seconds = [_jpeg()] * 10, struct.pack(">d", 1e300)
    attachment = _element(
        "61A7",
        _element("466E", b"f"),
        _element("4660", b"font/ttf"),
        _number("46AE", 1),
        _element("465C", bytes(100)),
    )
    chapter = _element("B6", _number("73C4", 7), _number("91", 5), _number("92", 6))
    fine = "64 x 48, 0.40 s"
    bombs = {
        "plain.mkv": (_matroska(good), fine),
        "gif-16000.gif": (_gif(16_000, 16_000), "pixels"),
        "gif-65535.gif": (_gif(65_535, 65_535), "pixels"),
        "h264-16000.mov": (_with_parameters(film, _h264_claiming(16_000, 16_000)), "Error: "),
        "jpeg-65500.mkv": (_matroska([_jpeg(claimed=(65_500, 65_500))] * 10), "Error: "),
        "grows.mkv": (_matroska([*good[:5], _jpeg(claimed=(65_500, 65_500)), *good[:4]]), fine),
        "streams.mkv": (_matroska(good, tracks=5000), "LimitError: claims 256 streams"),
        "streams.mov": (_repeated_tracks(film, 3000), "LimitError: claims more than 256 streams"),
        "samples.mov": (_mp4_claiming(film, b"stsz", 1, 2**31 - 1), "Error: "),
        "sizes.mov": (_mp4_claiming(film, b"stsz", 0, 2**31 - 1), "Error: "),
        "steps.mov": (_mp4_claiming(film, b"stts", 2**31 - 1), "Error: "),
        "chunks.mov": (_mp4_claiming(film, b"stco", 2**31 - 1), "64 x 48, 2.00 s"),
        "long-picture.mov": (_mp4_claiming(film, b"stts", 1, 50, 2**31 - 1), "64 x 48, 2.00 s"),
        "long-header.mkv": (_matroska(good, duration=_element("4489", seconds)), fine),
        "long-steps.mkv": (_matroska(good, step=2**56), "LimitError: its timestamps claim"),
        "many-steps.mkv": (_matroska([b"x"] * 20_000, step=3_700_000), "LimitError: its time"),
        "attachments.mkv": (
            _matroska(good, extra=_element("1941A469", *[attachment] * 5000)),
            "LimitError: claims 256 streams",
        ),
        "chapters.mkv": (
            _matroska(good, extra=_element("1043A770", _element("45B9", *[chapter] * 20_000))),
            fine,
        ),
        "giant-element.mkv": (
            _matroska(
                good, extra=bytes.fromhex("1254C367") + (1 << 56 | 1 << 50).to_bytes(8, "big")
            ),
            fine,
        ),
    }
    said = {}
    for name, (content, _) in bombs.items():
        path = tmp_path / name
        path.write_bytes(content)
        outcome, grown = _set_off(path)
        said[name] = (outcome, grown)
        path.unlink()
    wrong = {
        name: said[name]
        for name, (_, expected) in bombs.items()
        if expected not in said[name][0] or said[name][1] > MEMORY
    }
    assert wrong == {}
