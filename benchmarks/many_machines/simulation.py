"""Simulation of a large catalog: random vectors in PostgreSQL, and the same in SQLite beside it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.inputs.catalogs import CLIPS_OF_EACH, add_film
from benchmarks.many_machines.servers import new_database
from catalog import Catalog, Provenance
from catalog.address import Address

DIM = 512
_CAUGHT_UP = 4  # films of 250 clips
_LIMIT = 100
_QUESTIONS = 11
_MADE_BY = Provenance(
    model="random",
    revision=None,
    model_digest="0" * 64,
    dim=DIM,
    frames_per_clip=8,
    window=8.0,
    stride=4.0,
)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of wall time, and of this process's processor time."""

    wall: float
    cpu: float

    @property
    def text(self) -> str:
        """Both, in milliseconds or seconds."""
        return f"{_told(self.wall)} ({_told(self.cpu)})"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on one catalog of `clips`; bytes are those of one clip in the database."""

    clips: int
    filled: float
    cold: Times
    question: Times
    caught_up: Times
    bytes_a_clip: float


@contextmanager
def both(server: str) -> Iterator[dict[str, Address]]:
    """An address for each engine."""
    with new_database(server) as address, tempfile.TemporaryDirectory() as folder:
        yield {"PostgreSQL": address, "SQLite": Path(folder) / "catalog"}


def measured(address: Address, *, films: int) -> Figures:
    """Fill a new catalog with films, then open it anew, ask it, and let it catch up."""
    random = np.random.default_rng(0)
    with Catalog.open(address, create=True) as catalog:
        catalog.bind(_MADE_BY)
        filled = _times(lambda: _fill(catalog, films, random)).wall
    questions = random.standard_normal((_QUESTIONS, DIM)).astype(np.float32)
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    with Catalog.open(address) as catalog:
        # The first question of a process may do without the view, the second one never does.
        cold = _times(lambda: [catalog.nearest_clips(questions[0], limit=_LIMIT) for _ in range(2)])
        asked = [
            _times(lambda row=row: catalog.nearest_clips(row, limit=_LIMIT))  # type: ignore[misc]
            for row in questions
        ]
        question = Times(median(one.wall for one in asked), median(one.cpu for one in asked))
        for number in range(films, films + _CAUGHT_UP):
            add_film(catalog, number, random=random, dim=DIM)
        after = _times(lambda: catalog.nearest_clips(questions[0], limit=_LIMIT))
        size = catalog.status().database_bytes
    clips = films * CLIPS_OF_EACH
    return Figures(
        clips=clips,
        filled=filled,
        cold=cold,
        question=question,
        caught_up=Times(max(after.wall - question.wall, 0), max(after.cpu - question.cpu, 0)),
        bytes_a_clip=size / clips,
    )


def table(found: dict[str, Figures]) -> str:
    """The figures of each engine, side by side: wall time, and processor time in brackets."""
    rows: dict[str, Callable[[Figures], str]] = {
        "filled, one writer": lambda one: f"{one.clips / one.filled:,.0f} clips/s",
        "cold build of the view": lambda one: one.cold.text,
        f"catch-up after {_CAUGHT_UP * CLIPS_OF_EACH:,} new clips": lambda one: one.caught_up.text,
        f"a question ({_LIMIT} clips)": lambda one: one.question.text,
        "room in the database": lambda one: f"{one.bytes_a_clip:,.0f} B a clip",
    }
    lines = [f"| {next(iter(found.values())).clips:,} clips | {' | '.join(found)} |"]
    lines.append("|---|" + "---|" * len(found))
    for name, text in rows.items():
        lines.append(f"| {name} | {' | '.join(map(text, found.values()))} |")
    return "\n".join(lines)


def _fill(catalog: Catalog, films: int, random: np.random.Generator) -> None:
    for number in range(films):
        add_film(catalog, number, random=random, dim=DIM)
        if number % 500 == 499:
            print(f"{number + 1} of {films} films", file=sys.stderr, flush=True)


def _times(act: Callable[[], object]) -> Times:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Times(time.perf_counter() - wall, time.process_time() - cpu)


def _told(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
