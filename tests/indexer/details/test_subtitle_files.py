"""Subtitles inside and beside videos are followed by index runs, and nothing is decoded for it."""

import os
import sqlite3
from contextlib import closing

import pytest

from tests.subtitled import srt, write_subtitled


def put(film, text, *, ending=".srt"):
    path = film.with_name(film.stem + ending)
    path.write_text(srt((1, 2, text)))
    return path


@pytest.fixture
def said(catalog, library):
    """A function: the sources that say words, relative to the library."""

    def of(words, limit=9):
        found = catalog.details.cues_saying(words, limit=limit)
        return [match.source.removeprefix(f"{library}/") for match in found]

    return of


@pytest.fixture
def untouched(embedder):
    """A block's check: nothing was embedded since the test began to look."""

    class Look:
        def __init__(self):
            self.before = len(embedder.grey_levels)

        def ok(self):
            return len(embedder.grey_levels) == self.before

    return Look


def forget_details(catalog):
    """Make a catalog as it was before details were read."""
    with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM subtitles WHERE video_id IS NOT NULL")
        connection.execute("UPDATE videos SET subtitles_read = NULL, captured_from = NULL")
        connection.commit()


def test_subtitles_beside_and_inside_of_a_new_video_are_found(index, library, said, catalog):
    film = write_subtitled(library / "a.mkv", ("srt", "eng", [(1, 2, "from inside")]))
    put(film, "from beside", ending=".de.srt")
    report = index()
    assert (report.indexed, report.subtitles, report.details) == (1, 1, 0)
    assert said("from inside") == ["embedded stream 1"]
    assert said("from beside") == ["a.de.srt"]
    (match,) = catalog.details.cues_saying("beside", limit=1)
    assert (match.language, match.start, match.end) == ("de", 1.0, 2.0)
    again = index()
    assert (again.unchanged, again.subtitles, again.details) == (1, 0, 0)


def test_subtitles_that_change_come_or_go_are_followed_without_decoding(
    index, film, said, untouched
):
    path = film("a.mp4", seconds=3)
    index()
    look = untouched()
    beside = put(path, "first words")
    assert index().subtitles == 1
    assert said("words") == ["a.srt"]
    put(path, "other words now")
    assert index().subtitles == 1
    assert said("first") == []
    assert said("other words") == ["a.srt"]
    beside.unlink()
    report = index()
    assert (report.subtitles, report.unchanged, report.removed) == (0, 1, 0)
    assert said("words") == []
    assert look.ok()


def test_subtitles_that_cannot_be_read_are_listed_and_not_read_again(index, film, library):
    path = film("a.mp4", seconds=3)
    broken = library / "a.srt"
    broken.write_bytes(bytes(range(256)) * 40)
    for _ in range(2):
        report = index()
        assert [(f.path, f.reason) for f in report.failed_subtitles] == [
            (broken, "is binary, not text")
        ]
        assert report.failed == ()
    assert report.subtitles == 0
    put(path, "repaired")
    report = index()
    assert (report.subtitles, report.failed_subtitles) == (1, ())


def test_subtitles_go_with_a_video_that_was_moved(index, film, said, library, untouched):
    path = film("a.mp4", seconds=3)
    beside = put(path, "moving on")
    index()
    look = untouched()
    (library / "sub").mkdir()
    path.rename(library / "sub/b.mp4")
    beside.rename(library / "sub/b.srt")
    report = index()
    assert (report.moved, report.subtitles) == (1, 1)
    assert said("moving") == ["sub/b.srt"]
    assert look.ok()


def test_subtitles_beside_a_file_that_was_given_alone(index, film, said):
    path = film("a.mp4", seconds=3)
    put(path, "given alone")
    put(film("b.mp4", seconds=3, first=90), "not given")
    index(path)
    assert said("given") == ["a.srt"]


def test_two_videos_of_one_name_share_their_subtitles(index, film, said, catalog):
    path = film("a.mp4", seconds=3)
    film("a.mov", seconds=3, first=90)
    put(path, "shared")
    index()
    found = catalog.details.cues_saying("shared", limit=9)
    assert sorted(match.paths[0].name for match in found) == ["a.mov", "a.mp4"]


def test_patterns_keep_subtitles_out_and_including_videos_does_not(index, film, said):
    put(film("a.mp4", seconds=3), "hello")
    index(include=("*.mp4",))
    assert said("hello") == ["a.srt"]


def test_excluded_subtitles_are_not_read(index, film, said):
    put(film("a.mp4", seconds=3), "hello")
    index(exclude=("*.srt",))
    assert said("hello") == []


def test_details_of_videos_indexed_before_are_read_without_decoding(
    index, library, said, catalog, untouched
):
    film = write_subtitled(
        library / "VID_20240601_103000.mkv", ("srt", "eng", [(1, 2, "long ago")])
    )
    copy = library / "copy.mkv"
    copy.write_bytes(film.read_bytes())
    index()
    forget_details(catalog)
    look = untouched()
    report = index()
    assert (report.unchanged, report.details, report.indexed) == (2, 1, 0)
    assert look.ok()
    assert said("long ago") == ["embedded stream 1"]
    assert catalog.details.missing() == frozenset()
    assert index().details == 0


def test_a_file_whose_details_cannot_be_read_is_asked_once_and_stays_indexed(index, film, catalog):
    path = film("a.mp4", seconds=3)
    index()
    forget_details(catalog)
    state = path.stat()
    path.write_bytes(bytes(state.st_size))  # its header is gone, and nobody can tell
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    report = index()
    assert (report.unchanged, report.details, report.failed) == (1, 0, ())
    assert catalog.status().videos == 1
    assert len(catalog.details.missing()) == 1


def test_no_model_is_touched_for_details_and_subtitles(index, film, catalog, embedder, monkeypatch):
    path = film("a.mp4", seconds=3)
    index()
    forget_details(catalog)
    put(path, "other words")

    def refuse(*_args):
        raise AssertionError("the model was asked for")

    monkeypatch.setattr(type(embedder), "clip_format", refuse, raising=False)
    assert index().subtitles == 1
