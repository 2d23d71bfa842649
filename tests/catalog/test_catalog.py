"""Files and videos of a catalog, changed in whole steps."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from catalog import (
    Catalog,
    CatalogError,
    ClipSpan,
    FileState,
    IndexedVideo,
    InvalidVectorError,
    Provenance,
    ProvenanceMismatchError,
    VideoRecord,
)
from catalog.database.migrations import newest_version

FILMS = Path("/films")
VIDEO = VideoRecord("one", 12.0, 64, 48, 25.0, "h264", "mov,mp4")
SPANS = [ClipSpan(0.0, 8.0), ClipSpan(4.0, 12.0)]


def unit(count: int) -> np.ndarray:
    return np.eye(16, dtype=np.float32)[:count]


def test_a_new_catalog_is_empty(catalog, address):
    status = catalog.status()
    assert (status.videos, status.files, status.clips, status.video_seconds) == (0, 0, 0, 0.0)
    assert status.address == address
    assert status.failures == ()
    assert catalog.known_files([Path("/")]) == {}


def test_status_counts_what_is_there(shelf, catalog):
    shelf.add("a.mp4", clips=3, seed=1)
    shelf.add("b.mp4", clips=2, seed=2)
    catalog.record_failure(shelf.location("c.mp4"), error="no video stream")
    catalog.save_snapshot()
    status = catalog.status()
    assert (status.videos, status.files, status.clips) == (2, 2, 5)
    assert status.video_seconds == 16.0 + 12.0
    assert [(f.path, f.reason) for f in status.failures] == [(FILMS / "c.mp4", "no video stream")]
    assert status.database_bytes > 8192
    assert status.snapshot_bytes > 5 * 16 * 2
    assert status.schema_version == newest_version()
    assert status.without_frames == 2


def test_every_video_is_listed_once_with_all_its_files(shelf, catalog):
    first, second = shelf.add("b.mp4", clips=3, seed=1), shelf.add("a.mp4", clips=2, seed=2)
    catalog.add_locations({shelf.location("a copy of b.mp4"): first})
    catalog.record_failure(shelf.location("bad.mp4"), error="no video stream")
    assert catalog.videos() == (
        IndexedVideo(first, 16.0, (FILMS / "a copy of b.mp4", FILMS / "b.mp4"), clips=3),
        IndexedVideo(second, 12.0, (FILMS / "a.mp4",), clips=2),
    )


def test_every_change_is_a_generation_and_reading_is_none(shelf, catalog, query):
    def generation():
        return catalog.status().generation

    seen = [generation()]
    video = shelf.add("a.mp4")
    seen.append(generation())
    catalog.add_locations({shelf.location("copy.mp4"): video})
    seen.append(generation())
    catalog.record_failure(shelf.location("bad.mp4"), error="cut off")
    seen.append(generation())
    catalog.remove_files([FILMS / "bad.mp4"])
    seen.append(generation())
    assert seen == list(range(seen[0], seen[0] + 5))
    catalog.nearest_clips(query, limit=1)
    catalog.save_snapshot()
    catalog.known_files([FILMS])
    assert generation() == seen[-1]


def test_a_written_video_is_there_after_opening_again(shelf, catalog, address):
    video = shelf.add("a.mp4")
    catalog.close()
    with Catalog.open(address) as again:
        assert again.video_with("content 0") == video
        assert again.known_files([FILMS]) == {
            "/films/a.mp4": FileState(10, 1_700_000_000_123_456_789, video, None)
        }


def test_a_changed_file_takes_its_old_clips_along_in_one_step(shelf, catalog):
    old = shelf.add("a.mp4", clips=3, seed=1)
    before = catalog.status().generation
    new = shelf.add("a.mp4", clips=2, seed=2)
    status = catalog.status()
    assert (status.videos, status.files, status.clips) == (1, 1, 2)
    assert status.generation == before + 1
    assert new != old
    assert catalog.video_with("content 1") is None


def test_a_failed_replacement_leaves_the_old_clips_as_they_were(shelf, catalog):
    shelf.add("a.mp4", clips=3, seed=1)
    before = catalog.status()
    broken = np.full((1, 16), np.nan, dtype=np.float32)
    with pytest.raises(InvalidVectorError, match="NaN"):
        catalog.add_video(
            VIDEO, location=shelf.location("a.mp4"), clips=[ClipSpan(0.0, 8.0)], vectors=broken
        )
    assert dataclasses.replace(catalog.status(), database_bytes=0) == dataclasses.replace(
        before, database_bytes=0
    )


def test_a_copy_shares_its_clips_and_outlives_the_original(shelf, catalog, query):
    video = shelf.add("a.mp4", clips=3)
    catalog.add_locations({shelf.location("copy/a.mp4"): video})
    assert (catalog.status().files, catalog.status().clips) == (2, 3)
    match = catalog.nearest_clips(query, limit=1)[0]
    assert match.paths == (FILMS / "a.mp4", FILMS / "copy/a.mp4")

    assert catalog.remove_files([FILMS / "a.mp4"]) == 1
    match = catalog.nearest_clips(query, limit=1)[0]
    assert match.paths == (FILMS / "copy/a.mp4",)

    assert catalog.remove_files([FILMS / "copy/a.mp4"]) == 1
    assert catalog.status().clips == 0
    assert catalog.nearest_clips(query, limit=1) == []


def test_a_changed_copy_leaves_the_shared_content_to_the_other_file(shelf, catalog):
    video = shelf.add("a.mp4", clips=3, seed=1)
    catalog.add_locations({shelf.location("b.mp4"): video})
    shelf.add("b.mp4", clips=2, seed=2)
    assert catalog.status().clips == 5
    assert catalog.known_files([FILMS / "a.mp4"])["/films/a.mp4"].video_id == video


def test_files_that_swap_their_content_lose_none_of_it(shelf, catalog):
    first = shelf.add("a.mp4", clips=3, seed=1)
    second = shelf.add("b.mp4", clips=2, seed=2)
    catalog.add_locations({shelf.location("a.mp4"): second, shelf.location("b.mp4"): first})
    known = catalog.known_files([FILMS])
    assert {path: state.video_id for path, state in known.items()} == {
        "/films/a.mp4": second,
        "/films/b.mp4": first,
    }
    assert catalog.status().clips == 5


def test_content_that_someone_else_took_in_meanwhile_is_not_doubled(shelf, catalog):
    first = shelf.add("a.mp4", clips=3, seed=1)
    second = shelf.add("b.mp4", clips=3, seed=1)
    assert first == second
    assert (catalog.status().videos, catalog.status().clips, catalog.status().files) == (1, 3, 2)


def test_content_that_is_gone_cannot_be_given_a_file(shelf, catalog):
    video = shelf.add("a.mp4")
    catalog.remove_files([FILMS / "a.mp4"])
    with pytest.raises(CatalogError, match="no longer in the catalog"):
        catalog.add_locations({shelf.location("b.mp4"): video})


def test_a_file_that_fails_after_a_change_no_longer_answers(shelf, catalog, query):
    shelf.add("a.mp4")
    catalog.record_failure(shelf.location("a.mp4", size=3), error="cut off")
    assert catalog.nearest_clips(query, limit=1) == []
    state = catalog.known_files([FILMS])["/films/a.mp4"]
    assert (state.size, state.video_id, state.error) == (3, None, "cut off")


def test_a_file_that_failed_and_then_works_is_no_failure(shelf, catalog):
    catalog.record_failure(shelf.location("a.mp4"), error="cut off")
    video = shelf.add("a.mp4")
    assert catalog.status().failures == ()
    assert catalog.known_files([FILMS])["/films/a.mp4"].video_id == video


def test_removing_what_is_not_known_changes_nothing(shelf, catalog):
    shelf.add("a.mp4")
    assert catalog.remove_files([FILMS / "b.mp4", Path("/elsewhere/a.mp4")]) == 0
    assert catalog.status().files == 1


def test_the_damage_of_a_video_is_listed_for_all_its_files(shelf, catalog):
    damaged = dataclasses.replace(VIDEO, damage="breaks off at 00:08 \udcff")
    video = catalog.add_video(
        damaged, location=shelf.location("b.mp4"), clips=SPANS, vectors=unit(2)
    )
    catalog.add_locations({shelf.location("a.mp4"): video})
    shelf.add("sound.mp4", seed=1)
    assert [(found.path, found.reason) for found in catalog.status().damaged] == [
        (FILMS / "a.mp4", r"breaks off at 00:08 \udcff"),
        (FILMS / "b.mp4", r"breaks off at 00:08 \udcff"),
    ]
    catalog.remove_files([FILMS / "a.mp4", FILMS / "b.mp4"])
    assert catalog.status().damaged == ()


def test_a_reason_with_an_undecodable_file_name_can_be_kept(shelf, catalog):
    catalog.record_failure(shelf.location("a.mp4"), error="cannot read caf\udce9.mp4")
    assert catalog.status().failures[0].reason == r"cannot read caf\udce9.mp4"


def test_binding_is_remembered_and_binding_alike_again_is_no_change(catalog, address):
    bound = catalog.provenance
    assert bound is not None
    before = catalog.status().generation
    catalog.bind(bound)
    assert catalog.status().generation == before
    catalog.close()
    with Catalog.open(address) as again:
        assert again.provenance == bound


@pytest.mark.parametrize(
    "change",
    [
        {"model_digest": "cd" * 32, "model": "other/model"},
        {"dim": 32},
        {"frames_per_clip": 16},
        {"window": 10.0},
        {"stride": 2.0},
    ],
)
def test_other_settings_are_refused_with_both_sides_and_the_remedy(catalog, shelf, change):
    shelf.add("a.mp4")
    asked = dataclasses.replace(catalog.provenance, **change)
    with pytest.raises(ProvenanceMismatchError) as refused:
        catalog.bind(asked)
    said = str(refused.value)
    assert "made with demo" in said
    assert f"asks for {asked.model}" in said
    assert "--model demo --window 8 --stride 4" in said
    assert f"`vsearch forget --all --catalog {catalog.address}`" in said


@pytest.mark.parametrize("other", [{"model_digest": "cd" * 32, "dim": 32}, {"window": 4.0}])
def test_a_catalog_from_which_all_is_removed_takes_any_model(catalog, shelf, query, other):
    asked = dataclasses.replace(catalog.provenance, **other)
    shelf.add("a.mp4")
    catalog.record_failure(shelf.location("bad.mp4"), error="it is no video")
    assert len(catalog.nearest_clips(query, limit=9)) == 3
    catalog.save_snapshot()
    catalog.remove_under([FILMS])
    catalog.save_snapshot()
    assert catalog.provenance is None
    assert catalog.status().snapshot_bytes == 0  # nothing of it is left
    catalog.bind(asked)
    assert catalog.provenance == asked
    vector = np.eye(asked.dim, dtype=np.float32)[:1]
    catalog.add_video(VIDEO, location=shelf.location("b.mp4"), clips=SPANS[:1], vectors=vector)
    assert [match.path for match in catalog.nearest_clips(vector[0], limit=9)] == [FILMS / "b.mp4"]


def test_a_catalog_that_holds_no_vectors_takes_those_of_another_model(catalog, shelf):
    asked = dataclasses.replace(catalog.provenance, model="other", model_digest="cd" * 32)
    catalog.record_failure(shelf.location("bad.mp4"), error="it is no video")
    catalog.check(asked)
    assert catalog.provenance.model == "demo"
    catalog.bind(asked)
    assert catalog.provenance == asked


def test_a_partial_video_binds_the_catalog_as_a_video_does(catalog, shelf):
    asked = dataclasses.replace(catalog.provenance, model="other", model_digest="cd" * 32)
    catalog.add_to_partial(
        "long",
        location=shelf.location("long.mp4"),
        duration=99.0,
        clips=SPANS,
        vectors=unit(len(SPANS)),
    )
    for refuse in (catalog.check, catalog.bind):
        with pytest.raises(ProvenanceMismatchError, match="made with demo"):
            refuse(asked)
    catalog.remove_partials([FILMS])
    catalog.bind(asked)
    assert catalog.provenance == asked


def test_checking_binds_nothing_and_refuses_what_binding_would(folder, catalog, shelf):
    shelf.add("a.mp4")
    asked = dataclasses.replace(catalog.provenance, stride=2.0)
    with Catalog.open(folder.with_name("unbound"), create=True) as unbound:
        unbound.check(asked)
        assert unbound.provenance is None
    before = (folder / "catalog.sqlite-wal").read_bytes()
    catalog.check(catalog.provenance)
    with pytest.raises(ProvenanceMismatchError, match="--stride 4"):
        catalog.check(asked)
    assert (folder / "catalog.sqlite-wal").read_bytes() == before


def test_the_same_weights_under_another_name_are_the_same_model(catalog):
    catalog.bind(dataclasses.replace(catalog.provenance, model="/copy/of/demo", revision="main"))
    assert catalog.provenance.model == "demo"


def test_an_unbound_catalog_takes_no_vectors(new_address, shelf):
    with Catalog.open(new_address("unbound"), create=True) as unbound:
        assert unbound.provenance is None
        with pytest.raises(CatalogError, match="not bound"):
            unbound.add_video(VIDEO, location=shelf.location("a.mp4"), clips=SPANS, vectors=unit(2))
        assert unbound.nearest_clips(unit(1)[0], limit=1) == []
        unbound.save_snapshot()
        assert unbound.status().snapshot_bytes == 0


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.eye(8, dtype=np.float32)[:2], r"\(2, 8\).*16 numbers"),
        (2.0 * unit(2), "length 2"),
        (np.zeros((2, 16), dtype=np.float32), "length 0"),
        (np.full((2, 16), np.inf, dtype=np.float32), "infinity"),
    ],
)
def test_vectors_that_are_no_unit_vectors_of_the_right_size_are_refused(
    shelf, catalog, vectors, said
):
    with pytest.raises(InvalidVectorError, match=said):
        catalog.add_video(VIDEO, location=shelf.location("a.mp4"), clips=SPANS, vectors=vectors)
    assert catalog.status().videos == 0


@pytest.mark.parametrize(("spans", "count"), [(SPANS, 1), (SPANS, 3), ([], 0)])
def test_clips_and_vectors_must_be_as_many(shelf, catalog, spans, count):
    with pytest.raises(ValueError, match="vectors"):
        catalog.add_video(VIDEO, location=shelf.location("a.mp4"), clips=spans, vectors=unit(count))


def test_provenance_is_a_plain_frozen_value(catalog):
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalog.provenance.model = "x"
    assert isinstance(catalog.provenance, Provenance)
