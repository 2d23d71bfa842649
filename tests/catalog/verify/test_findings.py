"""Rows without their counterpart and clips that cannot be right are found, and removed alone."""

from pathlib import Path

import pytest

from catalog import Catalog
from tests.catalog.conftest import unit_vectors

EVERY_FILM = {f"{n}.mp4" for n in range(30)}
NAN, INFINITY = "x'" + "007e" * 16 + "'", "x'" + "007c" * 16 + "'"

# The change of the rows, the finding, and the videos that can no longer be found.
HARM = {
    "a vector of another length": (
        "UPDATE clips SET vector = x'0000' WHERE video_id = 6 AND id % 2",
        "1 videos have clips whose vectors are not unit vectors of 16 numbers: /films/5.mp4",
        {"5.mp4"},
    ),
    "a vector of length 0": (
        "UPDATE clips SET vector = zeroblob(32) WHERE video_id IN (6, 9)",
        "2 videos have clips whose vectors are not unit vectors",
        {"5.mp4", "8.mp4"},
    ),
    "NaN in a vector": (
        f"UPDATE clips SET vector = {NAN} WHERE id = 1",
        "not unit vectors",
        {"0.mp4"},
    ),
    "infinity in a vector": (
        f"UPDATE clips SET vector = {INFINITY} WHERE id = 465",
        "not unit vectors",
        {"29.mp4"},
    ),
    "a clip before the video": (
        "UPDATE clips SET start = -1 WHERE id = 1",
        "clips whose times do not fit",
        {"0.mp4"},
    ),
    "a clip after the video": (
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
    "a video in no file": (
        "DELETE FROM files WHERE video_id = 3",
        "1 videos are in no file",
        {"2.mp4"},
    ),
    "clips without a video": (
        "DELETE FROM videos WHERE id = 3",
        "3 rows of table clips refer to rows that do not exist",
        {"2.mp4"},
    ),
    "files without a root": (
        "DELETE FROM roots",
        "32 rows of table files refer to rows that do not exist",
        EVERY_FILM,
    ),
    "a file without its root": (
        "UPDATE files SET root_id = 77 WHERE video_id = 3",
        "1 rows of table files refer to rows that do not exist",
        {"2.mp4"},
    ),
    "a partial video of another model": (
        "UPDATE partial_clips SET vector = x'0000' WHERE partial_id = 1",
        "1 unfinished videos have clips whose vectors are not unit vectors",
        set(),
    ),
    "partial clips without their video": (
        "DELETE FROM partials",
        "4 rows of table partial_clips refer to rows that do not exist",
        set(),
    ),
    "a frame vector of another length": (
        "UPDATE frames SET vectors = x'0000' WHERE video_id IN (6, 9)",
        "2 videos have frame vectors that are damaged or do not fit the video: /films/5.mp4",
        set(),
    ),
    "a frame vector with a scale that is no number": (
        "UPDATE frames SET vectors = CAST(x'007e' || substr(vectors, 3) AS BLOB)"
        " WHERE video_id = 6",
        "1 videos have frame vectors that are damaged",
        set(),
    ),
    "frames after the video": (
        "UPDATE frames SET step = 60 WHERE video_id = 6",
        "1 videos have frame vectors that are damaged",
        set(),
    ),
    "frames without a video": (
        "DELETE FROM videos WHERE id = 3; DELETE FROM clips WHERE video_id = 3;"
        " DELETE FROM files WHERE video_id = 3",
        "1 rows of table frames refer to rows that do not exist",
        {"2.mp4"},
    ),
    "a tag without a video": (
        "UPDATE tags SET video_id = 99 WHERE id = 1",
        "1 rows of table tags refer to rows that do not exist",
        set(),
    ),
    "no table of frames": ("DROP TABLE frames", "table frames lacks id, video_id", set()),
    "frames of a partial video of another model": (
        "UPDATE partial_clips SET frames = x'0000' WHERE partial_id = 1",
        "1 unfinished videos have clips whose frame vectors are damaged",
        set(),
    ),
    "a background of other numbers": (
        "INSERT INTO background VALUES (1, 'bank', 1, 1, 1, 1, 0, 0.5, x'00', x'00', x'00', x'00',"
        " 'not theirs')",
        "the means of sentences and clips are damaged",
        set(),
    ),
    "no meta row": ("DELETE FROM meta", "is not a catalog of vsearch", EVERY_FILM),
    "no index": ("DROP INDEX ix_clips_video_id", "ix_clips_video_id is missing", set()),
    "no table of mounts": ("DROP TABLE mounts", "table mounts lacks id, path", set()),
    "no table of clips": ("DROP TABLE clips", "table clips lacks id", EVERY_FILM),
    "bytes for a text": (
        "UPDATE videos SET codec = x'00ff' WHERE id = 3",
        "1 rows of table videos hold values of wrong types",
        {"2.mp4"},
    ),
    "an invalid text": (
        "UPDATE videos SET codec = CAST(x'68ff' AS TEXT) WHERE id = 3",
        "1 rows of table videos hold values of wrong types",
        {"2.mp4"},
    ),
    "a text for a number": (
        "UPDATE clips SET start = 'soon' WHERE id = 465",
        "1 rows of table clips hold values of wrong types",
        {"29.mp4"},
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_wrong_rows_are_found_and_removed(harmed, execute, harm):
    script, told, lost = HARM[harm]
    repaired = harmed(lambda folder: execute(folder, script))
    assert any(told in problem.what for problem in repaired.problems), repaired.problems
    assert repaired.lost == lost


def test_several_findings_are_repaired_at_once(harmed, execute):
    scripts = [
        HARM[harm][0]
        for harm in ("a vector of another length", "a vector of length 0", "a clip after the video")
    ]
    repaired = harmed(lambda folder: execute(folder, ";".join(scripts)))
    assert len(repaired.problems) == 2
    assert repaired.lost == {"5.mp4", "8.mp4", "29.mp4"}


def test_removed_videos_are_indexed_again_under_new_ids(harmed, execute, library):
    harmed(lambda folder: execute(folder, HARM["a clip after the video"][0]))
    with Catalog.open(library) as catalog:
        assert catalog.video_with("content 29") is None
        assert "/films/29.mp4" not in catalog.known_files([Path("/films")])
        assert "/films/28.mp4" in catalog.known_files([Path("/films")])


def test_a_video_in_no_file_is_kept_until_its_file_is_found(harmed, execute, library):
    harmed(lambda folder: execute(folder, "DELETE FROM roots"))
    with Catalog.open(library) as catalog:
        assert catalog.status().partials == 30
        kept = catalog.partial("content 4")
        assert [span.start for span in kept.spans] == [0.0, 4.0, 8.0, 12.0, 16.0]
        assert kept.vectors == pytest.approx(unit_vectors(5, seed=4), abs=1e-3)
