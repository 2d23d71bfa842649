"""Everything that is wrong with people's videos, in one library and one run."""

import os
import random
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from indexer import FileDone, Outcome

KEY = "00112233445566778899aabbccddeeff"
IN_FRONT = {"movflags": "+faststart"}


def _write(
    path: Path,
    count: int = 100,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
    pts: Iterable[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    muxer: dict[str, str] | None = None,
    encoder: dict[str, str] | None = None,
    turned: tuple[int, bool] | None = None,
    streams: int = 1,
) -> None:
    """A video of `count` pictures of noise over a slowly rising grey, one every `time_base`."""
    draw = np.random.default_rng(list(os.fsencode(path.name)))  # no two alike: they would be copies
    width, height = size
    form = path.suffix.removeprefix(".")
    form = {"mkv": "matroska", "webm": "webm", "ts": "mpegts"}.get(form, form)
    with av.open(f"file:{path}", "w", format=form, container_options=muxer or {}) as container:
        options = {"threads": "1", "g": "25", "preset": "ultrafast"} | (encoder or {})
        if not codec.startswith("libx26"):
            options.pop("preset")
        videos = [container.add_stream(codec, rate=25, options=options) for _ in range(streams)]
        for video in videos:
            video.width, video.height, video.pix_fmt = width, height, pix_fmt
            video.codec_context.time_base = time_base
            if turned is not None:
                video.set_display_rotation(turned[0], hflip=turned[1])
        for index, stamp in enumerate(range(count) if pts is None else pts):
            pixels = np.full((height, width, 3), 20 + index % 200, np.uint8)
            pixels[: min(16, height)] = draw.integers(0, 256, (min(16, height), width, 3))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = stamp, time_base
            for video in videos:
                container.mux(video.encode(frame))
        for video in videos:
            container.mux(video.encode(None))


def _write_live(path: Path) -> None:
    """A recording whose writer could not go back to say how long it became."""

    class Pipe:
        def __init__(self) -> None:
            self.file = path.open("wb")

        def write(self, data: bytes) -> int:
            return self.file.write(data)

    pipe = Pipe()
    with av.open(pipe, "w", format="matroska") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        for level in range(100):
            pixels = np.full((48, 64, 3), level, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode(None))
    pipe.file.close()


def _write_black(path: Path) -> None:
    """Two hours in which nothing happens, at one picture a second."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=1, options={"threads": "1", "g": "600"})
        video.width, video.height = 64, 48
        black = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        black = black.reformat(format="yuv420p")
        for second in range(7200):
            black.pts, black.time_base = second, Fraction(1)
            container.mux(video.encode(black))
        container.mux(video.encode(None))


def _spoil(path: Path, change: Callable[[bytearray], bytes | bytearray]) -> None:
    path.write_bytes(change(bytearray(path.read_bytes())))


def _with_hole(data: bytearray) -> bytearray:
    start, size = len(data) // 2, len(data) // 10
    data[start : start + size] = random.Random(1).randbytes(size)
    return data


def _joined(path: Path) -> None:
    _write(path)
    path.write_bytes(path.read_bytes() * 2)


def _cut(part: float) -> Callable[[bytearray], bytearray]:
    return lambda data: data[: int(len(data) * part)]


def _made(change: Callable[[bytearray], bytes | bytearray], **how) -> Callable[[Path], None]:
    """Write a video, then change its bytes."""

    def make(path: Path) -> None:
        _write(path, **how)
        _spoil(path, change)

    return make


def _film(*args, **how) -> Callable[[Path], None]:
    return lambda path: _write(path, *args, **how)


def _text(text: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(text)


def _listen(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's name may have 108 bytes only
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _gif_bomb(path: Path) -> None:
    size = (16_000).to_bytes(2, "little") * 2
    colours = b"\x80\0\0\0\0\0\xff\xff\xff"
    path.write_bytes(b"GIF89a" + size + colours + b",\0\0\0\0" + size + b"\0\x02\x02\x44\x01\0;")


@dataclass(frozen=True)
class Fault:
    name: str | bytes
    make: Callable[[Path], None]
    seconds: float | None = None  # how long the film is once it is indexed ...
    reason: str = ""  # ... or why it is not; of an indexed film, what is said to be damaged
    clips: int | None = None


MILLISECOND = Fraction(1, 1000)
HOURS = 3_600_000  # milliseconds
ENCRYPTED = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY}

FAULTS = [
    # no film at all
    Fault("empty.mp4", Path.touch, reason="is empty"),
    Fault("text.mp4", _text("this is no film\n" * 99), reason="is not a media file"),
    Fault("zeros.mkv", lambda path: path.write_bytes(bytes(9999)), reason="is not a media file"),
    Fault("encrypted.mp4", _film(muxer=ENCRYPTED), reason="is encrypted"),
    Fault("playlist.mp4", _text("#EXTM3U\n#EXTINF:2,\ncut.mp4\n"), reason="is not a media file"),
    Fault("script.mkv", _text("ffconcat version 1.0\nfile cut.mp4\n"), reason="not a container"),
    Fault("pipe.mp4", os.mkfifo, reason="is a named pipe"),
    Fault("socket.mp4", _listen, reason="is a socket"),
    Fault("bomb.gif", _gif_bomb, reason="pixels"),
    # damaged
    Fault("no-index.mp4", _made(_cut(0.7)), reason="has no index"),
    Fault("cut.mp4", _made(_cut(0.6), muxer=IN_FRONT), 2.4, "breaks off at 00:02 of 00:04"),
    Fault("cut.mkv", _made(_cut(0.6)), 2.4, "breaks off at 00:02 of 00:04"),
    Fault("hole.mp4", _made(_with_hole, muxer=IN_FRONT), 4.0, "cannot be decoded"),
    Fault("hole.mkv", _made(_with_hole), 4.0, "from 00:0"),
    Fault("hole.ts", _made(_with_hole), 4.0, "00:0"),
    # time
    Fault("one-picture.mp4", _film(1), 0.04),
    Fault("live.mkv", _write_live, 4.0),
    Fault("five-hours.ts", _film(pts=range(450_000, 450_100)), 4.0),
    Fault("below-zero.ts", _film(pts=range(-50, 50), muxer={"avoid_negative_ts": "disabled"}), 4.0),
    Fault("joined.ts", _joined, 8.0, "its clock restarts at 00:04"),
    Fault(
        "leap.mkv",
        _film(
            2,
            pts=[*range(0, 4000, 40), *range(7 * HOURS, 7 * HOURS + 4000, 40)],
            time_base=MILLISECOND,
        ),
        7 * 3600 + 4.0,
        clips=3,
    ),
    Fault(
        "uneven.mkv",
        _film(pts=[number * number for number in range(100)], time_base=MILLISECOND),
        9.9,
    ),
    Fault("hours-of-black.mp4", _write_black, 7200.0),
    # pictures
    *(
        Fault(f"turned-{angle}{'-mirrored' * flip}.mp4", _film(turned=(angle, flip)), 4.0)
        for angle in (90, 180, 270)
        for flip in (False, True)
    ),
    Fault("odd.mkv", _film(codec="ffv1", pix_fmt="yuv444p", size=(97, 33)), 4.0),
    Fault("tiny.mkv", _film(codec="ffv1", pix_fmt="bgr0", size=(1, 1)), 4.0),
    Fault("ten-bit.mkv", _film(pix_fmt="yuv420p10le"), 4.0),
    Fault("444.mkv", _film(pix_fmt="yuv444p"), 4.0),
    Fault("rgb.mkv", _film(codec="libx264rgb", pix_fmt="rgb24"), 4.0),
    Fault("alpha.mkv", _film(codec="ffv1", pix_fmt="bgra"), 4.0),
    Fault("grey.mkv", _film(codec="ffv1", pix_fmt="gray16le"), 4.0),
    Fault("picture.gif", _film(codec="gif", pix_fmt="rgb8", time_base=Fraction(1, 25)), 4.0),
    Fault("8k.mp4", _film(1, size=(7680, 4320)), 0.04),
    Fault("interlaced.mkv", _film(encoder={"flags": "+ildct", "x264-params": "tff=1"}), 4.0),
    Fault("streams.mkv", _film(streams=3), 4.0),
    # names
    Fault("new\nline.mp4", _film(), 4.0),
    Fault("-dash.mp4", _film(), 4.0),
    Fault(b"undecodable-\xff\xfe.mp4", _film(), 4.0),
    Fault("x" * 251 + ".mp4", _film(), 4.0),
]


@pytest.fixture
def faulty_library(library: Path) -> dict[Path, Fault]:
    """The library with a file for each fault."""
    faults = {library / os.fsdecode(fault.name): fault for fault in FAULTS}
    for path, fault in faults.items():
        fault.make(path)
    return faults


def _is_as_expected(fault: Fault, done: FileDone | None, listed: str | None) -> bool:
    if fault.seconds is None:
        return listed is not None and fault.reason in listed
    if done is None or done.outcome is not Outcome.INDEXED:
        return False
    said = fault.reason in (done.damage or "") if fault.reason else done.damage is None
    long = done.video_seconds == pytest.approx(fault.seconds, abs=0.1)
    return said and long and fault.clips in (None, done.clips)


def test_each_fault_is_indexed_right_or_listed_with_its_reason(faulty_library, index):
    done: dict[Path, FileDone] = {}

    def watch(event):
        if isinstance(event, FileDone):
            done[event.path] = event

    report = index(on_event=watch)
    listed = {failure.path: failure.reason for failure in report.failed}
    wrong = {
        fault.name: (done.get(path), listed.get(path))
        for path, fault in faulty_library.items()
        if not _is_as_expected(fault, done.get(path), listed.get(path))
    }
    assert not wrong, "\n".join(f"{name!r}: {became}" for name, became in wrong.items())
