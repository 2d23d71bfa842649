"""Long films: a run that ends in the middle of one is gone on with near where it stopped."""

import numpy as np
import pytest

from catalog import Catalog
from indexer import ClipsEmbedded, FilmStarted, IndexSettings, index_library
from tests.indexer.colours import ColourEmbedder, ColourProcessor


def interrupt_after(clips, *, reached=None):
    """A report that interrupts the run, and notes in `reached` how many clips had vectors then."""

    def report(event):
        if isinstance(event, ClipsEmbedded) and event.clips >= clips:
            if reached is not None:
                reached.append(event.clips)
            raise KeyboardInterrupt

    return report


def vectors(catalog):
    """A number for each clip that depends on its vector, by its time."""
    query = np.full(16, 0.25, np.float32)
    return {(m.path.name, m.start): m.score for m in catalog.nearest(query, limit=1000)}


def test_a_long_film_is_gone_on_with_where_the_run_was_interrupted(
    index, film, catalog, embedder, tmp_path
):
    film("long.mp4", seconds=110, step=1)
    reached = []
    stop = interrupt_after(10, reached=reached)
    report = index(workers=1, clips_per_batch=2, report=stop)
    (ready,) = reached
    assert (report.interrupted, report.indexed, catalog.status().videos) == (True, 0, 0)
    assert catalog.status().drafts == 1
    tally = tmp_path / "tally"
    embedder.processor = ColourProcessor(tally=tally)
    before, started = embedder.clips_seen, []
    report = index(report=lambda e: started.append(e) if isinstance(e, FilmStarted) else None)
    assert (report.indexed, report.clips) == (1, 27)
    assert embedder.clips_seen - before == 27 - ready
    assert tally.stat().st_size < 2 * (27 - ready) + 8
    assert [event.resumed for event in started] == [pytest.approx((ready - 1) * 4 + 8)]
    assert catalog.status().drafts == 0
    with Catalog.open(tmp_path / "whole", create=True) as whole:
        index_library(
            [film("long.mp4", seconds=110, step=1).parent],
            catalog=whole,
            model=ColourEmbedder(),
            settings=IndexSettings(workers=1),
        )
        assert vectors(catalog) == vectors(whole)


def test_drafts_are_saved_while_a_film_is_read(index, film, catalog):
    film("long.mp4", seconds=110, step=1)
    saved = []

    def report(event):
        if isinstance(event, ClipsEmbedded):
            saved.append(catalog.status().drafts)

    index(clips_per_batch=1, save_every=0.0, report=report)
    assert saved[0] == 0
    assert saved[5] == 1
    assert catalog.status().drafts == 0


def test_a_film_that_has_changed_since_is_begun_anew_and_its_draft_goes(
    index, film, catalog, embedder
):
    film("long.mp4", seconds=110, step=1)
    index(clips_per_batch=1, report=interrupt_after(10))
    film("long.mp4", seconds=100, step=1)
    before = embedder.clips_seen
    assert index().clips == 24
    assert embedder.clips_seen - before == 24
    assert catalog.status().drafts == 0


def test_the_draft_of_a_film_that_is_gone_goes_with_it(index, film, catalog):
    path = film("long.mp4", seconds=110, step=1)
    film("other.mp4", seconds=3)
    index(workers=1, clips_per_batch=1, report=interrupt_after(10))
    assert catalog.status().drafts == 1
    path.unlink()
    index()
    assert catalog.status().drafts == 0


def test_a_run_over_another_folder_keeps_the_draft(index, film, catalog, embedder, library):
    film("a/long.mp4", seconds=110, step=1)
    film("b/other.mp4", seconds=3)
    reached = []
    index(library / "a", clips_per_batch=1, report=interrupt_after(10, reached=reached))
    index(library / "b")
    before = embedder.clips_seen
    assert index(library / "a").clips == 27
    assert embedder.clips_seen - before == 27 - reached[0]
