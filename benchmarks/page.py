"""The page's server: seeks in a large film, films made anew, pictures, memory."""

from __future__ import annotations

import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from benchmarks.inputs.models import CACHE
from benchmarks.measure.section import Row, Section
from benchmarks.measure.timing import Figure, figure_of
from catalog import Catalog
from indexer import IndexSettings
from media import write_video
from vsearch.services.library.indexing import IndexOptions, index_library
from vsearch.settings import Settings, page_environment

SEEK_BAR, LIVE_BAR, MEMORY_BAR = 0.2, 2.5, 100  # seconds, seconds, MiB
_SEEKS, _TIMED, _PLAYS = 200, 50, 50
_LARGE = 2 << 30  # bytes
_SECONDS, _RATE = 30, 30
_PIECE = 256 << 10
_FIRST_PICTURES = 20 << 10  # bytes of a film made anew that hold more than its header
_PLAYED = 2 << 20  # bytes


def measure() -> Section:
    """Serve two films, and ask for them as players do."""
    with tempfile.TemporaryDirectory(prefix="vsearch-page-") as scratch:
        home = Path(scratch)
        films = _films(home / "films")
        settings = Settings(home=home, catalog=home / "catalog", model="demo", device="cpu")
        index_library(
            [home / "films"],
            settings=settings,
            options=IndexOptions(settings=IndexSettings(workers=1)),
        )
        with _served(settings) as server:
            return _measured(server, films)


def _measured(server: _Server, films: dict[str, Path]) -> Section:
    chance = random.Random(0)
    hevc, large = server.ids[films["hevc"]], server.ids[films["large"]]
    began = server.memory()
    still = server.seconds(f"/still/{hevc}?at=14.9")
    sprite = server.seconds(f"/sprite/{hevc}?start=11&end=19")
    whole = server.seconds(f"/sprite/{hevc}?start=0&end={_SECONDS}")
    live = [
        server.seconds(f"/live/{hevc}?start={start}", first=_FIRST_PICTURES)
        for start in (0, 3.9, 8.1, 15.9, 23.9)
    ]
    warm = server.memory()
    size = films["large"].stat().st_size
    seeks = [
        server.seconds(f"/film/{large}", first=_PIECE, offset=chance.randrange(size - _PIECE))
        for _ in range(_SEEKS + _TIMED)
    ]
    for number in range(_PLAYS):
        server.seconds(f"/live/{hevc}?start={number % _SECONDS}", first=_PLAYED)
    ended = server.memory()
    after = figure_of([1000 * second for second in seeks[-_TIMED:]], unit="ms")
    growth = ended - began
    return Section(
        title="Page",
        setting=(
            f"One browser's requests to the server of the page. H.265 (Main 10) 720p, {_SECONDS} s "
            f"at {_RATE} frames a second with a key frame every 4 s, and an H.264 film in a sparse "
            "file of 2 GiB; both show a moving pattern with noise."
        ),
        rows=(
            Row(
                f"seek to the first {_PIECE >> 10} KiB, after {_SEEKS} seeks that were broken off",
                after,
                f"≤ {1000 * SEEK_BAR:.0f} ms",
                after.high <= 1000 * SEEK_BAR,
            ),
            _live_row(live),
            Row("first still of an H.265 film, in s", still),
            Row("first sprite of 8 s of it, in s", sprite),
            Row("sprite of all of it, in s", whole),
            Row(
                f"memory after {_PLAYS} plays of {_PLAYED >> 20} MiB, beyond that at the start",
                f"{growth:.0f} MiB",
                f"≤ {MEMORY_BAR} MiB",
                growth <= MEMORY_BAR,
                f"of it {warm - began:.0f} MiB came with the first pictures and five plays",
            ),
        ),
        notes=(f"The 200 seeks took {1000 * statistics.median(seeks[:_SEEKS]):.0f} ms each.",),
    )


def _live_row(seconds: list[float]) -> Row:
    figure: Figure = figure_of(seconds, unit="s")
    return Row(
        "first pictures of H.265 720p made anew, from five places",
        figure,
        f"≤ {LIVE_BAR} s",
        figure.high <= LIVE_BAR,
    )


@dataclass(frozen=True, slots=True)
class _Server:
    """The page's server, and the ids of the films in its catalog."""

    port: int
    process: subprocess.Popen[bytes]
    ids: dict[Path, int]

    def seconds(self, address: str, *, first: int | None = None, offset: int = 0) -> float:
        """Time until the `first` bytes from `offset` on are there, or all; then hang up."""
        begin = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", address, headers={"Range": f"bytes={offset}-"} if offset else {})
        answer = connection.getresponse()
        if answer.status not in (200, 206):
            raise RuntimeError(f"{address}: {answer.status} {answer.read()!r}")
        got = answer.read(first)
        taken = time.perf_counter() - begin
        connection.close()
        if not got:
            raise RuntimeError(f"{address} sent nothing")
        return taken

    def memory(self) -> float:
        """Resident memory in MiB, once it has come to rest."""
        time.sleep(1)
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(resident.split()[1]) / 1024


@contextmanager
def _served(settings: Settings) -> Iterator[_Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Catalog.open(settings.catalog) as catalog:
        ids = {path: video.video_id for video in catalog.videos() for path in video.paths}
    with subprocess.Popen(
        [sys.executable, "-m", "ui.serve", "--port", str(port), "--quiet"],
        env={**os.environ, **page_environment(settings)},
    ) as process:
        try:
            server = _Server(port, process, ids)
            _wait_for(server)
            yield server
        finally:
            process.terminate()


def _wait_for(server: _Server) -> None:
    for _ in range(600):
        try:
            server.seconds("/_stcore/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the page did not answer within a minute")


def _films(folder: Path) -> dict[str, Path]:
    """The films, made once and kept, in a folder of their own."""
    folder.mkdir(parents=True)
    kept = {"hevc": CACHE / "page hevc 720p.mp4", "large": CACHE / "page h264 720p.mp4"}
    CACHE.mkdir(parents=True, exist_ok=True)
    if not kept["hevc"].exists():
        partial = kept["hevc"].with_suffix(".partial.mp4")
        _write_hevc(partial)
        partial.replace(kept["hevc"])
    if not kept["large"].exists():
        write_video(kept["large"], _moving(), frame_rate=_RATE, crf=23)
    films = {name: folder / f"{name}.mp4" for name in kept}
    for name, path in films.items():
        path.write_bytes(kept[name].read_bytes())
    with films["large"].open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write((1).to_bytes(4, "big") + b"free" + (_LARGE + 16).to_bytes(8, "big"))
        file.truncate(file.tell() + _LARGE)
    return films


def _write_hevc(path: Path) -> None:
    options = {"preset": "veryfast", "crf": "26", "x265-params": "keyint=120:log-level=error"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p10le"
        for number, pixels in enumerate(_moving()):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(format="yuv420p10le")
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _moving() -> Iterator[np.ndarray]:
    """A bright shape that moves over noise, 720p."""
    rng = np.random.default_rng(0)
    ground = rng.normal(90, 12, (720, 1280 + 640, 3)).clip(0, 255).astype(np.uint8)
    for number in range(_SECONDS * _RATE):
        frame = ground[:, number % 640 : number % 640 + 1280].copy()
        left = (number * 9) % 1000
        frame[200:480, left : left + 280] = (220, number % 200, 60)
        yield frame
