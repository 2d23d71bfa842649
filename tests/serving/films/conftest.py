"""The page's server over a library of films of many kinds, asked as a browser asks."""

import http.client
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from catalog import Catalog
from tests.ui.conftest import film, index_into, model, settings_in, start, started
from vsearch.settings import Settings, page_environment

__all__ = ["film", "model", "start"]  # fixtures

RATE = 48_000
MANY = 64 << 20  # bytes behind a film, more than all buffers on the way to a browser hold
PITCHES = (300, 600, 1200, 2400)  # Hz, one a second


def colour_at(second: int) -> tuple[int, int, int]:
    """A colour for each second, far from those of its neighbours."""
    return ((second * 80) % 240, (second * 120) % 240, 200 if second % 2 else 90)


def write_sounding(path: Path, *, seconds: int, codec: str, sound: str, size: int = 96) -> Path:
    """A film that has one colour and one pitch in each second, 20 pictures in each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=20, options={"threads": "1", "g": "40"})
        video.width, video.height, video.pix_fmt = size * 16 // 9 // 2 * 2, size, "yuv420p"
        audio = container.add_stream(sound, rate=RATE, layout="stereo")
        for number in range(seconds * 20):
            picture = np.full((size, video.width, 3), colour_at(number // 20), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 20)
            container.mux(video.encode(frame))
            times = (np.arange(RATE // 20) + number * (RATE // 20)) / RATE
            wave = 0.5 * np.sin(2 * np.pi * PITCHES[number // 20 % 4] * times)
            block = av.AudioFrame.from_ndarray(
                np.stack([wave, wave]).astype(np.float32), format="fltp", layout="stereo"
            )
            block.sample_rate, block.pts = RATE, number * (RATE // 20)
            block.time_base = Fraction(1, RATE)
            container.mux(audio.encode(block))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def write_long(path: Path) -> Path:
    """A minute of noise, of which the H.264 is larger than all buffers on the way to a browser."""
    chance = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mjpeg", rate=10)
        video.width, video.height, video.pix_fmt = 640, 480, "yuvj420p"
        noise = [chance.integers(0, 255, (720, 640), dtype=np.uint8) for _ in range(8)]
        for number in range(600):
            frame = av.VideoFrame.from_ndarray(noise[number % 8], format="yuvj420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Cinema:
    """A server, the library that it serves, and its process."""

    settings: Settings
    folder: Path
    port: int
    process: "subprocess.Popen[str]"
    ids: dict[str, int] = field(default_factory=dict)

    def get(self, address: str, *, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, address, headers=named)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    def of(self, kind: str, name: str, query: str = "") -> str:
        return f"/{kind}/{self.ids[name]}" + (f"?{query}" if query else "")

    def files_open(self) -> list[str]:
        """The films that the server has open at the moment."""
        found = []
        for number in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                found.append(str(number.readlink()))
            except OSError:
                continue
        return [name for name in found if name.startswith(str(self.folder))]


def ids_by_name(settings: Settings) -> dict[str, int]:
    with Catalog.open(settings.catalog) as catalog:
        return {path.name: video.video_id for video in catalog.videos() for path in video.paths}


@pytest.fixture(scope="session")
def show() -> Callable[..., AbstractContextManager[Cinema]]:
    """Serve the page over a catalog, by the process that `vsearch ui` becomes."""

    @contextmanager
    def served(settings: Settings, folder: Path, start: Any) -> Iterator[Cinema]:
        empty = settings.home / "empty"
        empty.mkdir(exist_ok=True)
        variables = page_environment(settings) | {"OMP_NUM_THREADS": "1"}
        with start(["-P", "-m", "ui.serve", "--port"], empty, **variables) as (process, port):
            yield Cinema(settings, folder, port, process, ids_by_name(settings))

    return served


@pytest.fixture(scope="session")
def sounding() -> Callable[..., Path]:
    return write_sounding


@pytest.fixture(scope="session")
def colour_of() -> Callable[[int], tuple[int, int, int]]:
    return colour_at


@pytest.fixture(scope="module")
def cinema(
    tmp_path_factory: pytest.TempPathFactory, model: Path, film: Any, show: Any
) -> Iterator[Cinema]:
    """A library with films of several kinds; tests change only those that are named for it."""
    home = tmp_path_factory.mktemp("cinema")
    folder = home / "films"
    write_sounding(folder / "sounding.mp4", seconds=12, codec="libx264", sound="aac")
    write_sounding(folder / "other.mkv", seconds=12, codec="mpeg4", sound="libmp3lame", size=180)
    with write_sounding(folder / "large.mp4", seconds=4, codec="libx264", sound="aac").open(
        "ab"
    ) as large:
        large.write((MANY + 8).to_bytes(4, "big") + b"free")
        large.truncate(large.tell() + MANY)
    write_long(folder / "long.avi")
    film(folder / "silent.mp4", seconds=9, tint=40)
    film(folder / "doomed.mp4", seconds=5, tint=90)
    film(folder / "edited.mp4", seconds=6, tint=120)
    film(folder / "swapped.mp4", seconds=7, tint=150)
    real = os.environ.get("VSEARCH_TEST_VIDEOS")
    for name in ("juggle_hevc10.mkv", "makeup.avi", "nasa_multistream.mp4", "testvideo.mp4"):
        if real:
            shutil.copy(Path(real) / name, folder / name)
    settings = settings_in(home, model=model)
    index_into(settings, folder)
    with show(settings, folder, started) as cinema:
        yield cinema
