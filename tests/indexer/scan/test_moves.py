"""Content that moves, is copied, or changes names: found again, and never decoded twice."""

import shutil

import numpy as np

from indexer import LibraryWalked


def clips_at(catalog):
    """How many clips lie at each place in the catalog, by file name."""
    matches = catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=1000)
    places = [path.name for match in matches for path in match.paths]
    return {name: places.count(name) for name in places}


def test_a_renamed_file_is_moved_and_nothing_is_decoded(index, film, catalog, library, embedder):
    film("a.mp4", seconds=3)
    index()
    (library / "a.mp4").rename(library / "b.mp4")
    report = index()
    assert (report.moved, report.removed, report.indexed) == (1, 0, 0)
    assert embedder.clips_seen == 1
    assert clips_at(catalog) == {"b.mp4": 1}


def test_files_that_take_over_each_others_names_are_not_decoded_again(
    index, film, catalog, library, embedder
):
    for number in (1, 2, 3):
        film(f"{number}.mp4", seconds=3, first=60 * number)
    index()
    for before, after in (("3", "4"), ("2", "3"), ("1", "2")):
        (library / f"{before}.mp4").rename(library / f"{after}.mp4")
    report = index()
    assert (report.moved, report.indexed, report.removed) == (3, 0, 0)
    for before, after in (("2", "x"), ("3", "2"), ("x", "3")):
        (library / f"{before}.mp4").rename(library / f"{after}.mp4")
    report = index()
    assert (report.moved, report.unchanged, report.indexed) == (2, 1, 0)
    assert embedder.clips_seen == 3
    assert clips_at(catalog) == {"2.mp4": 1, "3.mp4": 1, "4.mp4": 1}


def test_a_new_video_under_the_name_of_one_that_moved_on_costs_one_decoding(
    index, film, catalog, library, embedder
):
    film("1.mp4", seconds=3, first=20)
    film("2.mp4", seconds=3, first=90)
    index()
    (library / "2.mp4").rename(library / "3.mp4")
    (library / "1.mp4").rename(library / "2.mp4")
    film("1.mp4", seconds=4, first=160)
    report = index()
    assert (report.indexed, report.moved, report.removed) == (1, 2, 0)
    assert embedder.clips_seen == 3
    assert clips_at(catalog) == {"1.mp4": 1, "2.mp4": 1, "3.mp4": 1}


def test_copies_in_one_run_are_decoded_once_and_counted_as_moved(index, film, catalog, embedder):
    path = film("a.mp4", seconds=3)
    for name in ("b.mp4", "c.mp4"):
        shutil.copy(path, path.with_name(name))
    report = index()
    assert (report.indexed, report.moved, report.clips) == (1, 2, 1)
    assert embedder.clips_seen == 1
    assert clips_at(catalog) == {"a.mp4": 1, "b.mp4": 1, "c.mp4": 1}


def test_when_the_first_of_two_copies_vanishes_the_other_one_is_indexed(index, film, catalog):
    path = film("a.mp4", seconds=3)
    shutil.copy(path, path.with_name("b.mp4"))

    def lose_the_first(event):
        if isinstance(event, LibraryWalked):
            path.unlink()

    report = index(on_event=lose_the_first)
    assert (report.indexed, len(report.failed)) == (1, 1)
    assert clips_at(catalog) == {"b.mp4": 1}


def test_copies_of_a_bad_file_are_all_listed(index, library):
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (library / name).write_text("this is no film")
    report = index()
    assert [f.path.name for f in report.failed] == ["a.mp4", "b.mp4", "c.mp4"]
