"""Libraries of videos of any length, made by repeating a short piece of real video."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np

from benchmarks.inputs.models import CACHE
from benchmarks.inputs.videos import real_videos
from indexer import read_fingerprint
from media import decode_at, probe, write_video

_RATE = 30  # frames per second
_PIECE = 20  # seconds
_SHOT = 4  # seconds of one video, before the next one
_SIZES = {"720p": (720, 1280, 1), "1080p": (1080, 1920, 2)}  # and videos side by side


def mixed_library(seconds: int, *, videos: int = 6, folder: Path = CACHE) -> Path:
    """Make a folder of `videos` videos, 720p and 1080p H.264 in turns, `seconds` long together.

    Frames come from the real videos, in 1080p from four at a time so that they are sharp. The
    encoded piece is repeated. Made once.
    """
    library = folder / f"library {seconds} s"
    library.mkdir(parents=True, exist_ok=True)
    paths = [library / f"{n} {size}.mp4" for n, size in islice(enumerate(cycle(_SIZES)), videos)]
    for path in paths:
        if not path.exists():
            piece = _piece(path.stem.split()[1], folder)
            repeat(piece, path, times=round(seconds / videos / _PIECE), piece=_PIECE)
    if len({read_fingerprint(path) for path in paths}) < videos:
        raise RuntimeError(f"videos in {library} count as the same content; remove the folder")
    return library


def long_video(minutes: int, folder: Path = CACHE) -> Path:
    """Make a folder with one video of small frames at a normal frame rate: quick to decode."""
    path = folder / f"library {minutes} min" / "long.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        piece, rng = folder / "piece small.mp4", np.random.default_rng(0)
        small = rng.integers(0, 256, (_PIECE * _RATE, 48, 64, 3), dtype=np.uint8)
        write_video(piece, small, frame_rate=_RATE, crf=40)
        repeat(piece, path, times=round(60 * minutes / _PIECE), piece=_PIECE)
    return path.parent


def _piece(size: str, folder: Path) -> Path:
    path = folder / f"piece {size}.mp4"
    if not path.exists():
        height, width, across = _SIZES[size]
        shots = [
            _shots(n, height=height // across, width=width // across) for n in range(across**2)
        ]
        rows = (_mosaic(frames, across) for frames in zip(*shots, strict=True))
        write_video(path, islice(rows, _PIECE * _RATE), frame_rate=_RATE)
    return path


def _shots(first: int, *, height: int, width: int) -> Iterator[np.ndarray]:
    """Yield frames of one video after another, without end, beginning with number `first`."""
    videos = [probe(path) for path in real_videos()]
    times = [number / _RATE for number in range(_SHOT * _RATE)]
    for video in islice(cycle(videos), first, None):
        for frame in decode_at(video, times, size=(height, width)):
            yield frame.pixels


def _mosaic(frames: tuple[np.ndarray, ...], across: int) -> np.ndarray:
    rows = [np.concatenate(frames[n : n + across], axis=1) for n in range(0, len(frames), across)]
    return np.concatenate(rows)


def repeat(source: Path, path: Path, *, times: int, piece: int) -> None:
    """Repeat the packets of a file of `piece` seconds; the title makes each file unique."""
    with av.open(str(path), "w") as video, av.open(str(source)) as read:
        video.metadata["title"] = path.stem
        taken = read.streams.video[0]
        stream = video.add_stream_from_template(taken)
        length = int(Fraction(piece) / (taken.time_base or Fraction(1, _RATE)))
        for turn in range(times):
            read.seek(0)
            for packet in read.demux(taken):
                if packet.dts is not None and packet.pts is not None:
                    packet.pts, packet.dts = packet.pts + turn * length, packet.dts + turn * length
                    packet.stream = stream
                    video.mux(packet)
