"""Libraries to index: films as long as one likes, made by repeating a short piece of real film."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np

from benchmarks.films import real_films
from benchmarks.models import CACHE
from indexer import read_fingerprint
from media import decode_at, probe, write_video

_RATE = 30  # frames per second
_PIECE = 20  # seconds
_SHOT = 4  # seconds from one film, before the next one's turn
_SIZES = {"720p": (720, 1280, 1), "1080p": (1080, 1920, 2)}  # and films beside each other


def mixed_library(seconds: int, *, films: int = 6, folder: Path = CACHE) -> Path:
    """A folder of `films` films, 720p and 1080p H.264 in turns, of `seconds` in all.

    The pictures are those of the real films, in 1080p four at a time so that they are sharp; what
    is repeated is the encoded piece. Made once.
    """
    library = folder / f"library {seconds} s"
    library.mkdir(parents=True, exist_ok=True)
    paths = [library / f"{n} {size}.mp4" for n, size in islice(enumerate(cycle(_SIZES)), films)]
    for path in paths:
        if not path.exists():
            _repeat(_piece(path.stem.split()[1], folder), path, seconds=seconds / films)
    if len({read_fingerprint(path) for path in paths}) < films:
        raise RuntimeError(f"films in {library} count as the same content; remove the folder")
    return library


def long_film(minutes: int, folder: Path = CACHE) -> Path:
    """A folder with one film of small pictures, as many a second as in any: quickly decoded."""
    path = folder / f"library {minutes} min" / "long.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        piece, rng = folder / "piece small.mp4", np.random.default_rng(0)
        small = rng.integers(0, 256, (_PIECE * _RATE, 48, 64, 3), dtype=np.uint8)
        write_video(piece, small, frame_rate=_RATE, crf=40)
        _repeat(piece, path, seconds=60 * minutes)
    return path.parent


def _piece(size: str, folder: Path) -> Path:
    path = folder / f"piece {size}.mp4"
    if not path.exists():
        height, width, across = _SIZES[size]
        shots = [
            _shots(n, height=height // across, width=width // across) for n in range(across**2)
        ]
        rows = (_mosaic(pictures, across) for pictures in zip(*shots, strict=True))
        write_video(path, islice(rows, _PIECE * _RATE), frame_rate=_RATE)
    return path


def _shots(first: int, *, height: int, width: int) -> Iterator[np.ndarray]:
    """Pictures of one film after another, without end, from the one numbered `first` on."""
    films = [probe(path) for path in real_films()]
    times = [number / _RATE for number in range(_SHOT * _RATE)]
    for video in islice(cycle(films), first, None):
        for frame in decode_at(video, times, size=(height, width)):
            yield frame.pixels


def _mosaic(pictures: tuple[np.ndarray, ...], across: int) -> np.ndarray:
    rows = [
        np.concatenate(pictures[n : n + across], axis=1) for n in range(0, len(pictures), across)
    ]
    return np.concatenate(rows)


def _repeat(piece: Path, path: Path, *, seconds: float) -> None:
    """The packets of `piece` over and over, without decoding; its name is in the film's title."""
    with av.open(str(path), "w") as film, av.open(str(piece)) as source:
        film.metadata["title"] = path.stem
        taken = source.streams.video[0]
        stream = film.add_stream_from_template(taken)
        length = int(Fraction(_PIECE) / (taken.time_base or Fraction(1, _RATE)))
        for turn in range(round(seconds / _PIECE)):
            source.seek(0)
            for packet in source.demux(taken):
                if packet.dts is not None and packet.pts is not None:
                    packet.pts, packet.dts = packet.pts + turn * length, packet.dts + turn * length
                    packet.stream = stream
                    film.mux(packet)
