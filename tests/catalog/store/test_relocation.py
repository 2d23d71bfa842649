"""Relocation: what was known at one place is known at another, once, whatever the places are."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import CatalogError, ClipSpan, FileLocation, UnknownPathError, VideoFilter

FILMS, STICK = Path("/films"), Path("/mnt/stick")
TOP = Path("/")


def paths_of(catalog) -> set[str]:
    return set(catalog.known_files([TOP]))


@pytest.fixture
def roots_of(query_rows):
    """A function: the roots of the catalog."""
    return lambda: {path for (path,) in query_rows("SELECT path FROM roots")}


def test_a_library_that_moved_answers_from_its_new_path(shelf, catalog, query, roots_of):
    video = shelf.add("trips/sea.mp4", seed=1)
    shelf.add("home.mp4", seed=2)
    catalog.record_failure(shelf.location("broken.mp4"), error="broken")
    moved = catalog.relocate(FILMS, new=STICK)
    assert (moved.files, moved.found) == (3, 0)
    assert paths_of(catalog) == {
        "/mnt/stick/trips/sea.mp4",
        "/mnt/stick/home.mp4",
        "/mnt/stick/broken.mp4",
    }
    assert catalog.known_files([FILMS]) == {}
    assert roots_of() == {"/mnt/stick"}
    found = catalog.nearest_clips(query, limit=100, videos=VideoFilter(inside=("trips",)))
    assert {match.video_id for match in found} == {video}
    assert {match.path for match in found} == {STICK / "trips/sea.mp4"}
    assert catalog.status().clips == 6


def test_files_that_exist_at_the_new_path_are_counted(shelf, catalog, tmp_path):
    for name in ("here.mp4", "also/here.mp4", "gone.mp4", "a folder"):
        catalog.record_failure(shelf.location(name), error="broken")
    (tmp_path / "new/also").mkdir(parents=True)
    (tmp_path / "new/a folder").mkdir()
    for name in ("here.mp4", "also/here.mp4"):
        (tmp_path / "new" / name).touch()
    moved = catalog.relocate(FILMS, new=tmp_path / "new")
    assert (moved.files, moved.found) == (4, 2)


def test_a_folder_inside_a_root_gets_a_root_of_its_own_at_its_new_path(shelf, catalog, roots_of):
    for name in ("trips/a.mp4", "trips/deep/b.mp4", "home.mp4", "trips2/c.mp4"):
        catalog.record_failure(shelf.location(name), error="broken")
    assert catalog.relocate(FILMS / "trips", new=STICK).files == 2
    assert paths_of(catalog) == {
        "/mnt/stick/a.mp4",
        "/mnt/stick/deep/b.mp4",
        "/films/home.mp4",
        "/films/trips2/c.mp4",
    }
    assert roots_of() == {"/films", "/mnt/stick"}


def test_a_single_file_can_be_relocated_under_another_name(shelf, catalog, roots_of):
    video = shelf.add("a.mp4")
    catalog.relocate(FILMS / "a.mp4", new=FILMS / "trips/b.mp4")
    catalog.relocate(FILMS / "trips/b.mp4", new=STICK / "c.mp4")
    assert catalog.known_files([TOP])["/mnt/stick/c.mp4"].video_id == video
    assert paths_of(catalog) == {"/mnt/stick/c.mp4"}
    assert roots_of() == {"/mnt/stick"}


def test_a_file_that_is_known_at_its_new_path_already_is_not_doubled(shelf, catalog):
    same = shelf.add("same.mp4", seed=1)
    catalog.add_locations({shelf.location("same.mp4", root=STICK, size=77): same})
    shelf.add("changed.mp4", seed=2)
    newer = shelf.add("changed.mp4", seed=3, root=STICK)
    shelf.add("only here.mp4", seed=4, root=STICK)
    assert catalog.relocate(FILMS, new=STICK).files == 2
    known = catalog.known_files([TOP])
    assert set(known) == {
        "/mnt/stick/same.mp4",
        "/mnt/stick/changed.mp4",
        "/mnt/stick/only here.mp4",
    }
    assert known["/mnt/stick/same.mp4"].size == 77
    assert known["/mnt/stick/changed.mp4"].video_id == newer
    assert catalog.video_with("content 2") is None
    assert catalog.status().videos == 3


def test_a_video_is_not_lost_to_a_failure_at_the_new_path(shelf, catalog):
    video = shelf.add("a.mp4", seed=1)
    catalog.record_failure(shelf.location("a.mp4", root=STICK), error="it timed out")
    catalog.record_failure(shelf.location("b.mp4"), error="broken")
    other = shelf.add("b.mp4", seed=2, root=STICK)
    catalog.relocate(FILMS, new=STICK)
    known = catalog.known_files([TOP])
    assert known["/mnt/stick/a.mp4"].video_id == video
    assert known["/mnt/stick/b.mp4"].video_id == other
    assert catalog.status().failures == ()


def test_roots_that_meet_become_one(shelf, catalog, roots_of):
    shelf.add("a.mp4", seed=1)
    shelf.add("b.mp4", seed=2, root=STICK)
    catalog.relocate(FILMS, new=STICK)
    assert roots_of() == {"/mnt/stick"}
    shelf.add("a.mp4", seed=3, root=STICK)
    assert catalog.status().files == 2


@pytest.mark.parametrize("roots", [["/films"], ["/films", "/films/x"], ["/", "/films/x/x"]])
@pytest.mark.parametrize(("old", "new"), [("/films", "/films/x"), ("/films/x", "/films")])
def test_a_folder_moves_into_itself_and_out_again(shelf, catalog, roots, old, new):
    before = [f"/films/{'x/' * depth}{name}.mp4" for depth in range(5) for name in "ab"]
    for number, path in enumerate(before):
        above = [root for root in roots if Path(root) in Path(path).parents]
        root = Path(above[number % len(above)])
        catalog.record_failure(FileLocation(root, Path(path), number, 1), error="broken")
    moving = [path for path in before if path.startswith(f"{old}/")]
    assert catalog.relocate(Path(old), new=Path(new)).files == len(moving)
    rest = set(before) - set(moving)
    assert paths_of(catalog) == rest | {path.replace(old, new, 1) for path in moving}


def test_a_path_may_be_given_with_slashes_and_dots_at_its_end(shelf, catalog):
    shelf.add("a.mp4")
    catalog.relocate(Path("/films/./"), new=Path("/mnt/other/../stick/"))
    assert paths_of(catalog) == {"/mnt/stick/a.mp4"}


def test_what_stays_where_it_is_only_has_to_be_known(shelf, catalog):
    shelf.add("a.mp4")
    catalog.note_mounts([FILMS])
    assert catalog.relocate(FILMS, new=Path("/films/")).files == 1
    assert paths_of(catalog) == {"/films/a.mp4"}
    assert catalog.mounts([FILMS]) == {FILMS}
    with pytest.raises(UnknownPathError):
        catalog.relocate(STICK, new=STICK)


def test_everything_can_go_below_a_folder_and_come_back_to_the_top(shelf, catalog):
    shelf.add("films/a.mp4", root=TOP, seed=1)
    shelf.add("b.mp4", seed=2)
    assert catalog.relocate(TOP, new=STICK).files == 2
    assert paths_of(catalog) == {"/mnt/stick/films/a.mp4", "/mnt/stick/films/b.mp4"}
    assert catalog.relocate(STICK, new=TOP).files == 2
    assert paths_of(catalog) == {"/films/a.mp4", "/films/b.mp4"}


def test_a_file_cannot_take_the_place_of_the_top(shelf, catalog):
    shelf.add("a.mp4")
    with pytest.raises(CatalogError, match=r"/films/a\.mp4 is a file"):
        catalog.relocate(FILMS / "a.mp4", new=TOP)
    assert paths_of(catalog) == {"/films/a.mp4"}


def test_the_error_for_an_unknown_path_names_the_known_ones(shelf, catalog):
    with pytest.raises(UnknownPathError, match="it knows no files at all"):
        catalog.relocate(FILMS, new=STICK)
    shelf.add("a.mp4")
    before = catalog.status().generation
    with pytest.raises(UnknownPathError, match=r"below /film; .* below /films$"):
        catalog.relocate(Path("/film"), new=STICK)
    assert catalog.status().generation == before


def test_mount_points_below_the_old_path_are_removed(shelf, catalog):
    shelf.add("a.mp4")
    catalog.note_mounts([FILMS, FILMS / "trips", Path("/films2"), STICK])
    catalog.relocate(FILMS, new=STICK)
    assert catalog.mounts([TOP]) == {Path("/films2"), STICK}


def test_an_partial_video_moves_with_its_folder(shelf, catalog):
    vectors = shelf.vectors[shelf.add("a.mp4")]
    for name in ("trips/b.mp4", "home.mp4"):
        span = [ClipSpan(0.0, 8.0)]
        place = shelf.location(name)
        catalog.add_to_partial(name, location=place, duration=60.0, clips=span, vectors=vectors[:1])
    assert catalog.relocate(FILMS / "trips", new=STICK).files == 0
    assert catalog.remove_partials([FILMS / "trips"]) == 0
    assert catalog.remove_partials([STICK / "b.mp4"]) == 1
    catalog.relocate(FILMS, new=STICK)
    assert catalog.remove_partials([STICK / "home.mp4"]) == 1


def test_relative_paths_are_refused(catalog):
    with pytest.raises(ValueError, match="not absolute"):
        catalog.relocate(Path("films"), new=STICK)
    with pytest.raises(ValueError, match="not absolute"):
        catalog.relocate(FILMS, new=Path("stick"))


file_names = st.binary(min_size=1, max_size=8).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(folder=file_names, names=st.lists(file_names, min_size=1, max_size=4, unique=True))
def test_names_of_any_bytes_survive(catalog, shelf, folder, names):
    old, new = FILMS / os.fsdecode(folder), STICK / os.fsdecode(folder + b"%\xff")
    for name in names:
        place = shelf.location(old.relative_to(FILMS) / os.fsdecode(name))
        catalog.record_failure(place, error="broken")
    assert catalog.relocate(old, new=new).files == len(names)
    assert paths_of(catalog) == {str(new / os.fsdecode(name)) for name in names}
    catalog.remove_under([new])
    assert paths_of(catalog) == set()
