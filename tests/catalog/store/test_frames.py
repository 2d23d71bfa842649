"""Frame vectors of videos: written with them, read by time, removed with them."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from catalog import (
    Catalog,
    CatalogDamagedError,
    ClipSpan,
    FrameVectors,
    InvalidVectorError,
    QuantisedVectors,
    VideoRecord,
)
from tests.catalog.conftest import PROVENANCE, unit_vectors

HOURS = 2 * 3600.0


def frames_at(times: np.ndarray, *, seed: int = 1, dim: int = 16) -> FrameVectors:
    drawn = np.random.default_rng(seed).normal(size=(len(times), dim)).astype(np.float32)
    return FrameVectors(np.asarray(times), QuantisedVectors.of(drawn))


@pytest.fixture
def add(catalog, shelf):
    """Adds a video of one clip and these frames."""

    def add(frames, *, content="long", path="long.mp4"):
        return catalog.add_video(
            VideoRecord(content, HOURS, 64, 48, 25.0, "h264", "mov,mp4"),
            location=shelf.location(path),
            clips=[ClipSpan(0.0, HOURS)],
            vectors=unit_vectors(1, seed=3),
            frames=frames,
        )

    return add


def frames_of(catalog, video, **stretch):
    with catalog.library() as library:
        return library.frames_of(video, **stretch)


ROWS = "SELECT video_id, start, step, length(vectors) FROM frames ORDER BY id"


@pytest.fixture
def rows(query_rows):
    """A function: the rows of frames."""
    return lambda: query_rows(ROWS)


def test_frames_come_back_as_they_were_also_a_stretch_of_them(add, catalog):
    regular = np.arange(HOURS) + 0.5
    given = frames_at(np.sort(np.concatenate([regular, [7.7, 7.9, HOURS]])))
    video = add(given)
    whole = frames_of(catalog, video)
    np.testing.assert_allclose(whole.times, given.times, atol=1e-6)
    assert np.array_equal(whole.quantised.values, given.quantised.values)
    assert np.array_equal(whole.quantised.scales, given.quantised.scales)
    some = frames_of(catalog, video, start=1000.5, end=1100.0)
    assert some.times.tolist() == pytest.approx(np.arange(1000.5, 1100.0).tolist())
    assert np.array_equal(some.quantised.values, given.quantised.values[1002:1102])
    assert len(frames_of(catalog, video, start=HOURS + 1, end=HOURS + 9)) == 0
    assert len(frames_of(catalog, video + 1)) == 0


def test_products_are_those_of_the_frames_without_a_copy_of_them(add, catalog):
    times = np.sort(np.concatenate([np.arange(3000.0) + 0.5, [7.7, 7.9]]))
    video = add(frames_at(times))
    asked = unit_vectors(1, seed=8)[0]
    for stretch in ({"start": 0.0, "end": 9000.0}, {"start": 2000.0, "end": 2010.0}):
        with catalog.library() as library:
            found, products = library.frame_products(video, asked, **stretch)
        frames = frames_of(catalog, video, **stretch)
        assert np.array_equal(found, frames.times)
        np.testing.assert_allclose(products, frames.quantised.vectors() @ asked, atol=1e-4)


def test_two_hours_at_a_frame_a_second_take_few_rows_and_520_bytes_a_second(shelf, folder):
    folder = folder.with_name("of 512 numbers")
    with Catalog.open(folder, create=True) as catalog:
        catalog.bind(replace(PROVENANCE, dim=512))
        before = catalog.status().database_bytes
        catalog.add_video(
            VideoRecord("long", HOURS, 64, 48, 25.0, "h264", "mov,mp4"),
            location=shelf.location("long.mp4"),
            clips=[ClipSpan(0.0, HOURS)],
            vectors=np.eye(512, dtype=np.float32)[:1],
            frames=frames_at(np.arange(HOURS) + 0.5, dim=512),
        )
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        assert len(connection.execute(ROWS).fetchall()) == 29
    assert (folder / "catalog.sqlite").stat().st_size - before <= 520 * HOURS


def test_frames_go_with_their_video_and_a_video_may_have_none(add, catalog, shelf, rows):
    shelf.add("a.mp4", frames=True, seed=1)
    plain = shelf.add("b.mp4", seed=2)
    video = add(frames_at(np.arange(20.0)))
    with catalog.library() as library:
        assert library.videos_without_frames() == {plain}
    assert catalog.status().without_frames == 1
    catalog.add_locations({shelf.location("copy of long.mp4"): video})
    catalog.remove_files([shelf.location("long.mp4").path])
    assert len(frames_of(catalog, video)) == 20
    catalog.remove_files([shelf.location("copy of long.mp4").path])
    assert len(frames_of(catalog, video)) == 0
    assert len(rows()) == 1


def test_a_known_video_gets_the_frames_that_it_lacks_and_keeps_those_that_it_has(add, catalog):
    video = add(None)
    first, second = frames_at(np.arange(20.0)), frames_at(np.arange(30.0), seed=2)
    generation = catalog.version[1]
    assert add(first) == add(second) == video
    assert len(frames_of(catalog, video)) == 20
    assert catalog.status().clips == 1
    assert catalog.version[1] > generation


def test_frame_vectors_of_another_length_are_refused(add, catalog):
    with pytest.raises(InvalidVectorError, match="16 numbers"):
        add(frames_at(np.arange(20.0), dim=8))
    assert catalog.status().videos == 0


def test_frame_vectors_that_cannot_be_read_name_the_command_that_helps(add, catalog, execute):
    video = add(frames_at(np.arange(20.0)))
    execute(catalog.address, "UPDATE frames SET vectors = x'0001'")
    with pytest.raises(CatalogDamagedError, match="verify --repair"):
        frames_of(catalog, video)


def test_partial_videos_keep_the_frames_of_their_clips(catalog, shelf, address):
    spans = [ClipSpan(0.0, 8.0), ClipSpan(4.0, 12.0)]
    frames = frames_at(np.arange(8.0)).quantised
    catalog.add_to_partial(
        "long",
        location=shelf.location("long.mp4"),
        duration=20.0,
        clips=spans,
        vectors=unit_vectors(2, seed=1),
        frames=[frames, None],
    )
    catalog.close()
    with Catalog.open(address) as again:
        kept, none = again.partial("long").frames
    assert none is None
    assert np.array_equal(kept.values, frames.values)
    assert np.array_equal(kept.scales, frames.scales)
