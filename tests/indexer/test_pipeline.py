"""Indexing from end to end: real films, a real catalog, a small real embedder."""

import os
import shutil
import threading
import time

import numpy as np
import pytest

from catalog import Catalog, CatalogError
from indexer import (
    ClipsEmbedded,
    FileDone,
    IndexSettings,
    LibraryWalked,
    Outcome,
    PathMissingError,
    Sampling,
    VideoStarted,
    index_library,
)
from indexer.embed.batches import READ_AHEAD
from tests.indexer.colours import ColourProcessor, ModelBrokeError
from tests.indexer.processes import reader_processes


def paths_of(catalog, limit=1000):
    """Every place of every clip in the catalog, and how many clips lie there."""
    counts: dict[str, int] = {}
    for match in catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=limit):
        for path in match.paths:
            counts[path.name] = counts.get(path.name, 0) + 1
    return counts


def on(kind, action):
    """A report that does `action` at the first event of a kind."""
    done = []

    def report(event):
        if isinstance(event, kind) and not done:
            done.append(event)
            action()

    return report


def interrupt():
    raise KeyboardInterrupt


def test_a_folder_of_films_becomes_clips_with_the_planned_times(index, film, catalog, library):
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


def test_every_clip_sees_the_frames_on_display_at_its_sampled_moments(index, film, embedder):
    film("a.mp4", seconds=20, first=20, step=4)  # level 20 + 4 n during [n / 2, (n + 1) / 2)
    index(sampling=Sampling.EXACT)
    starts, middles = [0, 4, 8, 12], [1, 3, 5, 7]
    expected = [[20 + 8 * (start + middle) for middle in middles] for start in starts]
    assert np.abs(np.array(embedder.grey_levels) - expected).max() <= 2


def test_a_film_with_fewer_frames_than_a_clip_repeats_them(index, film, embedder, catalog):
    film("one.mp4", seconds=0.5, first=100)
    report = index()
    assert (report.indexed, report.clips) == (1, 1)
    assert len({level for clip in embedder.grey_levels for level in clip}) == 1


def test_a_film_that_is_read_is_not_kept_waiting_by_a_slow_one(
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


def test_a_touched_file_is_unchanged_without_decoding_and_not_opened_again(index, film, embedder):
    path = film("a.mp4", seconds=3)
    index()
    os.utime(path, ns=(1, 2))
    events = []
    report = index(on_event=events.append)
    assert (report.unchanged, report.moved, embedder.clips_seen) == (1, 0, 1)
    assert events[-1].outcome is Outcome.UNCHANGED
    index(on_event=events.append)
    assert events[-1] == LibraryWalked(files=1, waiting=0, waiting_bytes=0)


def test_a_changed_file_is_indexed_anew_and_its_old_clips_go(index, film, catalog):
    film("a.mp4", seconds=18)
    index()
    film("a.mp4", seconds=5, first=90)
    report = index()
    assert (report.indexed, report.clips) == (1, 1)
    assert paths_of(catalog) == {"a.mp4": 1}


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


def test_a_bad_file_is_listed_and_the_others_are_indexed(index, film, catalog, library):
    (library / "a.mp4").write_text("this is no film")
    (library / "empty.mp4").touch()
    film("b.mp4", seconds=3)
    report = index()
    assert report.indexed == 1
    assert [f.path.name for f in report.failed] == ["a.mp4", "empty.mp4"]
    assert all(failed.reason for failed in report.failed)
    assert {f.path.name for f in catalog.status().failures} == {"a.mp4", "empty.mp4"}


def test_a_failure_is_left_alone_until_asked_for_or_changed(index, film, library):
    bad = library / "a.mp4"
    bad.write_text("this is no film")
    events = []
    index()
    report = index(on_event=events.append)
    assert [failed.path for failed in report.failed] == [bad]
    assert events[-1:] == [LibraryWalked(files=1, waiting=0, waiting_bytes=0)]
    report = index(on_event=events.append, retry_failed=True)
    assert [failed.path for failed in report.failed] == [bad]
    assert [event.path for event in events if isinstance(event, FileDone)] == [bad]
    film("a.mp4", seconds=3)
    report = index()
    assert (report.indexed, report.failed) == (1, ())


def test_a_film_cut_off_in_the_middle_does_not_stop_the_run(index, film, library):
    whole = film("a.mp4", seconds=30, step=3)
    film("b.mp4", seconds=3, first=90)
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) * 2 // 3])
    report = index()
    assert report.indexed + len(report.failed) == 2
    assert report.indexed >= 1


def test_a_file_that_vanishes_after_the_walk_fails_alone_and_is_not_kept(
    index, film, catalog, library
):
    gone = film("a.mp4", seconds=3)
    film("b.mp4", seconds=3, first=90)
    report = index(on_event=on(LibraryWalked, gone.unlink))
    assert report.indexed == 1
    assert [(f.path, f.reason) for f in report.failed] == [
        (gone, "cannot be read: No such file or directory")
    ]
    assert catalog.status().failures == ()


def test_a_file_that_changes_after_the_walk_is_indexed_as_it_is_now(index, film, catalog):
    film("a.mp4", seconds=3)
    report = index(on_event=on(LibraryWalked, lambda: film("a.mp4", seconds=18, first=90)))
    assert (report.indexed, report.clips) == (1, 4)
    assert index().unchanged == 1


def test_a_file_that_changes_while_it_is_decoded_is_looked_at_again_next_time(index, film):
    path = film("a.mp4", seconds=3)
    assert index(on_event=on(VideoStarted, lambda: os.utime(path, ns=(1, 2)))).indexed == 1
    events = []
    index(on_event=events.append)
    assert LibraryWalked(1, 1, path.stat().st_size) in events


def test_what_was_read_of_a_file_that_changed_meanwhile_is_not_taken_for_its_old_content(
    index, film, catalog, embedder, tmp_path
):
    path = film("a.mp4", seconds=30)
    copy = path.with_name("b.mp4")
    shutil.copy(path, copy)
    other = film("c.part", seconds=9, first=150)
    go_on = tmp_path / "go on"
    embedder.processor = ColourProcessor(trouble="slow", trouble_above=90, until=go_on)

    def replace_while_it_is_read():
        other.replace(path)
        go_on.touch()

    report = index(clips_wanted=1, on_event=on(ClipsEmbedded, replace_while_it_is_read))
    assert [(f.path, f.reason) for f in report.failed] == [
        (path, "changed while it was being read; index again once nobody writes to it any more")
    ]
    assert (report.indexed, report.moved) == (1, 0)
    assert paths_of(catalog) == {"b.mp4": 7}
    assert [f.path for f in catalog.status().failures] == [path]
    report = index()
    assert (report.indexed, report.unchanged, report.failed) == (1, 1, ())
    assert paths_of(catalog) == {"a.mp4": 2, "b.mp4": 7}


def test_a_file_that_is_replaced_before_its_last_clips_are_embedded_costs_its_copy_nothing(
    index, film, catalog
):
    path = film("a.mp4", seconds=30)
    copy = path.with_name("b.mp4")
    shutil.copy(path, copy)
    other = film("c.part", seconds=9, first=150)
    # Nearly always it was read to its end by then, and what was read is known for what it was.
    report = index(clips_wanted=16, on_event=on(ClipsEmbedded, lambda: other.replace(path)))
    assert report.indexed + report.moved + len(report.failed) == 2
    assert paths_of(catalog)["b.mp4"] == 7
    assert index().indexed == 1
    assert paths_of(catalog) == {"a.mp4": 2, "b.mp4": 7}


def test_no_draft_is_made_of_a_film_that_changed_while_it_was_read(index, film, catalog, embedder):
    path = film("a.mp4", seconds=110, step=1)
    content = path.read_bytes()

    def change_then_interrupt(event):
        if isinstance(event, ClipsEmbedded):
            path.write_bytes(b"something else")
            raise KeyboardInterrupt

    assert index(clips_wanted=1, on_event=change_then_interrupt).interrupted
    assert catalog.status().partials == 0
    path.write_bytes(content)
    before = embedder.clips_seen
    assert index().clips == 27
    assert embedder.clips_seen - before == 27


def test_a_film_whose_file_is_renamed_while_it_is_read_is_found_at_its_new_place(
    index, film, catalog, embedder
):
    path = film("a.mp4", seconds=30)
    rename = on(ClipsEmbedded, lambda: path.rename(path.with_name("b.mp4")))
    report = index(clips_wanted=1, on_event=rename)
    # It was read through its open end, unless its last pictures had to be read anew.
    assert report.indexed + len(report.failed) == 1
    assert catalog.status().failures == ()
    before = embedder.clips_seen
    report = index()
    assert (report.moved + report.indexed, report.failed) == (1, ())
    assert embedder.clips_seen - before < 7
    assert paths_of(catalog) == {"b.mp4": 7}


def test_a_named_pipe_in_the_place_of_a_film_does_not_hold_up_the_run(index, film, catalog):
    path = film("a.mp4", seconds=3)
    film("b.mp4", seconds=3, first=90)

    def put_a_pipe_there():
        path.unlink()
        os.mkfifo(path)

    report = index(on_event=on(LibraryWalked, put_a_pipe_there))
    assert [(f.path, f.reason) for f in report.failed] == [
        (path, "cannot be read: is not a regular file")
    ]
    assert paths_of(catalog) == {"b.mp4": 1}


def test_a_file_that_the_system_refuses_to_read_is_tried_again_unasked(index, film, catalog):
    path = film("a.mp4", seconds=3)
    content, state = path.read_bytes(), path.stat()

    def refuse():
        path.unlink()
        path.symlink_to("nowhere")

    report = index(on_event=on(LibraryWalked, refuse))
    assert [f.reason for f in report.failed] == ["cannot be read: No such file or directory"]
    assert [f.path for f in catalog.status().failures] == [path]
    path.unlink()
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert index().indexed == 1
    assert catalog.status().failures == ()


def test_clips_stay_while_the_system_refuses_to_read_their_changed_file(index, film, catalog):
    path = film("a.mp4", seconds=3)
    index()
    film("a.mp4", seconds=4, first=90)

    def refuse():
        path.unlink()
        path.mkdir()

    assert len(index(on_event=on(LibraryWalked, refuse)).failed) == 1
    assert paths_of(catalog) == {"a.mp4": 1}


def test_a_film_that_changed_into_rubbish_loses_its_clips(index, film, catalog):
    path = film("a.mp4", seconds=3)
    index()
    path.write_text("this is no film")
    assert len(index().failed) == 1
    assert paths_of(catalog) == {}


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


def test_a_model_that_fails_ends_the_run_with_its_own_error(index, film, embedder):
    def fail(_):
        raise ModelBrokeError

    for number in range(4):
        film(f"{number}.mp4", seconds=20, first=30 * number)
    embedder.embed_clips = fail
    with pytest.raises(ModelBrokeError):
        index(workers=3, clips_wanted=2)
    assert reader_processes() == []


def test_a_processor_that_fails_ends_the_run_with_its_own_error(index, film, embedder):
    for number in range(4):
        film(f"{number}.mp4", seconds=20, first=30 * number)
    embedder.processor = ColourProcessor(trouble="raise", trouble_above=0)
    with pytest.raises(ModelBrokeError):
        index(workers=3)
    assert reader_processes() == []


def test_a_failing_catalog_ends_the_run_with_its_own_error(index, film, embedder, catalog):
    for number in range(4):
        film(f"{number}.mp4", seconds=20, first=30 * number)
    embedder.embed_clips = lambda clips: np.full((len(clips), 16), np.nan, np.float32)
    with pytest.raises(CatalogError):
        index()
    assert reader_processes() == []
    assert catalog.status().videos == 0


def test_another_window_than_the_catalogs_is_refused_before_anything_is_read(index, film):
    film("a.mp4", seconds=3)
    index()
    events = []
    with pytest.raises(CatalogError, match="window"):
        index(window=4.0, on_event=events.append)
    assert events == []


def test_a_folder_without_films_leaves_the_choice_of_model_and_window_open(
    index, film, catalog, library
):
    (library / "notes.txt").touch()
    assert index(window=4.0).indexed == 0
    assert catalog.provenance is None
    film("a.mp4", seconds=3)
    assert index().indexed == 1
    assert catalog.provenance.window == 8.0


def test_another_reader_of_the_catalog_finds_each_film_as_soon_as_it_is_done(
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


def test_files_that_are_held_are_left_as_they_are(index, film, catalog, library):
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


@pytest.mark.parametrize("trouble", ["crash", "hang"])
def test_a_film_that_crashes_or_hangs_its_decoder_fails_alone_and_can_be_tried_again(
    index, film, catalog, embedder, trouble
):
    bad = film("bad.mp4", seconds=0.5, first=200)
    for number in range(4):
        film(f"{number}.mp4", seconds=3, first=20 + 20 * number)
    embedder.processor = ColourProcessor(trouble=trouble, trouble_above=150)
    report = index(decode_timeout=0.5)
    assert report.indexed == 4
    assert [failure.path for failure in report.failed] == [bad]
    assert [failure.path for failure in catalog.status().failures] == [bad]
    events = []
    assert [failure.path for failure in index(on_event=events.append).failed] == [bad]
    assert not any(isinstance(event, FileDone) for event in events)
    embedder.processor = ColourProcessor()
    report = index(retry_failed=True)
    assert (report.indexed, report.failed) == (1, ())


def test_what_the_system_will_not_show_has_its_event_too(film, index, library):
    film("a.mp4", seconds=1)
    (library / "gone.mp4").symlink_to(library / "nowhere")
    os.mkfifo(library / "pipe.mp4")
    for indexed in (1, 0):  # in each run anew
        told: list[object] = []
        report = index(on_event=told.append)
        walked = next(event for event in told if isinstance(event, LibraryWalked))
        assert (walked.files, walked.waiting) == (1, 2 + indexed)
        ends = [event for event in told if isinstance(event, FileDone)]
        failed = {end.path.name: end.error for end in ends if end.outcome is Outcome.FAILED}
        assert failed == {failure.path.name: failure.reason for failure in report.failed}
        assert set(failed) == {"gone.mp4", "pipe.mp4"}
        assert len(ends) == walked.waiting
