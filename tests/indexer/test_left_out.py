"""What is indexed already and a later run is told not to look at: kept, counted and said."""

from pathlib import Path

import numpy as np
import pytest

from catalog import ClipSpan, FileLocation
from indexer import LeftOut
from tests.indexer.colours import DIMENSION


def known(catalog, library: Path) -> set[str]:
    return {Path(name).relative_to(library).as_posix() for name in catalog.known_files([library])}


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


def test_the_draft_of_a_film_that_failed_stays_while_it_is_left_out(film, index, catalog, library):
    path = film("x/a.mp4", seconds=30)
    index(window=4.0, stride=2.0)
    place = FileLocation(path.parent, path, 1, 1)
    catalog.add_to_partial(
        "other",
        location=place,
        duration=9.0,
        clips=[ClipSpan(0.0, 4.0)],
        vectors=np.eye(1, DIMENSION, dtype=np.float32),
    )
    catalog.record_failure(place, error="its decoder died")
    report = index(exclude=("x",), window=4.0, stride=2.0)
    assert (report.failed, report.left_out) == ((), ())
    assert catalog.status().partials == 1
