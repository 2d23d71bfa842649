"""Content is what the bytes say: all of them, where a sample sees no difference."""

import os
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from indexer import FileDone, IndexSettings, VideoStarted, find_videos
from indexer.counters import RunCounters
from indexer.scan.fingerprint import Content, read_fingerprint, read_sample
from indexer.scan.triage import WorkQueue
from tests.indexer.colours import ColourProcessor
from tests.indexer.videos import change_pictures, keep_times, turn, write_padded


class NoModelError(Exception):
    """Nothing may be decoded, and no process started to read a file."""


@pytest.fixture
def padded(library):
    return lambda name, *, seed=0, **more: write_padded(library / name, seed=seed, **more)


@pytest.fixture
def sizes(catalog):
    """Width and height of each video that lies at a path, by the path's name."""

    def read():
        with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
            rows = connection.execute(
                "SELECT relative_path, width, height FROM files JOIN videos ON video_id = videos.id"
            )
            return {path: (width, height) for path, width, height in rows}

    return read


def copy_over(source, target):
    """Write a file's bytes into another one, which stays the same file."""
    target.write_bytes(source.read_bytes())


def hard_link(source, target):
    target.hardlink_to(source)


def test_changes_that_no_sample_sees_change_the_fingerprint(padded):
    path = padded("a.mp4")
    sample, fingerprint = read_sample(path).digest, read_fingerprint(path)
    for change in (turn, change_pictures):
        change(path)
        assert read_sample(path).digest == sample
        assert read_fingerprint(path) != fingerprint


def test_a_video_that_was_turned_in_its_bytes_is_indexed_anew(index, padded, sizes):
    path = padded("a.mp4")
    index()
    turn(path)
    report = index()
    assert (report.indexed, report.unchanged, report.removed) == (1, 0, 0)
    assert sizes() == {"a.mp4": (96, 128)}


def test_a_change_that_neither_size_nor_time_shows_is_found_as_soon_as_the_time_does(
    index, padded, sizes
):
    path = padded("a.mp4")
    index()
    keep_times(path, turn)
    assert index().unchanged == 1  # the price of not opening files
    assert sizes() == {"a.mp4": (128, 96)}
    path.touch()
    assert index().indexed == 1
    assert sizes() == {"a.mp4": (96, 128)}


def test_a_damaged_video_that_was_repaired_in_place_is_indexed_anew(index, padded, catalog):
    path = padded("a.mp4")
    sound = change_pictures(path)
    assert len(index().damaged) == 1
    change_pictures(path, to=sound)
    report = index()
    assert (report.indexed, report.damaged) == (1, ())
    assert catalog.status().damaged == ()
    assert catalog.status().videos == 1


@pytest.mark.parametrize("copy", [shutil.copy, shutil.copy2])
def test_a_sound_copy_beside_a_damaged_video_is_indexed(index, padded, catalog, tmp_path, copy):
    path = padded("a.mp4")
    sound = shutil.copy2(path, tmp_path / "sound.mp4")
    keep_times(path, change_pictures)
    index()
    copy(sound, path.with_name("b.mp4"))
    report = index()
    assert (report.indexed, report.moved, report.damaged) == (1, 0, ())
    assert [damaged.path.name for damaged in catalog.status().damaged] == ["a.mp4"]


def test_a_sound_copy_that_takes_the_place_of_a_damaged_video_with_its_time_is_no_move(
    index, padded, catalog, library, tmp_path
):
    sound = padded("a.mp4").rename(tmp_path / "sound.mp4")
    shutil.copy2(sound, library / "a.mp4")
    keep_times(library / "a.mp4", change_pictures)
    index()
    (library / "a.mp4").unlink()
    shutil.copy2(sound, library / "b.mp4")
    report = index()
    assert (report.indexed, report.moved, report.removed) == (1, 0, 1)
    assert catalog.status().damaged == ()


def test_a_download_into_a_file_of_its_final_size_is_indexed_when_it_is_complete(
    index, padded, catalog
):
    path = padded("a.mp4")
    rest = change_pictures(path)  # which is still to come
    index()
    change_pictures(path, to=rest)
    assert index().indexed == 1
    assert index().unchanged == 1
    assert (catalog.status().videos, catalog.status().damaged) == (1, ())


def test_two_new_videos_that_differ_between_the_samples_are_two_videos(index, padded, catalog):
    path = padded("a.mp4")
    other = path.with_name("b.mp4")
    shutil.copy2(path, other)
    keep_times(other, turn)
    report = index()
    assert (report.indexed, report.moved, catalog.status().videos) == (2, 0, 2)


@pytest.mark.parametrize("copy", [shutil.copy, shutil.copy2, hard_link])
def test_a_copy_is_found_without_decoding(index, padded, embedder, library, copy):
    path = padded("a.mp4")
    index()
    before = embedder.clips_seen
    copy(path, library / "b.mp4")
    report = index()
    assert (report.moved, report.indexed, report.failed) == (1, 0, ())
    path.unlink()
    assert index().unchanged == 1
    assert embedder.clips_seen == before


def test_a_video_that_was_moved_with_its_time_is_not_even_read_whole(
    index, padded, embedder, library
):
    path = padded("a.mp4")
    padded("b.mp4", seed=1)
    index()
    embedder.clip_format = lambda: (_ for _ in ()).throw(NoModelError)
    (library / "elsewhere").mkdir()
    path.rename(library / "elsewhere" / "a.mp4")
    report = index()
    assert (report.moved, report.unchanged, report.removed) == (1, 1, 0)
    path = path.with_name("b.mp4")
    path.touch()
    with pytest.raises(NoModelError):  # that something else would have been seen
        index()


def test_a_video_that_was_moved_and_touched_is_read_but_not_decoded(
    index, padded, embedder, library
):
    path = padded("a.mp4")
    index()
    before = embedder.clips_seen
    path.rename(library / "b.mp4").touch()
    report = index()
    assert (report.moved, report.indexed, report.removed) == (1, 0, 0)
    assert embedder.clips_seen == before


def test_a_damaged_video_that_was_moved_is_proven_and_not_decoded(index, padded, embedder, library):
    path = padded("a.mp4")
    change_pictures(path)
    index()
    before = embedder.clips_seen
    path.rename(library / "b.mp4")
    report = index()
    assert (report.moved, report.indexed, report.removed) == (1, 0, 0)
    assert embedder.clips_seen == before


def test_videos_that_swap_their_bytes_in_place_are_not_decoded_again(
    index, padded, embedder, sizes, tmp_path
):
    one, other = padded("a.mp4", seed=1), padded("b.mp4", seed=2)
    turn(other)
    index()
    before = embedder.clips_seen
    assert sizes() == {"a.mp4": (128, 96), "b.mp4": (96, 128)}
    shutil.copy(one, tmp_path / "kept.mp4")
    copy_over(other, one)
    copy_over(tmp_path / "kept.mp4", other)
    report = index()
    assert (report.moved, report.indexed, report.removed) == (2, 0, 0)
    assert sizes() == {"a.mp4": (96, 128), "b.mp4": (128, 96)}
    assert embedder.clips_seen == before


def test_a_video_that_another_one_is_written_over_is_still_found_at_its_new_place(
    index, padded, embedder, library, catalog
):
    one, other = padded("a.mp4", seed=1), padded("b.mp4", seed=2)
    index()
    before = embedder.clips_seen
    shutil.copy(one, library / "c.mp4")
    copy_over(other, one)
    other.unlink()
    padded("b.mp4", seed=3)
    report = index()
    assert (report.moved, report.indexed) == (2, 1)
    assert catalog.status().videos == 3
    assert embedder.clips_seen == before + report.clips


def test_a_run_over_copies_that_is_interrupted_is_gone_on_with(index, padded, embedder, library):
    path = padded("a.mp4")
    index()
    before = embedder.clips_seen
    for name in ("b.mp4", "c.mp4", "d.mp4"):
        shutil.copy(path, library / name)

    def interrupt(event):
        if isinstance(event, FileDone):
            raise KeyboardInterrupt

    report = index(on_event=interrupt)
    assert (report.interrupted, report.moved) == (True, 1)
    report = index()
    assert (report.moved, report.unchanged, report.interrupted) == (2, 2, False)
    assert embedder.clips_seen == before


def test_a_video_that_grows_is_indexed_anew_each_time(index, padded):
    path = padded("a.mp4")
    index()
    with path.open("ab") as file:
        file.write(b"\0\0\0\x10free and more")
    assert index().indexed == 1


def test_a_change_while_a_video_is_read_is_seen_though_its_time_is_set_back(
    index, padded, catalog, embedder, tmp_path
):
    path = padded("a.mp4", seconds=60)
    go_on = tmp_path / "go on"
    embedder.processor = ColourProcessor(trouble="slow", trouble_above=90, until=go_on)

    def change(event):
        if isinstance(event, VideoStarted):
            keep_times(path, turn)
            go_on.touch()

    report = index(workers=1, clips_wanted=1, on_event=change)
    assert (report.indexed, catalog.status().videos) == (0, 0)
    assert [failed.reason.partition(";")[0] for failed in report.failed] == [
        "changed while it was being read"
    ]
    assert index().indexed == 1


def test_a_video_that_only_gets_another_name_or_rights_while_it_is_read_is_indexed(
    index, padded, library
):
    path = padded("a.mp4", seconds=60)

    def touch(event):
        if isinstance(event, VideoStarted):
            path.chmod(0o600)
            (library / "b.mp4").hardlink_to(path)

    assert index(workers=1, clips_wanted=1, on_event=touch).indexed == 1
    assert index().moved == 1


def test_a_hole_in_a_file_reads_as_zeros(index, padded, library):
    path = padded("a.mp4")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + (64 << 20))
    shutil.copy(path, library / "b.mp4")  # which writes the zeros, or makes a hole of its own
    report = index()
    assert (report.indexed, report.moved) == (1, 1)


@pytest.fixture
def without_fingerprints(catalog):
    """Makes the catalog one that was written when there were only samples."""

    def change():
        with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
            connection.execute("UPDATE videos SET fingerprint = sample, sample = NULL")
            connection.commit()

    return change


def fingerprints(catalog):
    with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
        return dict(connection.execute("SELECT fingerprint, sample FROM videos"))


def test_a_video_without_a_fingerprint_gets_it_when_a_copy_has_to_be_told_from_it(
    index, padded, catalog, embedder, without_fingerprints
):
    path = padded("a.mp4")
    index()
    known = fingerprints(catalog)
    before = embedder.clips_seen
    without_fingerprints()
    assert index().unchanged == 1
    shutil.copy(path, path.with_name("b.mp4"))
    report = index()
    assert (report.moved, report.indexed, report.unchanged) == (1, 0, 1)
    assert fingerprints(catalog) == known
    assert embedder.clips_seen == before


def test_what_a_video_without_a_fingerprint_was_is_not_guessed(
    index, padded, catalog, embedder, without_fingerprints
):
    path = padded("a.mp4")
    index()
    without_fingerprints()
    path = path.rename(path.with_name("b.mp4"))
    assert index().moved == 1
    assert embedder.clips_seen == len(
        catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=9)
    )
    os.utime(path, ns=(1, 1))  # nothing is left that holds what it held
    assert index().indexed == 1
    assert catalog.status().videos == 1
    assert list(fingerprints(catalog)) == [read_fingerprint(path)]


def test_a_file_that_cannot_be_measured_takes_nothing_from_those_it_swapped_with(
    index, padded, catalog, library, tmp_path
):
    one, other = padded("a.mp4", seed=1), padded("b.mp4", seed=2)
    index()
    held = catalog.known_files([library])
    shutil.copy(one, tmp_path / "kept.mp4")
    copy_over(other, one)
    copy_over(tmp_path / "kept.mp4", other)
    queue = WorkQueue(
        catalog=catalog,
        settings=IndexSettings(),
        counters=RunCounters(),
        known=held,
    )
    queue.sort(find_videos([library]))
    first, second = queue.next_job(), queue.next_job()
    assert (first.fingerprint_only, second.fingerprint_only, queue.next_job()) == (True, True, None)
    queue.measured(first, Content(read_fingerprint(one), read_sample(one)))
    queue.failed(second, error="reading it hangs")
    assert queue.next_job() is None
    states = catalog.known_files([library])
    assert states[str(one)].video_id == held[str(other)].video_id
    assert states[str(other)] == held[str(other)]  # to be looked at again
