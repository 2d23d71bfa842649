"""Cost of an index run over an unchanged library: `python -m benchmarks.unchanged_library`.

Thousands of different small videos are made and added to a catalog. Then `vsearch index`, which has
nothing to do, is compared with the least that it needs: listing the files with their sizes and
times (`find`), and reading the rows of the files (SQLite). They are measured in turns, so that
other work on the machine slows all of them down alike; the ratios count, not the times.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import numpy as np

from catalog import Catalog, ClipSpan, FileLocation, VideoRecord
from indexer import (
    ClipEmbedder,
    ClipSpec,
    IndexSettings,
    index_library,
    provenance_of,
    read_fingerprint,
    read_sample,
)
from media import probe, write_video

VIDEOS_PER_FOLDER = 100
_READ = "SELECT root_id, relative_path, size, mtime_ns, video_id, error FROM files"


@dataclass(frozen=True, slots=True)
class Library:
    """A library of `videos` different videos in `folder`, all of them in `catalog`.

    `one_video` is a folder with a single video, in the catalog `one_video_catalog`: the cost of
    indexing it again is the cost of the start.
    """

    videos: int
    folder: Path
    catalog: Path
    one_video: Path
    one_video_catalog: Path


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds for each measurement of one round.

    Attributes:
        find: `find` with sizes and times.
        read: reading the rows of the files with Python's `sqlite3`.
        command: `vsearch index` of the library, as a separate process.
        start: `vsearch index` of one video, as a separate process.
        call: `index_library` in a running process, on an open catalog.
    """

    find: float
    read: float
    command: float
    start: float
    call: float


def make_videos(folder: Path, *, videos: int) -> None:
    """Write videos with the same four frames and different bytes.

    They differ in a `free` box at the end, which players skip and fingerprints include.
    """
    folder.mkdir(parents=True)
    first = folder / "first.mp4"
    frames = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    write_video(first, frames, frame_rate=1)
    video = first.read_bytes()
    first.unlink()
    for number in range(videos):
        inside = folder / f"folder {number // VIDEOS_PER_FOLDER:04d}"
        inside.mkdir(exist_ok=True)
        box = struct.pack(">I4sQ", 16, b"free", number)
        (inside / f"video {number:06d}.mp4").write_bytes(video + box)


def fill_catalog(folder: Path, *, videos: Path) -> None:
    """Add all videos to a catalog like an index run, without decoding each.

    Their frames are the same, so one video is probed for all; fingerprint, size and time are read
    from each file, the vectors are random. An index run that finds nothing to do afterwards proves
    that the rows are the ones it would have written.
    """
    # Imported here: more objects in a process make each garbage collection longer.
    from xclip_core import embedder

    demo = embedder.Embedder.load("demo", device="cpu", precision="fp32")
    made_by = provenance_of(demo, settings=IndexSettings())
    rng = np.random.default_rng(0)
    paths = sorted(videos.rglob("*.mp4"))
    video = probe(paths[0])
    span = ClipSpan(video.start, video.end)
    with Catalog.open(folder, create=True) as catalog:
        catalog.bind(made_by)
        for path in paths:
            sample = read_sample(path)
            vector = rng.standard_normal((1, made_by.dim)).astype(np.float32)
            catalog.add_video(
                VideoRecord(
                    fingerprint=read_fingerprint(path),
                    sample=sample.digest,
                    subtitles=(),
                    **video.facts(),
                ),
                location=FileLocation(
                    videos.resolve(), path.resolve(), sample.size, sample.mtime_ns
                ),
                clips=[span],
                vectors=vector / np.linalg.norm(vector),
            )
        catalog.save_snapshot()


def prepare(folder: Path, *, videos: int) -> Library:
    """Make the videos and catalogs in `folder`, unless they exist."""
    library = Library(
        videos=videos,
        folder=folder / f"{videos} videos",
        catalog=folder / f"{videos} videos.catalog",
        one_video=folder / "1 video",
        one_video_catalog=folder / "1 video.catalog",
    )
    for count, where, catalog in (
        (videos, library.folder, library.catalog),
        (1, library.one_video, library.one_video_catalog),
    ):
        if not where.exists():
            make_videos(where, videos=count)
            fill_catalog(catalog, videos=where)
    return library


def measure(library: Library, *, rounds: int) -> Iterator[Round]:
    """Measure everything in `rounds` rounds, after one round that only fills the caches."""
    with Catalog.open(library.catalog) as catalog:
        for number in range(rounds + 1):
            taken = Round(
                find=_seconds(lambda: _find(library.folder)),
                read=_seconds(lambda: _read_plainly(library)),
                command=_seconds(
                    lambda: _index(library.folder, catalog=library.catalog, videos=library.videos)
                ),
                start=_seconds(
                    lambda: _index(library.one_video, catalog=library.one_video_catalog, videos=1)
                ),
                call=_seconds(lambda: _call(library, catalog)),
            )
            if number:
                yield taken


def _seconds(act: Callable[[], None]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def _find(folder: Path) -> None:
    command = ["find", str(folder), "-type", "f", "-printf", "%s %T@ %p\n"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def _read_plainly(library: Library) -> None:
    with closing(sqlite3.connect(library.catalog / "catalog.sqlite")) as connection:
        rows = connection.execute(_READ).fetchall()
    _require(len(rows) == library.videos, f"the catalog has {len(rows)} files")


def _index(folder: Path, *, catalog: Path, videos: int) -> None:
    command = [sys.executable, "-m", "vsearch", "index", str(folder), "--catalog", str(catalog)]
    done = subprocess.run([*command, "--json", "--quiet"], stdout=subprocess.PIPE, check=True)
    report = json.loads(done.stdout)
    _require(report["unchanged"] == videos and report["indexed"] == 0, f"not unchanged: {report}")


def _call(library: Library, catalog: Catalog) -> None:
    report = index_library([library.folder], catalog=catalog, model=_NoModel())
    _require(report.unchanged == library.videos, f"not unchanged: {report}")


class _NoModel:
    @property
    def calls_at_once(self) -> int:
        return 1

    def clip_format(self) -> ClipSpec:
        _fail("a video of an unchanged library would be decoded")

    def load(self) -> ClipEmbedder:
        _fail("a video of an unchanged library would be decoded")


def _require(held: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as an assertion
    if not held:
        _fail(otherwise)


def _fail(sentence: str) -> NoReturn:
    raise SystemExit(f"the measurement is not valid: {sentence}")


def table(rounds: list[Round]) -> str:
    """Format times and ratios as Markdown: median and middle half of the rounds."""
    needed = [r.find + r.read for r in rounds]
    times = {
        "`find` with sizes and times": [r.find for r in rounds],
        "plain `sqlite3` read of the same rows": [r.read for r in rounds],
        "`vsearch index`, the whole process": [r.command for r in rounds],
        "`vsearch index` of one video, the whole process": [r.start for r in rounds],
        "`index_library` alone, in a running process": [r.call for r in rounds],
    }
    ratios = {
        "whole process / (find + read)": [r.command for r in rounds],
        "(whole process - process for one video) / (find + read)": [
            r.command - r.start for r in rounds
        ],
        "`index_library` alone / (find + read)": [r.call for r in rounds],
    }
    lines = ["| time | median | middle half |", "|---|---|---|"]
    lines += [_line(name, [1000 * s for s in times[name]], form="{:.0f} ms") for name in times]
    lines += ["", "| ratio, round by round | median | middle half |", "|---|---|---|"]
    for name, seconds in ratios.items():
        shares = [s / n for s, n in zip(seconds, needed, strict=True)]
        lines.append(_line(name, shares, form="{:.2f}"))
    return "\n".join(lines)


def _line(name: str, values: list[float], *, form: str) -> str:
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"| {name} | {form.format(median)} | {form.format(low)} to {form.format(high)} |"


def conditions(library: Library, *, rounds: int) -> str:
    """Describe the library and the machine."""
    size = sum(path.stat().st_size for path in library.folder.rglob("*.mp4"))
    database = (library.catalog / "catalog.sqlite").stat().st_size
    find = subprocess.run(["find", "--version"], capture_output=True, text=True, check=True)
    return (
        f"{library.videos} videos ({size / 1e6:.0f} MB) in folders of {VIDEOS_PER_FOLDER}, "
        f"a database of {database / 1e6:.0f} MB, {rounds} rounds, caches warm.\n"
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
        f"SQLite {sqlite3.sqlite_version}, {find.stdout.splitlines()[0]}."
    )


def main() -> None:
    """Prepare, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--keep", type=Path, help="folder in which videos and catalogs are kept for another run"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library = prepare(arguments.keep or Path(scratch), videos=arguments.videos)
        print(conditions(library, rounds=arguments.rounds), end="\n\n", flush=True)
        print(table(list(measure(library, rounds=arguments.rounds))))


if __name__ == "__main__":
    main()
