"""Triage: what is done about each file that was found, decided by the catalog and a few reads."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from catalog import Catalog
from indexer import FileDone, IndexSettings, LibraryWalked, Outcome, RunCounters, Sampling
from indexer.decode.clip_reader import ClipReader
from indexer.decode.messages import VideoOpened, VideoRead
from indexer.scan.fingerprint import Content, read_fingerprint, read_sample
from indexer.scan.triage import WorkQueue
from indexer.scan.walk import find_videos
from tests.indexer.colours import FRAMES, ColourProcessor
from tests.indexer.videos import turn, write_padded


@pytest.fixture
def triage(catalog: Catalog, library: Path):
    """Sort the files of the library; the queue, and the list of its events."""

    def start(**settings):
        events = []
        walk = find_videos([library])
        queue = WorkQueue(
            catalog=catalog,
            settings=IndexSettings(**settings),
            counters=RunCounters(events.append),
            known=catalog.known_files([library]),
        )
        queue.sort(walk)
        return queue, events

    return start


def outcomes(events):
    return {event.path.name: event.outcome for event in events if isinstance(event, FileDone)}


def waiting(events):
    return next(event.waiting for event in events if isinstance(event, LibraryWalked))


def counted(queue):
    return queue.counters.report(took_seconds=0.0, interrupted=False)


def content_of(path: Path) -> Content:
    return Content(read_fingerprint(path), read_sample(path))


def test_a_new_file_is_decoded_without_being_read_whole_first(triage, film):
    path = film("a.mp4", seconds=1)
    queue, events = triage()
    job = queue.next_job()
    assert (job.file.path, job.fingerprint_only, waiting(events)) == (path, False, 1)
    assert queue.next_job() is None


def test_an_unchanged_file_is_counted_and_nothing_else(triage, index, film):
    film("a.mp4", seconds=1)
    index()
    queue, events = triage()
    assert queue.next_job() is None
    assert (counted(queue).unchanged, waiting(events), outcomes(events)) == (1, 0, {})


def test_a_touched_file_is_read_whole_and_then_unchanged(triage, index, film):
    path = film("a.mp4", seconds=1)
    index()
    os.utime(path, ns=(1, 1))
    queue, events = triage()
    job = queue.next_job()
    assert job.fingerprint_only
    queue.measured(job, content_of(path))
    assert queue.next_job() is None
    assert outcomes(events) == {"a.mp4": Outcome.UNCHANGED}


def test_a_file_with_other_content_is_decoded(triage, index, film):
    film("a.mp4", seconds=1)
    index()
    path = film("a.mp4", seconds=3, first=90)
    queue, _ = triage()
    job = queue.next_job()
    assert (job.file.path, job.fingerprint_only) == (path, False)


def test_a_moved_file_is_known_by_its_sample_size_and_time(triage, index, film, library):
    film("a.mp4", seconds=1).rename(library / "gone.mp4")
    index()
    (library / "gone.mp4").rename(library / "b.mp4")
    queue, events = triage()
    assert queue.next_job() is None
    assert outcomes(events) == {"b.mp4": Outcome.MOVED}


def test_a_copy_is_read_whole_and_then_known(triage, index, film, catalog, library):
    path = film("a.mp4", seconds=1)
    index()
    copy = path.with_name("copy.mp4")
    shutil.copy2(path, copy)
    queue, events = triage()
    job = queue.next_job()
    assert (job.file.path, job.fingerprint_only) == (copy, True)
    queue.measured(job, content_of(copy))
    assert queue.next_job() is None
    assert outcomes(events) == {"copy.mp4": Outcome.MOVED}
    known = catalog.known_files([library])
    assert known[str(copy)].video_id == known[str(path)].video_id


def test_one_of_two_new_copies_waits_until_the_other_is_done(triage, film):
    path = film("a.mp4", seconds=1)
    shutil.copy2(path, path.with_name("b.mp4"))
    queue, _ = triage()
    job = queue.next_job()
    assert queue.next_job() is None
    queue.committed(job)
    assert queue.next_job().file.path.name == "b.mp4"


def test_a_file_that_failed_before_is_listed_and_read_again_only_when_asked(triage, index, library):
    (library / "a.mp4").write_text("this is no video")
    index()
    queue, events = triage()
    assert queue.next_job() is None
    assert [failure.path.name for failure in counted(queue).failed] == ["a.mp4"]
    assert outcomes(events) == {}
    queue, _ = triage(retry_failed=True)
    assert queue.next_job().file.path.name == "a.mp4"


def test_a_file_that_is_something_else_is_never_read_whole(triage, library):
    (library / "main.ts").write_text("export const x = 1")
    queue, events = triage()
    assert queue.next_job() is None
    assert outcomes(events) == {"main.ts": Outcome.NO_VIDEO}
    again, events = triage()
    assert again.next_job() is None
    assert (counted(again).no_video, waiting(events)) == (1, 0)


def test_a_deferred_file_is_neither_opened_nor_counted(catalog, film, library):
    path = film("a.mp4", seconds=1)
    events = []
    queue = WorkQueue(
        catalog=catalog, settings=IndexSettings(), counters=RunCounters(events.append), known={}
    )
    walk = find_videos([library])
    queue.sort(replace(walk, deferred=frozenset({str(path)})))
    assert (queue.next_job(), waiting(events), outcomes(events)) == (None, 0, {})


def test_a_file_that_changes_while_it_is_read_fails_until_the_next_run(triage, film, catalog):
    path = film("a.mp4", seconds=1)
    queue, events = triage()
    queue.changed(queue.next_job())
    assert outcomes(events) == {"a.mp4": Outcome.FAILED}
    assert [failure.path for failure in catalog.status().failures] == [path]
    again, _ = triage()
    assert again.next_job().file.path == path


def bytes_read() -> int:
    """Bytes that this process has read from files so far."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        pytest.skip("Linux counts what a process reads")
    return int(lines[0].removeprefix("rchar: "))


def test_a_changed_file_is_read_whole_once(triage, index, library):
    path = write_padded(library / "a.mp4", seed=0)
    with path.open("ab") as file:
        file.write((64 << 20).to_bytes(4, "big") + b"free" + bytes((64 << 20) - 8))
    index()
    turn(path)
    reader = ClipReader(
        processor=ColourProcessor(),
        frames=FRAMES,
        window=8.0,
        stride=4.0,
        sampling=Sampling.AUTO,
        threads=1,
    )
    before = bytes_read()
    queue, _ = triage()
    job = queue.next_job()
    (content,) = reader.read(job)
    queue.measured(job, content)
    opened, *_, end = reader.read(queue.next_job())
    assert bytes_read() - before < 1.5 * path.stat().st_size
    assert isinstance(opened, VideoOpened)
    assert end == VideoRead()


def test_videos_that_another_process_removed_meanwhile_are_decoded(
    triage, index, film, catalog, library
):
    one, other = film("a.mp4", seconds=1), film("b.mp4", seconds=2)
    index()
    one.rename(library / "c")
    other.rename(one)
    (library / "c").rename(other)
    for path in (one, other):
        os.utime(path, ns=(1, 1))
    queue, _ = triage()
    for job in [queue.next_job(), queue.next_job()]:
        assert job.fingerprint_only
        queue.measured(job, content_of(job.file.path))
    catalog.remove_under([library])
    jobs = [queue.next_job(), queue.next_job()]
    assert [job.fingerprint_only for job in jobs] == [False, False]
