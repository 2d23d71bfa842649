"""What fails: a file alone, or the run by its model or catalog."""

import os

import numpy as np
import pytest

from catalog import CatalogError
from indexer import (
    FileDone,
    LibraryWalked,
    Outcome,
)
from tests.indexer.colours import ColourProcessor, ModelBrokeError
from tests.indexer.conftest import on
from tests.indexer.processes import reader_processes


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


def test_a_video_cut_off_in_the_middle_does_not_stop_the_run(index, film, library):
    whole = film("a.mp4", seconds=30, step=3)
    film("b.mp4", seconds=3, first=90)
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) * 2 // 3])
    report = index()
    assert report.indexed + len(report.failed) == 2
    assert report.indexed >= 1


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
    frames = np.ones((1, 4, 16), np.float32)
    embedder.embed_frames = lambda clips: (
        np.full((len(clips), 16), np.nan, np.float32),
        frames.repeat(len(clips), axis=0),
    )
    with pytest.raises(CatalogError):
        index()
    assert reader_processes() == []
    assert catalog.status().videos == 0


@pytest.mark.parametrize("trouble", ["crash", "hang"])
def test_a_video_that_crashes_or_hangs_its_decoder_fails_alone_and_can_be_tried_again(
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
