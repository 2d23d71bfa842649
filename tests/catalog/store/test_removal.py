"""Removal of whole folders: of all that is known there, and of nothing else."""

from pathlib import Path

from catalog import ClipSpan, Removed

FILMS = Path("/films")


def test_a_folder_is_removed_with_the_videos_that_no_other_file_holds(shelf, catalog, query):
    shelf.add("trips/sea.mp4", clips=3, seed=1)
    copied = shelf.add("trips/hill.mp4", clips=2, seed=2)
    catalog.add_locations({shelf.location("home/hill.mp4"): copied})
    catalog.record_failure(shelf.location("trips/broken.mp4"), error="broken")
    assert catalog.remove_under([FILMS / "trips"]) == Removed(files=3, videos=1, clips=3)
    assert set(catalog.known_files([FILMS])) == {"/films/home/hill.mp4"}
    found = catalog.nearest_clips(query, limit=100)
    assert {match.path for match in found} == {FILMS / "home/hill.mp4"}
    assert len(found) == 2


def test_a_file_or_several_folders_can_be_removed(shelf, catalog):
    for name in ("a.mp4", "b.mp4", "c/x.mp4", "d/x.mp4", "c2/x.mp4"):
        catalog.record_failure(shelf.location(name), error="broken")
    assert catalog.remove_under([FILMS / "a.mp4", FILMS / "c", FILMS / "d/"]).files == 3
    assert set(catalog.known_files([FILMS])) == {"/films/b.mp4", "/films/c2/x.mp4"}


def test_removing_what_is_not_known_changes_nothing(shelf, catalog):
    shelf.add("a.mp4")
    assert catalog.remove_under([FILMS / "b", Path("/elsewhere")]) == Removed(0, 0, 0)
    assert catalog.remove_under([]) == Removed(0, 0, 0)
    assert catalog.status().files == 1


def test_files_of_nested_roots_are_removed_below_either(shelf, catalog):
    shelf.add("trips/a.mp4", seed=1)
    shelf.add("b.mp4", seed=2, root=FILMS / "trips")
    shelf.add("c.mp4", seed=3)
    assert catalog.remove_under([FILMS / "trips"]).files == 2
    assert catalog.remove_under([Path("/")]).files == 1


def test_partial_videos_and_mounts_go_with_their_folder(shelf, catalog):
    vectors = shelf.vectors[shelf.add("a.mp4")]
    for name in ("trips/b.mp4", "home.mp4"):
        catalog.add_to_partial(
            name,
            location=shelf.location(name),
            duration=60.0,
            clips=[ClipSpan(0.0, 8.0)],
            vectors=vectors[:1],
        )
    catalog.note_mounts([FILMS / "trips", FILMS / "trips/disk", FILMS])
    catalog.remove_under([FILMS / "trips"])
    assert catalog.partial("trips/b.mp4") is None
    assert catalog.partial("home.mp4") is not None
    assert catalog.mounts([FILMS]) == {FILMS}


def test_a_root_goes_with_its_last_file(shelf, catalog, query_rows):
    shelf.add("a.mp4", seed=1)
    shelf.add("b.mp4", seed=2, root=Path("/mnt/stick"))
    catalog.remove_under([FILMS])
    assert query_rows("SELECT path FROM roots") == [("/mnt/stick",)]


def test_hundreds_of_paths_are_forgotten_like_few(shelf, catalog):
    for number in range(300):
        catalog.record_failure(shelf.location(f"{number}.mp4"), error="broken")
    gone = [FILMS / f"{number}.mp4" for number in range(50, 600)]
    assert catalog.remove_under(gone).files == 250
    assert catalog.status().failures[0].path == FILMS / "0.mp4"
    assert len(catalog.known_files([FILMS])) == 50
