"""`vsearch demo`: makes a toy library, indexes and searches it, and compares with the truth."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalog import CatalogOutdatedError, ProvenanceMismatchError
from toyworld.library import make_library
from vsearch.services.answers.search import open_searcher
from vsearch.services.library.indexing import IndexOptions, index_library

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
    """The true moment for a sentence: `start` to `end` seconds of a video."""

    path: Path
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The result for a sentence, and the true moment."""

    result: SearchResult
    truth: Truth

    def is_right(self, hit: Hit) -> bool:
        """Whether the intersection of hit and truth is a large enough part of their union."""
        shared = min(hit.end, self.truth.end) - max(hit.start, self.truth.start)
        spanned = max(hit.end, self.truth.end) - min(hit.start, self.truth.start)
        return hit.path == self.truth.path and shared >= ENOUGH_OVERLAP * spanned


@dataclass(frozen=True, slots=True)
class DemoRun:
    """The result of `vsearch demo`; `library` and `catalog` are folders that stay."""

    library: Path
    catalog: Path
    index: IndexReport
    answers: tuple[Answer, ...]


def run_demo(settings: Settings, *, counters: RunCounters) -> DemoRun:
    """Make the toy library in the home folder, index it with the demo model, and ask questions.

    A second run finds videos and catalog in place, and only searches.
    """
    folder = settings.home / "demo"
    settings = replace(settings, catalog=folder / "catalog", model="demo")
    library = folder / "library"
    log.info("Making a library of toy videos in %s", library)
    videos = make_library(library, on_film=lambda video: log.debug("made %s", video.path.name))
    log.info("Indexing %d videos", len(videos))
    try:
        indexed, answers = _index_and_ask(videos, library, settings=settings, counters=counters)
    except (CatalogOutdatedError, ProvenanceMismatchError):
        # An older version left it, with another demo model; the videos in it are made here.
        shutil.rmtree(folder / "catalog")
        indexed, answers = _index_and_ask(videos, library, settings=settings, counters=counters)
    return DemoRun(library=library, catalog=folder / "catalog", index=indexed, answers=answers)


def _index_and_ask(
    videos: tuple[Film, ...],
    library: Path,
    *,
    settings: Settings,
    counters: RunCounters,
) -> tuple[IndexReport, tuple[Answer, ...]]:
    options = IndexOptions()
    indexed = index_library([library], settings=settings, options=options, counters=counters)
    with open_searcher(settings) as searcher:
        searcher.warm_up()  # refuses a catalog of an older demo model
        answers = tuple(
            Answer(result=searcher.search(caption, limit=MOMENTS_PER_QUESTION), truth=truth)
            for caption, truth in _questions(videos)
        )
    return indexed, answers


def _questions(videos: tuple[Film, ...]) -> list[tuple[str, Truth]]:
    """One event from each of the first videos, early and late ones in turn."""
    asked = [
        (video, video.events[number % len(video.events)])
        for number, video in enumerate(videos[:QUESTIONS])
    ]
    return [
        (event.caption, Truth(path=video.path, start=event.start, end=event.end))
        for video, event in asked
    ]
