"""A small real library, a small real catalog, and a small embedder that is no network."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog import Catalog
from indexer import Event, IndexReport, IndexSettings, RunCounters, index_library
from media import write_video
from tests.indexer.colours import ColourEmbedder


def paths_of(catalog: Catalog, limit: int = 1000) -> dict[str, int]:
    """Every place of every clip in the catalog, and how many clips lie there."""
    counts: dict[str, int] = {}
    for match in catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=limit):
        for path in match.paths:
            counts[path.name] = counts.get(path.name, 0) + 1
    return counts


def on(kind: type[Event], action: Callable[[], object]) -> Callable[[Event], None]:
    """A report that does `action` at the first event of a kind."""
    done: list[Event] = []

    def report(event: Event) -> None:
        if isinstance(event, kind) and not done:
            done.append(event)
            action()

    return report


@pytest.fixture
def embedder() -> ColourEmbedder:
    return ColourEmbedder()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    root.mkdir()
    return root


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog", create=True) as opened:
        yield opened


@pytest.fixture
def film(library: Path) -> Callable[..., Path]:
    """Write a video of `seconds` at 2 frames per second that gets brighter by `step` each frame."""

    def write(name: str, *, seconds: float, first: int = 20, step: float = 2) -> Path:
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        levels = [first + step * number for number in range(round(seconds * 2))]
        write_video(path, (np.full((48, 64, 3), n, np.uint8) for n in levels), frame_rate=2)
        return path

    return write


@pytest.fixture
def index(library: Path, catalog: Catalog, embedder: ColourEmbedder) -> Callable[..., IndexReport]:
    """Index the library, with any settings, in batches of `clips_wanted` clips."""

    def run(
        *paths: Path,
        on_event: Callable[[Event], None] = lambda _: None,
        clips_wanted: int = 16,
        deferred: Iterable[Path] = (),
        **settings: Any,
    ) -> IndexReport:
        embedder.clips_wanted = clips_wanted
        return index_library(
            paths or (library,),
            catalog=catalog,
            model=embedder,
            settings=IndexSettings(**{"workers": 2, "defer": lambda _: deferred, **settings}),
            counters=RunCounters(on_event),
        )

    return run
