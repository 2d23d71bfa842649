"""Runs over a part of a library; what they leave out stays in the catalog and is reported."""

from pathlib import Path

import numpy as np
import pytest

from catalog import ClipSpan, FileLocation
from indexer import LeftOut, find_videos
from tests.indexer.colours import DIM


def known(catalog, library: Path) -> set[str]:
    return {Path(name).relative_to(library).as_posix() for name in catalog.known_files([library])}


def test_what_is_found_in_a_part_of_a_folder_belongs_to_the_folder(film, library):
    film("x/y/a.mp4", seconds=1)
    (part,) = find_videos([library / "x" / "y"], roots=[library]).files
    (whole,) = find_videos([library]).files
    assert part == whole
    assert part.root == library


def test_a_file_given_by_name_belongs_to_the_folder_too(film, library):
    path = film("x/a.mp4", seconds=1)
    assert find_videos([path], roots=[library]).files == find_videos([library]).files


@pytest.mark.parametrize(
    "patterns",
    [
        {"exclude": ["trailers"]},
        {"exclude": ["*/trailers/*"]},
        {"exclude": ["library"]},
        {"include": ["trailers"]},
        {"include": ["x/trailers/y"]},
        {"include": ["films"]},
        {"include": ["*.mkv"]},
    ],
)
def test_a_pattern_means_the_same_in_a_part_as_in_the_whole(film, library, patterns):
    film("x/trailers/y/a.mp4", seconds=1)
    part = library / "x" / "trailers" / "y"
    assert find_videos([part], roots=[library], **patterns).files == (
        find_videos([library], **patterns).files
    )


def test_a_part_that_was_emptied_is_not_taken_for_a_disk_that_is_not_mounted(
    index, film, catalog, library
):
    film("stays.mp4", seconds=1)
    film("x/goes.mp4", seconds=1, first=90)
    index()
    (library / "x" / "goes.mp4").unlink()
    report = index(library / "x", roots=frozenset({library}))
    assert (report.removed, report.failed) == (1, ())
    assert known(catalog, library) == {"stays.mp4"}


def test_a_run_over_a_part_leaves_the_rest_alone(index, film, catalog, library):
    film("x/a.mp4", seconds=1)
    film("y/b.mp4", seconds=1, first=90)
    index()
    (library / "y" / "b.mp4").unlink()
    film("x/c.mp4", seconds=1, first=120)
    report = index(library / "x", roots=frozenset({library}))
    assert (report.indexed, report.unchanged, report.removed) == (1, 1, 0)
    assert known(catalog, library) == {"x/a.mp4", "x/c.mp4", "y/b.mp4"}


def test_a_file_that_is_deferred_is_not_looked_into(index, film, catalog, library):
    film("a.mp4", seconds=1)
    growing = film("b.mp4", seconds=1, first=90)
    report = index(deferred=[growing])
    assert (report.indexed, report.failed) == (1, ())
    assert known(catalog, library) == {"a.mp4"}


def test_a_known_file_that_is_deferred_stays_as_it_was_until_it_is_not(
    index, film, catalog, library, embedder
):
    growing = film("a.mp4", seconds=1)
    index()
    before = catalog.known_files([library])
    film("a.mp4", seconds=20)
    report = index(deferred=[growing])
    assert (report.indexed, report.unchanged) == (0, 0)
    assert catalog.known_files([library]) == before
    assert index().indexed == 1


def test_what_is_deferred_is_not_forgotten_when_it_is_gone(index, film, catalog, library):
    film("stays.mp4", seconds=1)
    gone = film("x/gone.mp4", seconds=1, first=90)
    index()
    gone.unlink()
    gone.parent.rmdir()
    report = index(deferred=[gone.parent])
    assert (report.unchanged, report.removed, report.failed) == (1, 0, ())
    assert known(catalog, library) == {"stays.mp4", "x/gone.mp4"}
    assert index().removed == 1


@pytest.mark.parametrize("deferred", ["growing.mp4", "."])
def test_a_file_that_is_deferred_and_cannot_be_read_for_a_moment_keeps_its_clips(
    index, film, catalog, library, deferred
):
    growing = film("growing.mp4", seconds=3)
    film("other.mp4", seconds=3, first=90)
    index()
    growing.unlink()
    growing.symlink_to("not there")  # what the system says of it while it is away
    index(deferred=[library / deferred])
    assert catalog.status().videos == 2
    assert catalog.status().failures == ()
    growing.unlink()
    film("growing.mp4", seconds=6)
    assert index().indexed == 1


@pytest.fixture
def indexed(film, index) -> None:
    film("private/a.mp4", seconds=1)
    film("private/deep/b.mp4", seconds=1, first=90)
    film("c.mp4", seconds=1, first=120)
    assert index().left_out == ()


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({"exclude": ("private",)}, {"private": 2}),
        ({"exclude": ("b.mp4", "c.*")}, {"private/deep/b.mp4": 1, "c.mp4": 1}),
        ({"include": ("c.mp4",)}, {"private/a.mp4": 1, "private/deep/b.mp4": 1}),
        ({"exclude": ("*",)}, {".": 3}),
    ],
)
@pytest.mark.usefixtures("indexed")
def test_what_a_pattern_leaves_out_stays_and_is_said(index, catalog, library, options, left_out):
    before = known(catalog, library)
    report = index(**options)
    assert report.left_out == tuple(LeftOut(library / p, n) for p, n in sorted(left_out.items()))
    assert (report.removed, report.failed) == (0, ())
    assert known(catalog, library) == before
    assert index().left_out == ()


@pytest.mark.parametrize("name", [".nomedia", ".ignore"])
def test_what_a_mark_leaves_out_stays_and_is_said(indexed, index, library, name):
    (library / "private" / name).touch()
    assert index().left_out == (LeftOut(library / "private", 2),)
    assert index(library / "private/deep", roots=frozenset({library})).left_out == (
        LeftOut(library / "private/deep", 1),
    )
    assert index(ignore_files=False).left_out == ()


def test_a_system_folder_that_was_given_once_is_said_to_stay(film, index, library):
    film("@Recycle/a.mp4", seconds=1)
    index(library / "@Recycle")
    assert index().left_out == (LeftOut(library / "@Recycle", 1),)


def test_what_is_left_out_and_gone_goes(indexed, index, catalog, library):
    (library / "private/a.mp4").unlink()
    report = index(exclude=("private",))
    assert (report.removed, report.left_out) == (1, (LeftOut(library / "private", 1),))


def test_a_failure_that_is_left_out_is_no_failure_any_more(index, catalog, library):
    (library / "notes.mp4").write_text("no film")
    assert len(index().failed) == 1
    report = index(exclude=("notes.*",))
    assert (report.failed, report.left_out) == ((), ())
    assert known(catalog, library) == set()


def test_the_partial_video_of_a_video_that_failed_stays_while_it_is_left_out(
    film, index, catalog, library
):
    path = film("x/a.mp4", seconds=30)
    index(window=4.0, stride=2.0)
    place = FileLocation(path.parent, path, 1, 1)
    catalog.add_to_partial(
        "other",
        location=place,
        duration=9.0,
        clips=[ClipSpan(0.0, 4.0)],
        vectors=np.eye(1, DIM, dtype=np.float32),
    )
    catalog.record_failure(place, error="its decoder died")
    report = index(exclude=("x",), window=4.0, stride=2.0)
    assert (report.failed, report.left_out) == ((), ())
    assert catalog.status().partials == 1
