"""Paths: any bytes survive, and one absolute path is one row, whichever root it came through."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from catalog import FileLocation
from catalog.database.columns import PathText

FILMS = Path("/films")

file_names = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


def known_paths(catalog, paths):
    return [Path(pathname) for pathname in catalog.known_files(paths)]


@given(st.lists(file_names, min_size=1, max_size=3).map(b"/".join))
def test_every_name_of_a_file_survives_as_text_that_any_database_takes(name):
    column, dialect = PathText(), sqlite.dialect()
    text = column.process_bind_param(os.fsdecode(name), dialect)
    text.encode("utf-8")
    assert os.fsencode(column.process_result_value(text, dialect)) == name


@given(st.text(st.characters(codec="utf-8", exclude_characters="%\0"), min_size=1))
def test_ordinary_names_are_stored_as_they_read(name):
    assert PathText().process_bind_param(name, sqlite.dialect()) == name


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(file_names, min_size=1, max_size=4, unique=True))
def test_files_of_any_name_are_known_and_forgotten_by_it(catalog, shelf, names):
    paths = [FILMS / os.fsdecode(name) for name in names]
    for path in paths:
        catalog.record_failure(shelf.location(path), error="broken")
    assert set(known_paths(catalog, [FILMS])) == set(paths)
    assert set(known_paths(catalog, paths)) == set(paths)
    assert catalog.remove_files(paths) == len(paths)
    assert known_paths(catalog, [FILMS]) == []


def test_a_file_found_through_two_roots_has_one_row(shelf, catalog):
    outer = shelf.add("trips/2023/sea.mp4", seed=1)
    inner = shelf.add("sea.mp4", seed=1, root=FILMS / "trips/2023")
    middle = shelf.add("2023/sea.mp4", seed=2, root=FILMS / "trips")
    assert outer == inner != middle
    assert catalog.status().files == 1
    assert known_paths(catalog, [FILMS]) == [FILMS / "trips/2023/sea.mp4"]
    assert catalog.remove_files([FILMS / "trips/2023/sea.mp4"]) == 1
    assert catalog.status().clips == 0


def test_a_file_of_nested_roots_holds_what_was_found_last_through_either(shelf, catalog, query):
    inner, path = FILMS / "trips", "/films/trips/sea.mp4"
    shelf.add("sea.mp4", seed=1, root=inner)
    copied = shelf.add("copy.mp4", seed=2)
    catalog.add_locations({shelf.location("trips/sea.mp4"): copied})
    assert catalog.known_files([FILMS])[path].video_id == copied
    assert catalog.video_with("content 1") is None
    found = catalog.nearest_clips(query, limit=1)[0]
    assert list(found.paths) == [FILMS / "copy.mp4", Path(path)]

    catalog.record_failure(shelf.location("sea.mp4", root=inner), error="broken")
    assert catalog.known_files([FILMS])[path].error == "broken"
    assert catalog.nearest_clips(query, limit=1)[0].paths[1:] == ()

    again = shelf.add("trips/sea.mp4", seed=3)
    assert catalog.known_files([inner])[path].video_id == again
    assert catalog.status().files == 2
    assert catalog.status().failures == ()


def test_files_of_nested_roots_change_names_with_each_other(shelf, catalog):
    inner = FILMS / "trips"
    one, other = shelf.add("a.mp4", seed=1, root=inner), shelf.add("trips/b.mp4", seed=2)
    catalog.add_locations(
        {shelf.location("trips/a.mp4"): other, shelf.location("b.mp4", root=inner): one}
    )
    known = catalog.known_files([FILMS])
    assert {path: state.video_id for path, state in known.items()} == {
        "/films/trips/a.mp4": other,
        "/films/trips/b.mp4": one,
    }


def test_files_of_nested_roots_are_known_under_either(shelf, catalog):
    shelf.add("sea.mp4", seed=1, root=FILMS / "trips")
    shelf.add("home.mp4", seed=2)
    everything = {FILMS / "trips/sea.mp4", FILMS / "home.mp4"}
    assert set(known_paths(catalog, [FILMS])) == everything
    assert set(known_paths(catalog, [Path("/")])) == everything
    assert set(known_paths(catalog, [FILMS, FILMS / "trips"])) == everything
    assert set(known_paths(catalog, [FILMS / "trips"])) == {FILMS / "trips/sea.mp4"}


def test_only_files_below_a_folder_are_known_under_it(shelf, catalog):
    names = ["a", "a/x.mp4", "a/b/y.mp4", "a!.mp4", "a-b/x.mp4", "a0.mp4", "A/x.mp4", "aa/x.mp4"]
    for name in names[1:]:
        catalog.record_failure(shelf.location(name), error="broken")
    found = {path.relative_to(FILMS).as_posix() for path in known_paths(catalog, [FILMS / "a"])}
    assert found == {"a/x.mp4", "a/b/y.mp4"}


def test_a_folder_whose_name_holds_wildcards_is_only_itself(shelf, catalog):
    for name in ["50%_off/x.mp4", "50xyoff/x.mp4", "50%25_off/x.mp4"]:
        catalog.record_failure(shelf.location(name), error="broken")
    assert known_paths(catalog, [FILMS / "50%_off"]) == [FILMS / "50%_off/x.mp4"]


def test_the_root_of_the_file_system_can_be_a_root(shelf, catalog):
    shelf.add("films/a.mp4", root=Path("/"))
    assert known_paths(catalog, [FILMS]) == [FILMS / "a.mp4"]
    shelf.add("a.mp4", seed=5)
    assert catalog.status().files == 1


def test_hundreds_of_single_files_are_looked_up_like_few(shelf, catalog):
    for name in ("1.mp4", "2.mp4", "3/4.mp4"):
        catalog.record_failure(shelf.location(name), error="broken")
    few = [FILMS / "1.mp4", FILMS / "3"]
    many = [*few, *(FILMS / f"absent {n}" for n in range(500))]
    assert catalog.known_files(many) == catalog.known_files(few)
    assert set(known_paths(catalog, few)) == {FILMS / "1.mp4", FILMS / "3/4.mp4"}


@pytest.mark.parametrize(
    ("root", "path"), [("/films", "/other/a.mp4"), ("/films", "/films"), ("/films", "/films2/a")]
)
def test_a_file_must_be_below_its_root(catalog, root, path):
    place = FileLocation(Path(root), Path(path), 1, 1)
    with pytest.raises(ValueError, match="does not lie below"):
        catalog.record_failure(place, error="broken")


def test_relative_paths_are_refused(catalog):
    with pytest.raises(ValueError, match="not absolute"):
        catalog.known_files([Path("films")])


def test_dots_and_doubled_slashes_do_not_make_another_file(catalog, shelf):
    shelf.add("a.mp4")
    assert known_paths(catalog, [Path("/other/..//films/./a.mp4")]) == [FILMS / "a.mp4"]
