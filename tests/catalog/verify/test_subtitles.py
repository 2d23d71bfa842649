"""The index of the words of subtitles is checked, and made again from the subtitles."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from catalog import Catalog, Cue, SubtitleFile, SubtitleTrack, VideoDetails
from catalog.verify import verify_catalog

DATABASE = "catalog.sqlite"
ROOT = Path("/films")


@pytest.fixture
def said(shelf, catalog, folder):
    """The closed catalog of a video with embedded subtitles and a file beside it."""
    video = shelf.add("a.mp4", clips=5)
    heard = (Cue(0.0, 2.0, "good morning"), Cue(2.0, 4.0, "料理を作る"))
    catalog.details.put(
        {video: VideoDetails(None, "unknown", None, (SubtitleTrack(2, "eng", heard),))}
    )
    catalog.details.put_subtitle_files(
        [SubtitleFile(ROOT / "a.srt", 9, 8, (ROOT / "a.mp4",), None, heard)]
    )
    catalog.close()
    return folder


def execute(folder, *statements):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def times(folder, words):
    with Catalog.open(folder) as catalog:
        return [match.start for match in catalog.details.cues_saying(words, limit=9)]


def test_a_sound_index_is_found_sound(said):
    assert verify_catalog(said).problems == ()
    assert times(said, "料理") == [2.0]


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM cue_index_data WHERE id > 10",
        "INSERT INTO cue_index (rowid, words) VALUES (77, 'never said')",
        "INSERT INTO cue_index (cue_index, rowid, words) VALUES ('delete', 1, 'good morning')",
    ],
)
def test_an_index_that_is_out_of_step_is_made_again(said, harm):
    execute(said, harm)
    (problem,) = verify_catalog(said).problems
    assert "words of subtitles" in problem.what
    assert verify_catalog(said, repair=True).sound
    assert verify_catalog(said).problems == ()
    assert times(said, "good morning") == [0.0]
    assert times(said, "never") == []


def test_a_check_changes_nothing(said):
    before = (said / DATABASE).read_bytes()
    verify_catalog(said)
    assert (said / DATABASE).read_bytes() == before


def test_cues_without_their_subtitles_are_removed(said):
    execute(said, "PRAGMA foreign_keys = OFF", "DELETE FROM subtitles WHERE stream = 2")
    found = verify_catalog(said, repair=True)
    assert any("table cues" in problem.what for problem in found.problems)
    assert found.sound
    assert verify_catalog(said).problems == ()


def test_subtitles_are_recovered_from_a_damaged_file(said):
    with closing(sqlite3.connect(said / DATABASE)) as connection:
        (page,) = connection.execute(
            "SELECT pageno - 1 FROM dbstat WHERE name = 'mounts'"
        ).fetchone()
    _zero(said, page)
    assert verify_catalog(said, repair=True).sound
    assert times(said, "good morning") == [0.0]
    with Catalog.open(said) as catalog:
        assert catalog.details.missing() == frozenset()


def test_subtitles_of_which_cues_are_lost_are_read_again(said):
    with closing(sqlite3.connect(said / DATABASE)) as connection:
        (page,) = connection.execute("SELECT pageno - 1 FROM dbstat WHERE name = 'cues'").fetchone()
    _zero(said, page)
    assert verify_catalog(said, repair=True).sound
    assert times(said, "good morning") == []
    with Catalog.open(said) as catalog:
        assert catalog.details.missing() == {1}
        assert catalog.details.subtitle_files([ROOT]) == {}


def _zero(folder, page):
    with (folder / DATABASE).open("r+b") as file:
        file.seek(8192 * page)
        file.write(bytes(8192))
