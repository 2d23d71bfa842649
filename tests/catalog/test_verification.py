"""Whatever contradicts what must hold is told, and mended without touching the rest."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from catalog import (
    Catalog,
    CatalogHeldError,
    CatalogMissingError,
    CatalogNewerError,
    ClipSpan,
    NotACatalogError,
    VideoRecord,
    verify_catalog,
)
from catalog.snapshot import SNAPSHOT_NAME, read_label, write_snapshot
from catalog.vectors import VectorIndex

DATABASE = "catalog.sqlite"
EVERY_FILM = {f"{n}.mp4" for n in range(30)}
NAN, INFINITY = "x'" + "007e" * 16 + "'", "x'" + "007c" * 16 + "'"


def execute(folder, script):
    """Change rows behind the catalog's back, with nothing that SQLite would refuse."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.executescript(script)


def content(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if not path.name.startswith((f"{DATABASE}-", "claim"))
    }


def test_a_sound_catalog_has_no_problems_and_is_left_as_it_is(library):
    before = content(library)
    seen = []
    found = verify_catalog(library, on_progress=lambda done, clips: seen.append((done, clips)))
    assert found.problems == ()
    assert found.sound
    assert (found.files, found.videos, found.clips) == (32, 30, 465)
    assert seen[-1] == (465, 465)
    assert verify_catalog(library, repair=True) == found
    assert content(library) == before


def test_an_empty_catalog_is_sound(folder):
    Catalog.open(folder, create=True).close()
    assert verify_catalog(folder, repair=True).problems == ()


def test_a_film_of_one_picture_has_a_clip_that_lasts_no_time(shelf, catalog, folder):
    catalog.add_video(
        VideoRecord("one picture", 0.0, 64, 48, 0.0, "png", "png_pipe"),
        place=shelf.place("a.mp4"),
        clips=[ClipSpan(0.0, 0.0)],
        vectors=np.eye(16, dtype=np.float32)[:1],
    )
    assert verify_catalog(folder).problems == ()


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
        "UPDATE draft_clips SET vector = x'0000' WHERE draft_id = 1",
        "1 unfinished films are kept with clips that cannot be theirs, or although they are"
        " finished: /films/100.mp4",
        set(),
    ),
    "a draft of a finished film": (
        "UPDATE drafts SET fingerprint = 'content 5' WHERE id = 2",
        "or although they are finished: /films/101.mp4",
        set(),
    ),
    "draft clips without a draft": (
        "DELETE FROM drafts",
        "4 rows of table draft_clips refer to what is not there",
        set(),
    ),
    "what made the vectors forgotten in part": (
        "UPDATE meta SET stride = NULL",
        "what made its vectors is no longer recorded",
        EVERY_FILM,
    ),
    "what made the vectors forgotten as a whole": (
        "UPDATE meta SET model = NULL, weights_digest = NULL, dimension = NULL,"
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
def test_rows_that_contradict_are_told_and_mended(harmed, harm):
    script, told, lost = HARM[harm]
    repaired = harmed(lambda folder: execute(folder, script))
    assert any(told in problem.what for problem in repaired.problems), repaired.problems
    assert repaired.lost == lost


def test_several_faults_are_mended_at_once(harmed):
    scripts = [
        HARM[harm][0] for harm in ("no clips", "clips out of order", "a clip before the film")
    ]
    repaired = harmed(lambda folder: execute(folder, ";".join(scripts)))
    assert len(repaired.problems) == 2
    assert repaired.lost == {"0.mp4", "7.mp4", "28.mp4", "29.mp4"}


def test_what_was_removed_is_taken_in_again_under_new_ids(harmed, library):
    harmed(lambda folder: execute(folder, "DELETE FROM clips WHERE video_id = 30"))
    with Catalog.open(library) as catalog:
        assert catalog.video_with("content 29") is None
        assert "/films/29.mp4" not in catalog.known_files([Path("/films")])
        assert "/films/28.mp4" in catalog.known_files([Path("/films")])


def resaved(folder, change):
    """A snapshot that is whole and that the catalog calls its own, but holds something else."""
    label = read_label(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        rows = connection.execute("SELECT id, vector FROM clips ORDER BY id").fetchall()
        ids = np.array([row[0] for row in rows])
        vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f2").reshape(-1, 16)
        ids, vectors = change(ids, vectors.astype(np.float32))
        index = VectorIndex(dimension=vectors.shape[1])
        index.add(ids, vectors)
        saved = write_snapshot(
            folder,
            catalog_uuid=label.catalog_uuid,
            generation=label.generation,
            body=index.to_bytes(),
        )
        connection.execute("UPDATE meta SET snapshot_digest = ?", (saved.digest,))


def with_another_film(ids, vectors):
    return np.append(ids, 1000), np.append(vectors, vectors[:1], axis=0)


def replaced(kept=None, flipped=None, content=None):
    def harm(folder):
        file = folder / SNAPSHOT_NAME
        found = bytearray(file.read_bytes() if content is None else content)
        if flipped is not None:
            found[flipped] ^= 0x40
        file.write_bytes(found[:kept])

    return harm


def as_folder(folder):
    (folder / SNAPSHOT_NAME).unlink()
    (folder / SNAPSHOT_NAME).mkdir()


SNAPSHOT_HARM = {
    "cut short": (replaced(kept=2000), "is damaged"),
    "cut to its label": (replaced(kept=64), "is damaged"),
    "emptied": (replaced(kept=0), "is damaged"),
    "flipped": (replaced(flipped=-100), "is damaged"),
    "no snapshot": (replaced(content=b"something else" * 100), "is damaged"),
    "a folder": (as_folder, "cannot be read"),
    "of other vectors": (
        lambda folder: resaved(folder, lambda ids, vectors: (ids, np.roll(vectors, 1, axis=0))),
        "holds other vectors than the catalog",
    ),
    "without a clip": (
        lambda folder: resaved(folder, lambda ids, vectors: (ids[1:], vectors[1:])),
        "lacks clips that it must hold",
    ),
    "with a clip too many": (
        lambda folder: resaved(folder, with_another_film),
        "holds clips that are not in the catalog",
    ),
    "of another dimension": (
        lambda folder: resaved(folder, lambda ids, vectors: (ids, vectors[:, :8])),
        "cannot be read by this version of FAISS",
    ),
}


@pytest.mark.parametrize("harm", SNAPSHOT_HARM)
def test_a_snapshot_that_is_not_what_it_should_be_is_told_and_built_again(harmed, library, harm):
    act, told = SNAPSHOT_HARM[harm]
    repaired = harmed(act)
    assert [problem.what.startswith(SNAPSHOT_NAME) for problem in repaired.problems] == [True]
    assert told in repaired.problems[0].what
    assert repaired.lost == set()
    with Catalog.open(library) as catalog:
        assert catalog.status().snapshot_bytes > 465 * 32


def test_the_snapshot_of_another_catalog_is_told_and_built_again(harmed, new_shelf, tmp_path):
    other = new_shelf(tmp_path / "other")
    other.add("a.mp4")
    other.catalog.save_snapshot()
    other.catalog.close()
    repaired = harmed(lambda folder: shutil.copy(tmp_path / "other" / SNAPSHOT_NAME, folder))
    assert "belongs to another catalog" in repaired.problems[0].what


def test_a_folder_with_something_in_it_in_place_of_the_snapshot_is_left_alone(library):
    as_folder(library)
    (library / SNAPSHOT_NAME / "mine.txt").write_text("not yours")
    found = verify_catalog(library, repair=True)
    assert not found.sound
    assert [problem.mended for problem in found.problems] == [None]
    assert (library / SNAPSHOT_NAME / "mine.txt").read_text() == "not yours"


def test_no_snapshot_and_an_older_one_are_no_faults(library, new_shelf):
    shelf = new_shelf(library)
    shelf.catalog.forget_places([Path("/films/3.mp4")])
    shelf.add("later.mp4", seed=500)
    shelf.catalog.close()
    assert verify_catalog(library).problems == ()
    (library / SNAPSHOT_NAME).unlink()
    assert verify_catalog(library).problems == ()


def test_a_snapshot_whose_process_was_killed_before_it_could_say_so_is_no_fault(library):
    label = read_label(library)
    write_snapshot(
        library, catalog_uuid=label.catalog_uuid, generation=label.generation, body=b"never named"
    )
    assert verify_catalog(library).problems == ()


def test_what_killed_processes_left_is_swept_once_it_is_old(harmed, library):
    def leave(folder):
        for name in (f"{SNAPSHOT_NAME}.ab.new", "claim.json.cd.new"):
            (folder / name).write_bytes(b"half")
        (folder / "repair-ef" / "new").mkdir(parents=True)
        assert verify_catalog(folder).problems == ()
        for path in folder.iterdir():
            os.utime(path, (1.0, 1.0))

    repaired = harmed(leave)
    assert "3 half-written files of killed processes" in repaired.problems[0].what
    left = {path.name for path in library.iterdir()}
    assert left == {DATABASE, SNAPSHOT_NAME, "claim.lock"}


def test_only_the_holder_of_the_claim_repairs_and_anyone_may_look(shelf, catalog, folder):
    shelf.add("a.mp4")
    with catalog.claim("vsearch index /films"):
        assert verify_catalog(folder).problems == ()
        with pytest.raises(CatalogHeldError, match="vsearch index /films"):
            verify_catalog(folder, repair=True)


def test_a_look_sees_one_state_while_another_thread_writes(shelf, folder):
    shelf.add("a.mp4")
    done = Event()

    def write():
        n = 0
        while not done.is_set():
            n += 1
            shelf.add(f"{n % 7}.mp4", clips=30, seed=n)
            if n % 10 == 0:
                shelf.catalog.save_snapshot()

    writer = Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            assert verify_catalog(folder).problems == ()
    finally:
        done.set()
        writer.join()


def test_there_must_be_something_to_verify(tmp_path):
    for repair in (False, True):
        with pytest.raises(CatalogMissingError, match="vsearch index PATH"):
            verify_catalog(tmp_path, repair=repair)
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_of_a_newer_program_is_not_touched(library):
    execute(library, "UPDATE meta SET schema_version = 99")
    before = content(library)
    for repair in (False, True):
        with pytest.raises(CatalogNewerError, match="upgrade vsearch"):
            verify_catalog(library, repair=repair)
    assert content(library) == before


@pytest.mark.parametrize("harm", ["other tables", "no database"])
def test_what_was_never_a_catalog_is_not_touched(tmp_path, harm):
    if harm == "other tables":
        execute(tmp_path, "CREATE TABLE bookmarks (url TEXT)")
    else:
        (tmp_path / DATABASE).write_bytes(b"my diary" * 5000)
    before = content(tmp_path)
    for repair in (False, True):
        with pytest.raises(NotACatalogError, match="give another folder"):
            verify_catalog(tmp_path, repair=repair)
    assert content(tmp_path) == before


def test_an_old_catalog_is_brought_up_to_date_and_verified(tmp_path):
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.executescript(Path(__file__).with_name("schemas").joinpath("v1.sql").read_text())
    found = verify_catalog(tmp_path)
    assert found.problems == ()
    assert found == replace(verify_catalog(tmp_path, repair=True), problems=())
    assert found.videos > 0
