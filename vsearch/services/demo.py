"""The main job on a toy library: films made here, indexed, asked in words, next to the truth."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalog import CatalogOutdatedError, ProvenanceMismatchError
from toyworld.library import make_library
from vsearch.services.indexing import IndexOptions, index_library
from vsearch.services.search import open_searcher

if TYPE_CHECKING:
    from pathlib import Path

    from indexer import IndexReport, RunCounters
    from search import Hit, SearchResult
    from toyworld.film import Film
    from vsearch.settings import Settings

log = logging.getLogger("vsearch")

QUESTIONS = 6
MOMENTS_PER_QUESTION = 3
ENOUGH_OVERLAP = 0.3  # of the union, the loosest of the usual bars for finding moments


@dataclass(frozen=True, slots=True)
class Truth:
    """Where what was asked for really happens: `start` to `end` seconds of a film."""

    path: Path
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the search found for a sentence, and the truth about it."""

    result: SearchResult
    truth: Truth

    def is_right(self, hit: Hit) -> bool:
        """Whether a moment is the true one: what both share is enough of what they span."""
        shared = min(hit.end, self.truth.end) - max(hit.start, self.truth.start)
        spanned = max(hit.end, self.truth.end) - min(hit.start, self.truth.start)
        return hit.path == self.truth.path and shared >= ENOUGH_OVERLAP * spanned


@dataclass(frozen=True, slots=True)
class DemoRun:
    """What `vsearch demo` made and found; `library` and `catalog` are folders that stay."""

    library: Path
    catalog: Path
    index: IndexReport
    answers: tuple[Answer, ...]


def run_demo(settings: Settings, *, counters: RunCounters) -> DemoRun:
    """Make the toy library in the home folder, index it with the demo model, and ask questions.

    A second run finds films and catalog in place, and only asks.
    """
    folder = settings.home / "demo"
    settings = replace(settings, catalog=folder / "catalog", model="demo")
    library = folder / "library"
    log.info("Making a library of toy films in %s", library)
    films = make_library(library, on_film=lambda film: log.debug("made %s", film.path.name))
    log.info("Indexing %d films", len(films))
    try:
        indexed, answers = _index_and_ask(films, library, settings=settings, counters=counters)
    except (CatalogOutdatedError, ProvenanceMismatchError):
        # An older version left it, with another demo model; the films it knows are made here.
        shutil.rmtree(settings.catalog)
        indexed, answers = _index_and_ask(films, library, settings=settings, counters=counters)
    return DemoRun(library=library, catalog=settings.catalog, index=indexed, answers=answers)


def _index_and_ask(
    films: tuple[Film, ...],
    library: Path,
    *,
    settings: Settings,
    counters: RunCounters,
) -> tuple[IndexReport, tuple[Answer, ...]]:
    options = IndexOptions()
    indexed = index_library([library], settings=settings, options=options, counters=counters)
    with open_searcher(settings) as searcher:
        searcher.warm_up()  # an older version may have asked the same of another model
        answers = tuple(
            Answer(result=searcher.search(caption, limit=MOMENTS_PER_QUESTION), truth=truth)
            for caption, truth in _questions(films)
        )
    return indexed, answers


def _questions(films: tuple[Film, ...]) -> list[tuple[str, Truth]]:
    """One event from each of the first films, now an early one, now a late one."""
    asked = [
        (film, film.events[number % len(film.events)])
        for number, film in enumerate(films[:QUESTIONS])
    ]
    return [
        (event.caption, Truth(path=film.path, start=event.start, end=event.end))
        for film, event in asked
    ]
