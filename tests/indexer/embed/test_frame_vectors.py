"""Frame vectors through a whole run: stored with each video, kept by partial ones, added later."""

import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from catalog import Catalog
from indexer import ClipsEmbedded, FileDone, IndexSettings, index_library
from tests.indexer.colours import ColourEmbedder, ColourProcessor, ModelBrokeError
from tests.indexer.conftest import on


def frames_of(catalog, path):
    state = catalog.known_files([path])[str(path)]
    with catalog.library() as library:
        return library.frames_of(state.video_id)


@pytest.fixture
def forget_frames(catalog):
    """Makes the catalog one whose videos have no frame vectors."""

    def forget():
        with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
            connection.execute("DELETE FROM frames")
            connection.commit()

    return forget


def test_a_video_is_stored_with_a_vector_for_each_of_its_frames(index, film, catalog):
    path = film("a.mp4", seconds=21)
    report = index()
    assert report.without_frames == 0
    frames = frames_of(catalog, path)
    assert frames.times.tolist() == [2.0 * n + 1 for n in range(10)]
    lengths = np.linalg.norm(frames.quantised.vectors(), axis=1)
    assert np.diff(lengths[:4]).min() > 0  # brighter and brighter in the first clip alone


def test_a_long_video_that_was_interrupted_gets_the_same_frames_as_one_that_was_not(
    index, film, catalog, tmp_path
):
    path = film("long.mp4", seconds=110, step=1)

    def stop(event):
        if isinstance(event, ClipsEmbedded) and event.clips >= 10:
            raise KeyboardInterrupt

    assert index(workers=1, clips_wanted=3, on_event=stop).interrupted
    assert catalog.status().partials == 1
    assert index().indexed == 1
    with Catalog.open(tmp_path / "whole", create=True) as whole:
        settings = IndexSettings(workers=1)
        index_library([path], catalog=whole, model=ColourEmbedder(), settings=settings)
        once, twice = frames_of(whole, path), frames_of(catalog, path)
    assert np.array_equal(once.times, twice.times)
    assert np.array_equal(once.quantised.values, twice.quantised.values)
    assert np.array_equal(once.quantised.scales, twice.quantised.scales)


def test_copies_and_moved_files_share_the_frames(index, film, catalog, library):
    path = film("a.mp4", seconds=9)
    index()
    before = frames_of(catalog, path)
    shutil.copy(path, library / "copy.mp4")
    assert index().moved == 1
    path.rename(library / "moved.mp4")
    index()
    for name in ("copy.mp4", "moved.mp4"):
        assert np.array_equal(
            frames_of(catalog, library / name).quantised.values, before.quantised.values
        )


def test_frames_are_added_to_videos_that_lack_them_when_that_is_asked_for(
    index, film, catalog, embedder, forget_frames
):
    path = film("a.mp4", seconds=9)
    shutil.copy(path, path.with_name("copy.mp4"))
    film("b.mp4", seconds=30, first=90)
    index()
    before, clips = frames_of(catalog, path), catalog.status().clips
    forget_frames()
    seen = embedder.clips_seen
    report = index()
    assert (report.unchanged, report.without_frames, embedder.clips_seen) == (3, 2, seen)
    report = index(add_frames=True)
    assert (report.indexed, report.unchanged, report.without_frames) == (2, 1, 0)
    assert embedder.clips_seen == seen + clips
    assert catalog.status().clips == clips
    assert np.array_equal(frames_of(catalog, path).quantised.values, before.quantised.values)
    report = index(add_frames=True)
    assert (report.indexed, report.unchanged, embedder.clips_seen) == (0, 3, seen + clips)


def test_a_new_video_may_come_beside_those_that_get_frames(index, film, forget_frames):
    film("a.mp4", seconds=9)
    index()
    forget_frames()
    film("b.mp4", seconds=9, first=90)
    report = index(add_frames=True)
    assert (report.indexed, report.without_frames) == (2, 0)


def test_a_video_that_fails_when_it_is_read_for_its_frames_stays(
    index, film, catalog, embedder, forget_frames
):
    film("a.mp4", seconds=9)
    index()
    forget_frames()
    embedder.processor = ColourProcessor(trouble="crash", trouble_above=0)
    report = index(add_frames=True)
    assert (len(report.failed), report.without_frames) == (1, 1)
    assert catalog.status().videos == 1
    assert catalog.status().failures == ()
    embedder.processor = ColourProcessor()
    assert index(add_frames=True).without_frames == 0


def test_a_run_that_ends_while_it_adds_frames_goes_on_with_the_rest(index, film, forget_frames):
    for number in range(4):
        film(f"{number}.mp4", seconds=9, first=40 * number)
    index()
    forget_frames()

    def stop():
        raise KeyboardInterrupt

    report = index(workers=1, clips_wanted=1, add_frames=True, on_event=on(FileDone, stop))
    assert (report.interrupted, report.without_frames) == (True, 3)
    report = index(add_frames=True)
    assert (report.indexed, report.without_frames) == (3, 0)


def test_clips_whose_frames_were_not_kept_make_a_video_without_frames(index, film, catalog):
    film("long.mp4", seconds=110, step=1)

    def stop(event):
        if isinstance(event, ClipsEmbedded) and event.clips >= 10:
            raise KeyboardInterrupt

    index(workers=1, clips_wanted=1, on_event=stop)
    with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
        connection.execute("UPDATE partial_clips SET frames = NULL")
        connection.commit()
    report = index()
    assert (report.indexed, report.without_frames) == (1, 1)
    assert index(add_frames=True).without_frames == 0


def test_a_model_that_fails_at_frames_ends_the_run_with_its_own_error(index, film, embedder):
    film("a.mp4", seconds=9)

    def fail(_):
        raise ModelBrokeError

    embedder.embed_frames = fail
    with pytest.raises(ModelBrokeError):
        index()
