"""`kill -9` at any moment: what was committed stays, and the end is as if nothing had happened."""

import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from catalog import Catalog
from tests.catalog.invariants import require_invariants
from tests.forked import Forked, run_module
from tests.indexer.colours import DIM
from tests.indexer.indexing_process import run

KILLS = 50
FILMS = 6


@pytest.fixture
def films(film, library) -> Path:
    """Short videos, one that is long, a copy, and a file that is no video."""
    for number in range(FILMS - 1):
        film(f"{number}.mp4", seconds=20 + number, first=30 * number, step=1)
    film("long.mp4", seconds=100, first=10, step=1)
    shutil.copy(library / "0.mp4", library / "copy.mp4")
    return library


@dataclass(frozen=True)
class Contents:
    """All that a catalog answers with, without the ids."""

    clips: dict[tuple[str, float, float], np.ndarray]
    answers: list[list[tuple[str, float, float]]]


def contents(folder: Path) -> Contents:
    """Every clip with its cosines to a basis, which are its vector; and a few ranked answers."""
    clips: dict[tuple[str, float, float], np.ndarray] = {}
    answers = []
    with Catalog.open(folder) as catalog:
        for axis in range(DIM):
            for match in catalog.nearest_clips(np.eye(DIM, dtype=np.float32)[axis], limit=10_000):
                key = (match.path.name, match.start, match.end)
                assert len(match.paths) == 1 or match.path.name in ("0.mp4", "copy.mp4")
                clips.setdefault(key, np.zeros(DIM))[axis] = match.score
        rng = np.random.default_rng(0)
        for _ in range(5):
            query = rng.normal(size=DIM).astype(np.float32)
            found = catalog.nearest_clips(query / np.linalg.norm(query), limit=10_000)
            # Equal scores are ranked by id, that is by the order in which films were done.
            ranked = sorted(found, key=lambda m: (-m.score, m.path.name, m.start))
            answers.append([(m.path.name, m.start, m.end) for m in ranked])
        assert catalog.status().partials == 0
    return Contents(clips, answers)


def assert_same(folder: Path, undisturbed: Contents) -> None:
    found = contents(folder)
    assert found.clips.keys() == undisturbed.clips.keys()
    for key, vector in undisturbed.clips.items():
        assert np.array_equal(found.clips[key], vector), key
    assert found.answers == undisturbed.answers


@dataclass
class Indexing:
    """Starts runs that can be recognised among all processes, and ends them."""

    library: Path
    mark: str

    def start(self, folder: Path) -> Forked:
        """Start a run. It is not marked itself, as readers are: only they can be left over."""
        return Forked(
            run_module,
            *("tests.indexer.indexing_process", str(self.library), str(folder)),
            environment={**os.environ, "VSEARCH_TEST_MARK": self.mark},
        )

    def left_over(self) -> list[int]:
        """Processes of runs that are still there; they may take a moment to notice."""
        deadline = time.monotonic() + 10
        while (alive := list(self._alive())) and time.monotonic() < deadline:
            time.sleep(0.05)
        return alive

    def _alive(self) -> Iterator[int]:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (entry / "environ").read_bytes():
                    yield int(entry.name)
            except OSError:
                continue


def test_killed_at_fifty_random_moments_the_catalog_ends_as_if_nothing_had_happened(
    films, tmp_path
):
    run(films, tmp_path / "undisturbed")
    undisturbed = contents(tmp_path / "undisturbed")
    indexing = Indexing(films, mark=uuid4().hex)
    rng = random.Random(7)
    kills = rounds = 0
    while kills < KILLS:
        folder = tmp_path / f"killed-{rounds}"
        rounds += 1
        while True:
            process = indexing.start(folder)
            _let_it_work(process, rng)
            process.kill()
            ended = process.wait()
            process.stdout.close()
            process.stderr.close()
            if ended == 0:
                break
            kills += 1
            if (folder / "catalog.sqlite").exists():
                require_invariants(folder)
        assert_same(folder, undisturbed)
    assert rounds >= 2
    assert indexing.left_over() == []


def _let_it_work(process: Forked, rng: random.Random) -> None:
    """Some runs are killed at any moment from their start, most while they write."""
    if rng.random() < 0.7:
        for _ in range(rng.randrange(1, 60)):
            if not process.stdout.readline():
                break
        time.sleep(rng.uniform(0, 0.02))
        return
    try:
        process.wait(timeout=rng.uniform(0.0, 2.0))
    except TimeoutError:
        return
