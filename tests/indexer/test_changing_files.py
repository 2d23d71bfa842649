"""Files that change, vanish or are replaced, between two runs and during one."""

import os
import shutil

from indexer import (
    ClipsEmbedded,
    LibraryWalked,
    Outcome,
    VideoStarted,
)
from tests.indexer.colours import ColourProcessor
from tests.indexer.conftest import on, paths_of


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


def test_no_partial_video_is_stored_of_one_that_changed_while_it_was_read(
    index, film, catalog, embedder
):
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


def test_a_video_whose_file_is_renamed_while_it_is_read_is_found_at_its_new_place(
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


def test_a_named_pipe_in_the_place_of_a_video_does_not_hold_up_the_run(index, film, catalog):
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


def test_clips_stay_while_the_system_refuses_to_read_their_changed_file(index, film, catalog):
    path = film("a.mp4", seconds=3)
    index()
    film("a.mp4", seconds=4, first=90)

    def refuse():
        path.unlink()
        path.mkdir()

    assert len(index(on_event=on(LibraryWalked, refuse)).failed) == 1
    assert paths_of(catalog) == {"a.mp4": 1}


def test_a_video_that_changed_into_rubbish_loses_its_clips(index, film, catalog):
    path = film("a.mp4", seconds=3)
    index()
    path.write_text("this is no film")
    assert len(index().failed) == 1
    assert paths_of(catalog) == {}
