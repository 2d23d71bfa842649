"""Rows that contradict each other, or what they stand for: told, and removed without the rest."""

from pathlib import Path

import pytest

from catalog import Catalog

EVERY_FILM = {f"{n}.mp4" for n in range(30)}
NAN, INFINITY = "x'" + "007e" * 16 + "'", "x'" + "007c" * 16 + "'"

# What is done to the rows, what is told of it, and which films have to be read again.
HARM = {
    "a vector of another length": (
        "UPDATE clips SET vector = x'0000' WHERE video_id = 6 AND id % 2",
        "1 videos have clips whose vectors are no unit vectors of 16 numbers: /films/5.mp4",
        {"5.mp4"},
    ),
    "a vector of length 0": (
        "UPDATE clips SET vector = zeroblob(32) WHERE video_id IN (6, 9)",
        "2 videos have clips whose vectors are no unit vectors",
        {"5.mp4", "8.mp4"},
    ),
    "NaN in a vector": (
        f"UPDATE clips SET vector = {NAN} WHERE id = 1",
        "no unit vectors",
        {"0.mp4"},
    ),
    "infinity in a vector": (
        f"UPDATE clips SET vector = {INFINITY} WHERE id = 465",
        "no unit vectors",
        {"29.mp4"},
    ),
    "a clip before the film": (
        "UPDATE clips SET start = -1 WHERE id = 1",
        "clips whose times do not fit",
        {"0.mp4"},
    ),
    "a clip after the film": (
        "UPDATE clips SET end = 9000 WHERE id = 465",
        "clips whose times do not fit",
        {"29.mp4"},
    ),
    "a clip without an end": (
        "UPDATE clips SET end = 9e999 WHERE id = 465",
        "clips whose times do not fit",
        {"29.mp4"},
    ),
    "a clip that lasts no time": (
        "UPDATE clips SET end = start WHERE id = 465",
        "clips whose times do not fit",
        {"29.mp4"},
    ),
    "a clip twice": (
        "INSERT INTO clips (video_id, start, end, vector)"
        " SELECT video_id, start, end, vector FROM clips WHERE id = 465",
        "clips whose times do not fit their film or each other: /films/29.mp4",
        {"29.mp4"},
    ),
    "clips out of order": (
        "UPDATE clips SET start = 40 - start, end = 40 - start + 8 WHERE video_id = 8",
        "clips whose times do not fit",
        {"7.mp4"},
    ),
    "no clips": (
        "DELETE FROM clips WHERE video_id > 28",
        "2 videos have no clips: /films/28.mp4, /films/29.mp4",
        {"28.mp4", "29.mp4"},
    ),
    "no place": (
        "DELETE FROM files WHERE video_id = 3",
        "1 videos lie nowhere: video 3",
        {"2.mp4"},
    ),
    "clips without a video": (
        "DELETE FROM videos WHERE id = 3",
        "3 rows of table clips refer to what is not there",
        {"2.mp4"},
    ),
    "files without a root": (
        "DELETE FROM roots",
        "32 rows of table files refer to what is not there",
        EVERY_FILM,
    ),
    "a file without its root": (
        "UPDATE files SET root_id = 77 WHERE video_id = 3",
        "1 rows of table files refer to what is not there",
        {"2.mp4"},
    ),
    "a root that is not absolute": (
        "UPDATE roots SET path = 'films'",
        "1 roots are not absolute paths in plain form: films",
        EVERY_FILM,
    ),
    "a root that leads elsewhere": (
        "UPDATE roots SET path = '/films/../etc'",
        "1 roots are not absolute paths in plain form: /films/../etc",
        EVERY_FILM,
    ),
    "a path that leads out of its root": (
        "UPDATE files SET relative_path = '../2.mp4' WHERE video_id = 3",
        "1 files have paths that do not lie below their root: '../2.mp4'",
        {"2.mp4"},
    ),
    "paths that are none": (
        "UPDATE files SET relative_path = 'a//' || id WHERE video_id = 3;"
        "UPDATE files SET relative_path = '' WHERE video_id = 4;"
        "UPDATE files SET relative_path = '/x' WHERE video_id = 5;"
        "UPDATE files SET relative_path = 'new' || char(10) || 'line/.' WHERE video_id = 6;"
        "UPDATE files SET relative_path = 'nul' || char(0) WHERE video_id = 7;",
        "5 files have paths that do not lie below their root",
        {"2.mp4", "3.mp4", "4.mp4", "5.mp4", "6.mp4"},
    ),
    "a file with a video and an error": (
        "UPDATE files SET error = 'bad' WHERE video_id = 3",
        "1 files hold neither a video nor a reason why not, or both",
        {"2.mp4"},
    ),
    "a file with neither": (
        "UPDATE files SET error = NULL WHERE error IS NOT NULL",
        "1 files hold neither a video nor a reason why not, or both",
        set(),
    ),
    "a file through two roots": (
        "INSERT INTO roots (path) VALUES ('/films/copies');"
        "INSERT INTO files (root_id, relative_path, size, mtime_ns, video_id)"
        " SELECT max(roots.id), '7.mp4', 1, 2, 8 FROM roots",
        "1 files are in the catalog twice",
        set(),
    ),
    "a duration without an end": (
        "UPDATE videos SET duration = 9e999 WHERE id = 3",
        "1 videos have a length, size or fingerprint that cannot be: /films/2.mp4",
        {"2.mp4"},
    ),
    "a negative duration": (
        "UPDATE videos SET duration = -1 WHERE id = 3",
        "a length, size or fingerprint that cannot be",
        {"2.mp4"},
    ),
    "no width and no fingerprint": (
        "UPDATE videos SET width = 0 WHERE id = 3; UPDATE videos SET fingerprint = '' WHERE id = 4",
        "2 videos have a length, size or fingerprint that cannot be",
        {"2.mp4", "3.mp4"},
    ),
    "a counter of ids that stands too low": (
        "UPDATE sqlite_sequence SET seq = 7 WHERE name = 'clips'",
        "the counter of ids for table clips stands at 7, but 465 is in use",
        set(),
    ),
    "no counters of ids": (
        "DELETE FROM sqlite_sequence",
        "the counter of ids for table videos stands at 0, but 30 is in use",
        set(),
    ),
    "an identity that is none": (
        "UPDATE meta SET catalog_uuid = 'me'",
        "'me', which is no UUID",
        set(),
    ),
    "a draft of another model": (
        "UPDATE partial_clips SET vector = x'0000' WHERE partial_id = 1",
        "1 unfinished films are kept with clips that cannot be theirs, or although they are"
        " finished: /films/100.mp4",
        set(),
    ),
    "a draft of a finished film": (
        "UPDATE partials SET fingerprint = 'content 5' WHERE id = 2",
        "or although they are finished: /films/101.mp4",
        set(),
    ),
    "draft clips without a draft": (
        "DELETE FROM partials",
        "4 rows of table partial_clips refer to what is not there",
        set(),
    ),
    "what made the vectors forgotten in part": (
        "UPDATE meta SET stride = NULL",
        "what made its vectors is no longer recorded",
        EVERY_FILM,
    ),
    "what made the vectors forgotten as a whole": (
        "UPDATE meta SET model = NULL, model_digest = NULL, dimension = NULL,"
        " frames_per_clip = NULL, window = NULL, stride = NULL",
        "what made its vectors is no longer recorded",
        EVERY_FILM,
    ),
    "a window of no time": (
        "UPDATE meta SET window = 0",
        "the record of what made its vectors holds numbers that cannot be",
        EVERY_FILM,
    ),
    "no meta row": ("DELETE FROM meta", "is not a catalog of vsearch", EVERY_FILM),
    "no index": ("DROP INDEX ix_clips_video_id", "ix_clips_video_id is missing", set()),
    "no table of mounts": ("DROP TABLE mounts", "table mounts lacks id, path", set()),
    "no table of clips": ("DROP TABLE clips", "table clips lacks id", EVERY_FILM),
    "no column": ("ALTER TABLE videos DROP COLUMN damage", "table videos lacks damage", set()),
    "bytes for a text": (
        "UPDATE videos SET codec = x'00ff' WHERE id = 3",
        "1 rows of table videos hold what they cannot hold",
        {"2.mp4"},
    ),
    "a text that is none": (
        "UPDATE videos SET codec = CAST(x'68ff' AS TEXT) WHERE id = 3",
        "1 rows of table videos hold what they cannot hold",
        {"2.mp4"},
    ),
    "a text for a number": (
        "UPDATE clips SET start = 'soon' WHERE id = 465",
        "1 rows of table clips hold what they cannot hold",
        {"29.mp4"},
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_rows_that_contradict_are_told_and_mended(harmed, execute, harm):
    script, told, lost = HARM[harm]
    repaired = harmed(lambda folder: execute(folder, script))
    assert any(told in problem.what for problem in repaired.problems), repaired.problems
    assert repaired.lost == lost


def test_several_faults_are_mended_at_once(harmed, execute):
    scripts = [
        HARM[harm][0] for harm in ("no clips", "clips out of order", "a clip before the film")
    ]
    repaired = harmed(lambda folder: execute(folder, ";".join(scripts)))
    assert len(repaired.problems) == 2
    assert repaired.lost == {"0.mp4", "7.mp4", "28.mp4", "29.mp4"}


def test_what_was_removed_is_taken_in_again_under_new_ids(harmed, execute, library):
    harmed(lambda folder: execute(folder, "DELETE FROM clips WHERE video_id = 30"))
    with Catalog.open(library) as catalog:
        assert catalog.video_with("content 29") is None
        assert "/films/29.mp4" not in catalog.known_files([Path("/films")])
        assert "/films/28.mp4" in catalog.known_files([Path("/films")])
