"""Films for the page's measurements, made once and kept, and a catalog of 100,000 clips with them.

What is found are toy films, which the demo model knows. The other clips have random vectors.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from benchmarks.inputs.catalogs import add_film, bring_up_to_date
from benchmarks.inputs.library import repeat
from benchmarks.inputs.models import CACHE
from catalog import Catalog, ClipSpan, FileLocation, VideoRecord
from indexer import IndexSettings
from machine.file_state import size_and_time
from media import probe, write_video
from toyworld.film import plan_events, render_frames
from toyworld.world import TRAINED, Combination
from vsearch.services.library.indexing import IndexOptions, index_library
from vsearch.settings import Settings

SECONDS, RATE = 30, 30
RANDOM_FILMS = 400
_TOY_FILMS, _TIMES = 18, 3
_ASKED = (
    tuple(c for c in TRAINED if c.colour == "blue" and c.motion == "growing")[:2]
    + tuple(c for c in TRAINED if c.colour == "red" and c.motion == "moving left")[:2]
)
_TOY_RATE = Fraction(10)
_LARGE = 2 << 30  # bytes

CAPTIONS = tuple(one.caption for one in _ASKED)
"""Sentences that are each true of `_TOY_FILMS * _TIMES` moments."""


def page_settings(home: Path = CACHE / "page") -> Settings:
    """Where the catalog of `page_catalog` lies."""
    return Settings(home=home, catalog=home / "catalog", model="demo", device="cpu")


def page_catalog() -> tuple[Settings, dict[str, Path]]:
    """A catalog of 100,000 clips of films that are not there, and of those that are, by name."""
    settings = page_settings()
    films = _films(settings.home / "films")
    if not (settings.home / "complete").exists():
        shutil.rmtree(settings.home / "catalog", ignore_errors=True)
        toys = settings.home / "toys"
        _write_toys(toys)
        index_library(
            [toys],
            settings=settings,
            options=IndexOptions(settings=IndexSettings(workers=1)),
        )
        random = np.random.default_rng(0)
        with Catalog.open(settings.catalog) as catalog:
            dim = 0 if catalog.provenance is None else catalog.provenance.dim
            for number in range(RANDOM_FILMS):
                add_film(catalog, number, random=random, dim=dim, framed=True)
            for path in films.values():
                _add(catalog, path, random=random, dim=dim)
            bring_up_to_date(catalog)
        (settings.home / "complete").touch()
    return settings, films


def _add(catalog: Catalog, path: Path, *, random: np.random.Generator, dim: int) -> None:
    """Add a film that is there with a random clip: it is played, not found."""
    info = probe(path)
    size, mtime_ns = size_and_time(path.stat())
    vector = random.standard_normal((1, dim), dtype=np.float32)
    catalog.add_video(
        VideoRecord(
            path.name, info.duration, info.width, info.height, RATE, info.codec, info.container
        ),
        location=FileLocation(path.parent, path, size, mtime_ns),
        clips=[ClipSpan(0.0, min(8.0, info.duration))],
        vectors=vector / np.linalg.norm(vector),
    )


def _write_toys(folder: Path) -> None:
    """Films of 160 x 120 pixels in which each of a few events comes several times."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(_TOY_FILMS):
        path = folder / f"toys {number:02}.mp4"
        if not path.exists():
            beside = path.with_suffix(".new.mp4")
            write_video(beside, _toy(number), frame_rate=_TOY_RATE)
            beside.replace(path)


def _toy(number: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng([number])
    cast: list[Combination] = [_ASKED[i % len(_ASKED)] for i in range(_TIMES * len(_ASKED))]
    events, duration = plan_events([cast[i] for i in random.permutation(len(cast))], random)
    return render_frames(
        events, random, duration=duration, frame_rate=_TOY_RATE, width=160, height=120
    )


def _films(folder: Path) -> dict[str, Path]:
    """Films to play: 720p in H.264 and H.265, and an H.264 one of 2 GiB."""
    folder.mkdir(parents=True, exist_ok=True)
    films = {name: folder / f"{name}.mp4" for name in ("h264", "hevc", "large")}
    if not films["h264"].exists():
        write_video(films["h264"], _moving(), frame_rate=RATE, crf=23)
    if not films["hevc"].exists():
        partial = folder / "partial.mp4"
        _write_hevc(partial)
        partial.replace(films["hevc"])
    if not films["large"].exists():
        times = _LARGE // films["h264"].stat().st_size + 1
        partial = folder / "partial.mp4"
        repeat(films["h264"], partial, times=times, piece=SECONDS)
        partial.replace(films["large"])
    return films


def _write_hevc(path: Path) -> None:
    options = {"preset": "veryfast", "crf": "26", "x265-params": "keyint=120:log-level=error"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p10le"
        for number, pixels in enumerate(_moving()):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(format="yuv420p10le")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _moving() -> Iterator[np.ndarray]:
    """A bright shape that moves over noise, 720p."""
    rng = np.random.default_rng(0)
    ground = rng.normal(90, 12, (720, 1280 + 640, 3)).clip(0, 255).astype(np.uint8)
    for number in range(SECONDS * RATE):
        frame = ground[:, number % 640 : number % 640 + 1280].copy()
        left = (number * 9) % 1000
        frame[200:480, left : left + 280] = (220, number % 200, 60)
        yield frame
