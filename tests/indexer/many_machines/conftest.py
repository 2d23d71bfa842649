"""Workers as processes with groups of their own, on one catalog in a real PostgreSQL."""

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.many_machines.slow_model import SlowModel
from catalog import Catalog, DatabaseUrl
from indexer import IndexSettings, index_library
from media import write_video
from tests.forked import Forked, run_module
from tests.indexer.test_kill import Contents, contents

REPOSITORY = Path(__file__).parents[3]
FILMS, LONG = 10, (1, 2)


@dataclass
class Worker:
    """A worker; what it has told so far is in `told`."""

    process: Forked
    told: list[dict[str, Any]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def listen(self) -> None:
        for line in self.process.stdout:
            with self.news:
                self.told.append(json.loads(line))
                self.news.notify_all()

    def wait_for(self, **wanted: Any) -> dict[str, Any]:
        """The first thing told with these values."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.told if wanted.items() <= one.items()), None)

        with self.news:
            assert self.news.wait_for(found, timeout=120), (wanted, self.told)
        return found() or {}

    def kill(self) -> None:
        """End it and all its readers at once, as a power cut does."""
        self.process.kill()
        self.process.wait()

    def end(self) -> tuple[int, str]:
        """Its exit code and its stderr, once it has ended by itself."""
        said = self.process.stderr.read()
        code = self.process.wait(timeout=120)
        self.reader.join()
        return code, said

    @property
    def counts(self) -> dict[str, Any]:
        return next(one for one in self.told if one["told"] == "counts")

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short films and long ones, of which drafts are saved."""
    library = tmp_path_factory.mktemp("archive") / "films"
    library.mkdir()
    for number in range(FILMS):
        seconds = 40 if number in LONG else 6 + number
        levels = [20 * number + step % 50 for step in range(2 * seconds)]
        pictures = (np.full((16, 16, 3), level, np.uint8) for level in levels)
        write_video(library / f"{number}.mp4", pictures, frame_rate=2)
    return library


@pytest.fixture(scope="session")
def undisturbed(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What one run makes of the films that nothing disturbs, in SQLite."""
    folder = tmp_path_factory.mktemp("undisturbed") / "catalog"
    with Catalog.open(folder, create=True) as catalog:
        index_library(
            [films],
            catalog=catalog,
            model=SlowModel(0.0),
            settings=IndexSettings(window=2.0, stride=1.0, workers=2),
        )
    return contents(folder)


@pytest.fixture
def new_address(postgresql_server: Any, tmp_path: Path) -> Callable[[], DatabaseUrl]:
    """Makes the address of a new catalog on the server, which the first worker makes."""

    def make() -> DatabaseUrl:
        url = postgresql_server.url(postgresql_server.new_database())
        return DatabaseUrl.parse(url, views=tmp_path / "views")

    return make


@pytest.fixture
def address(new_address: Callable[[], DatabaseUrl]) -> DatabaseUrl:
    """The address of the catalog of a test."""
    return new_address()


def work(clock: float, *words: str) -> None:
    """What a worker does, with so many seconds added to its time of day."""
    now = time.time
    time.time = lambda: now() + clock
    run_module("benchmarks.many_machines.worker", *words)


@pytest.fixture
def start(films: Path, address: DatabaseUrl, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Start a worker on the films; `clock` seconds are added to its time of day."""
    started: list[Worker] = []

    def run(*flags: str | Path, clock: float = 0.0, at: DatabaseUrl = address) -> Worker:
        environment = {**os.environ, "VSEARCH_HOME": str(tmp_path / f"home {len(started)}")}
        words = (str(at), str(films), *map(str, flags))
        process = Forked(work, clock, *words, environment=environment, session=True)
        started.append(Worker(process))
        return started[-1]

    yield run
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()
        worker.process.stdout.close()
        worker.process.stderr.close()


@pytest.fixture
def chance() -> random.Random:
    return random.Random(7)
