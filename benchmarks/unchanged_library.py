"""What a run over an unchanged library costs: `python -m benchmarks.unchanged_library`.

Thousands of distinct small films are made and put into a catalog. Then `vsearch index`, which finds
nothing to do, is measured beside what it cannot do without: listing the files with their sizes and
times (`find`), and reading what is known of them (SQLite). All take turns, so that what else the
machine does meanwhile weighs on all of them alike; that is why the ratios count, and not the times.
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

from catalog import Catalog, ClipSpan, FilePlace, VideoRecord
from indexer import (
    ClipFormat,
    Embedder,
    IndexSettings,
    index_library,
    provenance_of,
    read_fingerprint,
    read_sample,
)
from media import probe
from media.encode import write_video

FILMS_PER_FOLDER = 100
_READ = "SELECT root_id, relative_path, size, mtime_ns, video_id, error FROM files"


@dataclass(frozen=True, slots=True)
class Library:
    """`films` distinct films below the folder `films_folder`, all of them in `catalog`.

    `one_film` is a folder with a single film, in the catalog `one_film_catalog`: to index it again
    costs what starting costs.
    """

    films: int
    folder: Path
    catalog: Path
    one_film: Path
    one_film_catalog: Path


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds that each took, right after one another.

    Attributes:
        find: `find` with sizes and times.
        read: the plain read of what is known of the files, by Python's `sqlite3`.
        command: `vsearch index` of the library, a whole process.
        start: `vsearch index` of one film, a whole process.
        call: `index_library` in a process that runs already, on a catalog that is open already.
    """

    find: float
    read: float
    command: float
    start: float
    call: float


def make_films(folder: Path, *, films: int) -> None:
    """Write films that all show the same four pictures, each with content of its own.

    What tells them apart is a `free` box at the end, which players skip and fingerprints do not.
    """
    folder.mkdir(parents=True)
    first = folder / "first.mp4"
    pictures = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    write_video(first, pictures, frame_rate=1)
    film = first.read_bytes()
    first.unlink()
    for number in range(films):
        inside = folder / f"folder {number // FILMS_PER_FOLDER:04d}"
        inside.mkdir(exist_ok=True)
        box = struct.pack(">I4sQ", 16, b"free", number)
        (inside / f"film {number:06d}.mp4").write_bytes(film + box)


def fill_catalog(folder: Path, *, films: Path) -> None:
    """Put all films into a catalog as indexing would, but for decoding each.

    Their pictures are the same, so one is probed for all; fingerprint, size and time are each
    film's own, the vectors are random. That indexing finds nothing to do afterwards proves that the
    rows are those that it would have written.
    """
    # Imported here: what a process holds makes every look of the garbage collector longer.
    from xclip_core import embedder

    demo = embedder.Embedder.load("demo", device="cpu", precision="fp32")
    made_by = provenance_of(demo, settings=IndexSettings())
    rng = np.random.default_rng(0)
    paths = sorted(films.rglob("*.mp4"))
    video = probe(paths[0])
    span = ClipSpan(video.start, video.end)
    with Catalog.open(folder, create=True) as catalog:
        catalog.bind(made_by)
        for path in paths:
            sample = read_sample(path)
            vector = rng.standard_normal((1, made_by.dimension)).astype(np.float32)
            catalog.add_video(
                VideoRecord(
                    fingerprint=read_fingerprint(path),
                    sample=sample.digest,
                    duration=video.duration,
                    width=video.width,
                    height=video.height,
                    frame_rate=video.frame_rate,
                    codec=video.codec,
                    container=video.container,
                ),
                place=FilePlace(films.resolve(), path.resolve(), sample.size, sample.mtime_ns),
                clips=[span],
                vectors=vector / np.linalg.norm(vector),
            )
        catalog.save_snapshot()


def prepare(folder: Path, *, films: int) -> Library:
    """The films and catalogs in `folder`, made unless they are there."""
    library = Library(
        films=films,
        folder=folder / f"{films} films",
        catalog=folder / f"{films} films.catalog",
        one_film=folder / "1 film",
        one_film_catalog=folder / "1 film.catalog",
    )
    for count, where, catalog in (
        (films, library.folder, library.catalog),
        (1, library.one_film, library.one_film_catalog),
    ):
        if not where.exists():
            make_films(where, films=count)
            fill_catalog(catalog, films=where)
    return library


def measure(library: Library, *, rounds: int) -> Iterator[Round]:
    """Time everything, `rounds` times in turn, after one round that only warms the caches."""
    with Catalog.open(library.catalog) as catalog:
        for number in range(rounds + 1):
            taken = Round(
                find=_seconds(lambda: _find(library.folder)),
                read=_seconds(lambda: _read_plainly(library)),
                command=_seconds(
                    lambda: _index(library.folder, catalog=library.catalog, films=library.films)
                ),
                start=_seconds(
                    lambda: _index(library.one_film, catalog=library.one_film_catalog, films=1)
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
    _require(len(rows) == library.films, f"the catalog has {len(rows)} files")


def _index(folder: Path, *, catalog: Path, films: int) -> None:
    command = [sys.executable, "-m", "vsearch", "index", str(folder), "--catalog", str(catalog)]
    done = subprocess.run([*command, "--json", "--quiet"], stdout=subprocess.PIPE, check=True)
    report = json.loads(done.stdout)
    _require(report["unchanged"] == films and report["indexed"] == 0, f"not unchanged: {report}")


def _call(library: Library, catalog: Catalog) -> None:
    report = index_library([library.folder], catalog=catalog, model=_NoModel())
    _require(report.unchanged == library.films, f"not unchanged: {report}")


class _NoModel:
    @property
    def calls_at_once(self) -> int:
        return 1

    def clip_format(self) -> ClipFormat:
        _fail("something was to be decoded in a library that has not changed")

    def load(self) -> Embedder:
        _fail("something was to be decoded in a library that has not changed")


def _require(held: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as an assertion
    if not held:
        _fail(otherwise)


def _fail(sentence: str) -> NoReturn:
    raise SystemExit(f"this measures nothing: {sentence}")


def table(rounds: list[Round]) -> str:
    """Times and ratios as Markdown: the median and the middle half of the rounds."""
    needed = [r.find + r.read for r in rounds]
    times = {
        "`find` with sizes and times": [r.find for r in rounds],
        "plain `sqlite3` read of the same rows": [r.read for r in rounds],
        "`vsearch index`, the whole process": [r.command for r in rounds],
        "`vsearch index` of one film, the whole process": [r.start for r in rounds],
        "`index_library` alone, in a process that runs": [r.call for r in rounds],
    }
    ratios = {
        "whole process / (find + read)": [r.command for r in rounds],
        "(whole process - process for one film) / (find + read)": [
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
    """What was measured where."""
    size = sum(path.stat().st_size for path in library.folder.rglob("*.mp4"))
    database = (library.catalog / "catalog.sqlite").stat().st_size
    find = subprocess.run(["find", "--version"], capture_output=True, text=True, check=True)
    return (
        f"{library.films} films ({size / 1e6:.0f} MB) in folders of {FILMS_PER_FOLDER}, "
        f"a database of {database / 1e6:.0f} MB, {rounds} rounds, caches warm.\n"
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
        f"SQLite {sqlite3.sqlite_version}, {find.stdout.splitlines()[0]}."
    )


def main() -> None:
    """Prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--keep", type=Path, help="films and catalogs are kept, or found, here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library = prepare(asked.keep or Path(scratch), films=asked.films)
        print(conditions(library, rounds=asked.rounds), end="\n\n", flush=True)
        print(table(list(measure(library, rounds=asked.rounds))))


if __name__ == "__main__":
    main()
