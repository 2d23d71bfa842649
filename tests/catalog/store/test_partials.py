"""Partial videos: clips of videos whose embedding was interrupted."""

from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, CatalogError, ClipSpan, InvalidVectorError, VideoRecord

FILMS = Path("/films")
SPANS = tuple(ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(6))


@pytest.fixture
def vectors():
    drawn = np.random.default_rng(5).normal(size=(6, 16)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture
def add(shelf, catalog, vectors):
    """Adds clips [first, last) of a partial video of 28 s."""

    def add(first, last, *, content="content 7", path="long.mp4", duration=28.0, **more):
        catalog.add_to_partial(
            content,
            location=shelf.location(path),
            duration=duration,
            clips=SPANS[first:last],
            vectors=vectors[first:last],
            **more,
        )

    return add


def test_a_partial_video_grows_and_gives_back_its_clips_in_order(add, catalog, address, vectors):
    add(2, 4)
    add(0, 1)
    catalog.close()
    with Catalog.open(address) as again:
        partial = again.partial("content 7")
    assert (partial.fingerprint, partial.duration, partial.damage) == ("content 7", 28.0, None)
    assert partial.spans == (SPANS[0], SPANS[2], SPANS[3])
    assert partial.vectors.dtype == np.float32
    np.testing.assert_allclose(partial.vectors, vectors[[0, 2, 3]], atol=1e-3)


def test_a_partial_video_becomes_the_very_same_vectors(add, shelf, catalog, vectors, query_rows):
    add(0, 6)
    partial = catalog.partial("content 7")
    for content, given in (("resumed", partial.vectors), ("at once", vectors)):
        add_video(catalog, shelf, content=content, path=content, vectors=given)
    stored = query_rows("SELECT vector FROM clips ORDER BY id")
    assert stored[:6] == stored[6:]


def add_video(catalog, shelf, *, content, path, vectors):
    return catalog.add_video(
        VideoRecord(content, 28.0, 64, 48, 25.0, "h264", "mp4"),
        location=shelf.location(path),
        clips=SPANS[: len(vectors)],
        vectors=vectors,
    )


def test_a_partial_video_is_neither_searched_nor_counted_as_clips(add, shelf, catalog, query):
    shelf.add("a.mp4", clips=3)
    before = catalog.status()
    add(0, 6)
    status = catalog.status()
    assert (status.videos, status.files, status.clips) == (1, 1, 3)
    assert (before.partials, status.partials) == (0, 1)
    assert status.generation == before.generation
    assert len(catalog.nearest_clips(query, limit=100)) == 3
    assert set(catalog.known_files([FILMS])) == {"/films/a.mp4"}


def test_clips_that_are_kept_already_are_not_kept_twice(add, catalog, vectors):
    add(0, 3)
    add(1, 5)
    assert catalog.partial("content 7").spans == SPANS[:5]
    np.testing.assert_allclose(catalog.partial("content 7").vectors, vectors[:5], atol=1e-3)


def test_a_partial_video_of_another_duration_is_replaced(add, catalog):
    add(0, 3, damage="it breaks off")
    add(3, 4, duration=40.0)
    partial = catalog.partial("content 7")
    assert (partial.duration, partial.spans, partial.damage) == (40.0, SPANS[3:4], None)


def test_a_note_of_damage_stays_until_there_is_a_newer_one(add, catalog):
    add(0, 1, damage="bad at 00:03")
    add(1, 2)
    assert catalog.partial("content 7").damage == "bad at 00:03"
    add(2, 2, damage="bad at 00:03 and 00:09")
    assert catalog.partial("content 7").damage == "bad at 00:03 and 00:09"


def test_the_partial_video_goes_in_the_step_in_which_its_video_comes(add, shelf, catalog, vectors):
    add(0, 3)
    add(0, 2, content="content 8", path="other.mp4")
    add_video(catalog, shelf, content="content 7", path="long.mp4", vectors=vectors)
    assert catalog.partial("content 7") is None
    assert catalog.partial("content 8").spans == SPANS[:2]
    add(3, 4)
    assert catalog.partial("content 7") is None
    assert catalog.status().partials == 1


def test_the_partial_video_goes_when_its_file_holds_something_else(add, shelf, catalog):
    add(0, 3, path="a.mp4")
    add(0, 3, content="content 8", path="a.mp4")
    assert catalog.partial("content 7") is None
    video = shelf.add("a.mp4", seed=1)
    assert catalog.partial("content 8") is None
    add(0, 3, path="b.mp4")
    catalog.add_locations({shelf.location("b.mp4"): video})
    assert catalog.status().partials == 0


def test_a_failure_keeps_the_partial_video_for_the_next_attempt(add, shelf, catalog):
    add(0, 3)
    catalog.record_failure(shelf.location("long.mp4"), error="it took too long")
    assert catalog.partial("content 7").spans == SPANS[:3]


def test_the_partial_video_goes_when_its_file_has_vanished(add, catalog):
    add(0, 3, path="a.mp4")
    add(0, 3, content="content 8", path="a.mp4/b.mp4")
    assert catalog.remove_files([FILMS / "a.mp4"]) == 0
    assert catalog.partial("content 7") is None
    assert catalog.partial("content 8") is not None


def test_a_video_that_was_renamed_goes_on_with_its_partial_video(add, catalog):
    add(0, 3, path="a.mp4")
    add(3, 4, path="b.mp4")
    assert catalog.remove_partials([FILMS / "a.mp4"]) == 0
    assert catalog.partial("content 7").spans == SPANS[:4]
    assert catalog.remove_partials([FILMS / "b.mp4"]) == 1


def test_partial_videos_are_removed_below_a_folder(add, catalog):
    for number, path in enumerate(("trips/a.mp4", "trips/b/c.mp4", "trips2/d.mp4")):
        add(0, 1, content=f"content {number}", path=path)
    assert catalog.remove_partials([FILMS / "trips", FILMS / "trips"]) == 2
    assert catalog.status().partials == 1
    assert catalog.remove_partials([]) == 0


def test_a_catalog_that_is_not_bound_takes_no_partial_videos(new_address, shelf, vectors):
    with Catalog.open(new_address("unbound"), create=True) as unbound:
        assert unbound.partial("content 7") is None
        with pytest.raises(CatalogError, match="not bound"):
            unbound.add_to_partial(
                "content 7",
                location=shelf.location("a.mp4"),
                duration=28.0,
                clips=SPANS,
                vectors=vectors,
            )


def test_a_partial_video_takes_only_vectors_that_a_video_could_take(add, shelf, catalog, vectors):
    place = shelf.location("a.mp4")
    with pytest.raises(InvalidVectorError):
        catalog.add_to_partial(
            "content 7", location=place, duration=28.0, clips=SPANS, vectors=2 * vectors
        )
    with pytest.raises(ValueError, match="6 clips with 5 vectors"):
        catalog.add_to_partial(
            "content 7", location=place, duration=28.0, clips=SPANS, vectors=vectors[:5]
        )
    assert catalog.status().partials == 0


def test_a_partial_video_that_cannot_be_read_is_begun_again(add, catalog, execute):
    add(0, 3)
    execute(catalog.address, "UPDATE partial_clips SET vector = x'0000' WHERE start = 4.0")
    assert catalog.partial("content 7") is None
    assert catalog.status().partials == 0
    add(0, 2)
    assert catalog.partial("content 7").spans == SPANS[:2]
