"""Each problem of a catalog is found, and repaired without touching the rest."""

import os
from threading import Event, Thread

import numpy as np
import pytest

from catalog import (
    Catalog,
    CatalogLockedError,
    CatalogMissingError,
    CatalogNewerError,
    ClipSpan,
    NotACatalogError,
    VideoRecord,
)
from catalog.folder import SNAPSHOT_NAME
from catalog.verify import verify_catalog

DATABASE = "catalog.sqlite"


def content(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if not path.name.startswith((f"{DATABASE}-", "catalog.lock"))
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


def test_a_video_of_one_picture_has_a_clip_of_no_length(shelf, catalog, folder):
    catalog.add_video(
        VideoRecord("one picture", 0.0, 64, 48, 0.0, "png", "png_pipe"),
        location=shelf.location("a.mp4"),
        clips=[ClipSpan(0.0, 0.0)],
        vectors=np.eye(16, dtype=np.float32)[:1],
    )
    assert verify_catalog(folder).problems == ()


def test_old_files_of_killed_processes_are_removed(harmed, library):
    def leave(folder):
        for name in (f"{SNAPSHOT_NAME}.ab.new", "catalog.lock.json.cd.new"):
            (folder / name).write_bytes(b"half")
        (folder / "repair-ef" / "new").mkdir(parents=True)
        assert verify_catalog(folder).problems == ()
        for path in folder.iterdir():
            os.utime(path, (1.0, 1.0))

    repaired = harmed(leave)
    assert "3 half-written files of killed processes" in repaired.problems[0].what
    left = {path.name for path in library.iterdir()}
    assert left == {DATABASE, SNAPSHOT_NAME, "catalog.lock"}


def test_only_the_holder_of_the_lock_repairs_and_anyone_may_look(shelf, catalog, folder):
    shelf.add("a.mp4")
    with catalog.lock("vsearch index /films"):
        assert verify_catalog(folder).problems == ()
        with pytest.raises(CatalogLockedError, match="vsearch index /films"):
            verify_catalog(folder, repair=True)


def test_a_check_sees_one_state_while_another_thread_writes(shelf, folder):
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


def test_a_catalog_of_a_newer_program_is_not_touched(library, execute):
    execute(library, "UPDATE meta SET schema_version = 99")
    before = content(library)
    for repair in (False, True):
        with pytest.raises(CatalogNewerError, match="upgrade vsearch"):
            verify_catalog(library, repair=repair)
    assert content(library) == before


@pytest.mark.parametrize("harm", ["other tables", "no database"])
def test_another_file_than_a_catalog_is_not_touched(tmp_path, execute, harm):
    if harm == "other tables":
        execute(tmp_path, "CREATE TABLE bookmarks (url TEXT)")
    else:
        (tmp_path / DATABASE).write_bytes(b"my diary" * 5000)
    before = content(tmp_path)
    for repair in (False, True):
        with pytest.raises(NotACatalogError, match="give another folder") as refused:
            verify_catalog(tmp_path, repair=repair)
        assert "--repair" not in str(refused.value)  # that is what was asked for
    assert content(tmp_path) == before
