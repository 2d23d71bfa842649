"""Indexing from end to end: real videos, a real catalog, a small real embedder."""

import os
import threading
import time

import numpy as np
import pytest

from catalog import Catalog, CatalogError
from indexer import (
    FileDone,
    IndexSettings,
    PathMissingError,
    Sampling,
    index_library,
)
from indexer.embed.batches import READ_AHEAD
from tests.indexer.colours import ColourProcessor
from tests.indexer.conftest import on, paths_of
from tests.indexer.processes import reader_processes


def interrupt():
    raise KeyboardInterrupt


def test_a_folder_of_videos_becomes_clips_with_the_planned_times(index, film, catalog, library):
    film("a.mp4", seconds=18.5)
    film("sub/b.mkv", seconds=3)
    report = index()
    assert (report.indexed, report.clips, report.failed) == (2, 5, ())
    assert report.video_seconds == pytest.approx(21.5, abs=0.01)
    matches = catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=10)
    spans = sorted((m.path.name, round(m.start, 2), round(m.end, 2)) for m in matches)
    expected = [("a.mp4", 0, 8), ("a.mp4", 4, 12), ("a.mp4", 8, 16), ("a.mp4", 10.5, 18.5)]
    assert spans == [*expected, ("b.mkv", 0, 3)]
    assert {match.path.parent for match in matches} == {library, library / "sub"}


def test_every_clip_sees_the_frames_on_display_at_its_sample_times(index, film, embedder):
    film("a.mp4", seconds=20, first=20, step=4)  # level 20 + 4 n during [n / 2, (n + 1) / 2)
    index(sampling=Sampling.EXACT)
    starts, middles = [0, 4, 8, 12], [1, 3, 5, 7]
    expected = [[20 + 8 * (start + middle) for middle in middles] for start in starts]
    assert np.abs(np.array(embedder.grey_levels) - expected).max() <= 2


def test_a_video_with_fewer_frames_than_a_clip_repeats_them(index, film, embedder, catalog):
    film("one.mp4", seconds=0.5, first=100)
    report = index()
    assert (report.indexed, report.clips) == (1, 1)
    assert len({level for clip in embedder.grey_levels for level in clip}) == 1


def test_a_video_that_is_read_is_not_kept_waiting_by_a_slow_one(
    index, film, embedder, library, tmp_path
):
    dark, bright = film("a.mp4", seconds=3, first=20), film("b.mp4", seconds=3, first=200)
    committed = tmp_path / "committed"
    embedder.processor = ColourProcessor(trouble="slow", trouble_above=150, until=committed)
    order = []

    def report(event):
        if isinstance(event, FileDone):
            order.append(event.path)
            committed.touch()

    assert index(on_event=report).indexed == 2
    assert order == [dark, bright]


def test_the_number_of_readers_and_the_batch_change_no_vector(index, film, catalog, tmp_path):
    for number in range(4):
        film(f"{number}.mp4", seconds=10 + number, first=40 * number)
    index(workers=1, clips_wanted=1)
    one = {
        (m.path, m.start): m.score
        for m in catalog.nearest_clips(np.full(16, 0.25, np.float32), limit=50)
    }
    for path in one:
        catalog.remove_files([path[0]])
    index(workers=4, clips_wanted=7)
    other = {
        (m.path, m.start): m.score
        for m in catalog.nearest_clips(np.full(16, 0.25, np.float32), limit=50)
    }
    assert other == pytest.approx(one, abs=1e-3)
    assert len(one) == 9


def test_an_unchanged_file_is_not_even_opened(index, film, catalog):
    path = film("a.mp4", seconds=3)
    index()
    state = path.stat()
    path.write_bytes(bytes(state.st_size))  # would fail if anybody looked
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    report = index()
    assert (report.unchanged, report.indexed, report.clips) == (1, 0, 0)
    assert report.failed == ()


def test_a_file_that_is_gone_is_forgotten_and_counted(index, film, catalog):
    film("a.mp4", seconds=3)
    gone = film("b.mp4", seconds=3, first=90)
    index()
    gone.unlink()
    report = index()
    assert (report.unchanged, report.removed) == (1, 1)
    assert paths_of(catalog) == {"a.mp4": 1}


def test_an_empty_root_may_be_a_disk_that_is_not_mounted_and_loses_nothing(
    index, film, catalog, library
):
    film("a.mp4", seconds=3)
    index()
    (library / "a.mp4").unlink()
    report = index()
    assert report.removed == 0
    assert [f.path for f in report.failed] == [library]
    assert "its disk is not mounted" in report.failed[0].reason
    assert paths_of(catalog) == {"a.mp4": 1}


def test_a_path_that_is_not_there_is_refused_unless_something_is_known_of_it(
    index, film, catalog, library
):
    film("a.mp4", seconds=3)
    with pytest.raises(PathMissingError, match="is not there"):
        index(library, library / "missing")
    assert index().indexed == 1
    library.rename(library.with_name("elsewhere"))
    report = index()
    assert [failure.path for failure in report.failed] == [library]
    assert "its disk is not mounted" in report.failed[0].reason
    assert paths_of(catalog) == {"a.mp4": 1}


def test_files_left_out_by_a_pattern_stay_in_the_catalog(index, film, catalog):
    film("a.mp4", seconds=3)
    film("b.mkv", seconds=3, first=90)
    index()
    report = index(include=("*.mp4",))
    assert (report.unchanged, report.removed) == (1, 0)
    assert paths_of(catalog) == {"a.mp4": 1, "b.mkv": 1}


def test_an_interrupted_run_keeps_what_is_committed_and_the_next_one_resumes(index, film, catalog):
    for number in range(4):
        film(f"{number}.mp4", seconds=9, first=40 * number)
    report = index(workers=1, clips_wanted=1, on_event=on(FileDone, interrupt))
    assert report.interrupted
    assert (report.indexed, report.removed) == (1, 0)
    assert reader_processes() == []
    assert catalog.status().videos == 1
    assert catalog.status().snapshot_bytes > 0
    report = index()
    assert (report.indexed, report.unchanged, report.interrupted) == (3, 1, False)


def test_an_interrupt_while_readers_wait_to_hand_over_clips_ends_them(index, film, embedder):
    for number in range(6):
        film(f"{number}.mp4", seconds=30, first=30 * number, step=1)

    def interrupted(_):
        raise KeyboardInterrupt

    embedder.embed_clips = interrupted
    report = index(workers=3, clips_wanted=1, stride=1.0)
    assert report.interrupted
    assert report.indexed == 0
    assert reader_processes() == []


def test_another_window_than_the_catalogs_is_refused_before_anything_is_read(index, film):
    film("a.mp4", seconds=3)
    index()
    events = []
    with pytest.raises(CatalogError, match="window"):
        index(window=4.0, on_event=events.append)
    assert events == []


def test_a_folder_without_videos_leaves_the_choice_of_model_and_window_open(
    index, film, catalog, library
):
    (library / "notes.txt").touch()
    assert index(window=4.0).indexed == 0
    assert catalog.provenance is None
    film("a.mp4", seconds=3)
    assert index().indexed == 1
    assert catalog.provenance.window == 8.0


def test_another_reader_of_the_catalog_finds_each_video_as_soon_as_it_is_done(
    index, film, catalog, tmp_path
):
    for number in range(3):
        film(f"{number}.mp4", seconds=3, first=60 * number)
    seen = []
    with Catalog.open(tmp_path / "catalog") as other:

        def report(event):
            if isinstance(event, FileDone):
                seen.append(len(paths_of(other)))

        index(clips_wanted=1, on_event=report)
    assert seen == [1, 2, 3]


def test_a_run_with_nothing_to_do_loads_no_model_and_writes_nothing(index, film, catalog, library):
    film("a.mp4", seconds=3)
    index()
    files = [catalog.folder / name for name in ("catalog.sqlite", "catalog.sqlite-wal")]
    before = [file.read_bytes() for file in files]
    settings = IndexSettings(workers=2)
    report = index_library([library], catalog=catalog, model=NoModel(), settings=settings)
    assert report.unchanged == 1
    assert [file.read_bytes() for file in files] == before


class NoModel:
    calls_at_once = 1

    def clip_format(self):
        raise AssertionError("the model was looked at")

    def load(self):
        raise AssertionError("the model was loaded")


def test_files_that_are_deferred_are_left_as_they_are(index, film, catalog, library):
    growing = film("a.mp4", seconds=3)
    film("b.mp4", seconds=3, first=90)
    assert index(deferred=[growing]).indexed == 1
    assert index().indexed == 1
    film("a.mp4", seconds=18)
    report = index(deferred=[growing])
    assert (report.indexed, report.removed) == (0, 0)
    assert paths_of(catalog) == {"a.mp4": 1, "b.mp4": 1}


def test_an_embedder_gets_batches_as_large_as_it_wants_and_decoding_waits_for_it(
    index, film, embedder, tmp_path
):
    film("a.mp4", seconds=1100, step=0)
    tally, loaded = tmp_path / "tally", threading.Event()
    # A clip of 4 frames of this side fits into no pipe.
    embedder.processor = ColourProcessor(tally=tally, side=256)
    frames_before: list[int] = []

    def load_late():
        sizes = [-1, 0]
        while sizes[-1] != sizes[-2] or sizes[-1] == 0:  # until decoding has come to a halt
            time.sleep(0.5)
            sizes.append(tally.stat().st_size if tally.exists() else 0)
        frames_before.append(sizes[-1])
        loaded.set()
        return embedder

    embedder.load = load_late
    report = index(clips_wanted=64)
    assert loaded.is_set()
    # Two batches of one clip and READ_AHEAD clips wait; one is being sent; two clips share frames.
    assert frames_before[0] <= 2 * (2 + READ_AHEAD + 1) + 2
    sizes = [len(batch) for batch in embedder.batches]
    assert sizes.count(64) == (report.clips - 2) // 64
    assert max(sizes) == 64
