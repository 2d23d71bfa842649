"""Disks that are full, read-only or gone: each said in one sentence, nothing committed lost."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from catalog import (
    Catalog,
    CatalogDamagedError,
    CatalogError,
    CatalogGoneError,
    CatalogMissingError,
    NotACatalogError,
)
from catalog.folder import SNAPSHOT_NAME

DATABASE = "catalog.sqlite"

# What the programs below begin with: videos with clips enough to fill a small disk soon.
PRELUDE = """
import sys
from itertools import count
from pathlib import Path
import numpy as np
from catalog import *

folder, root = Path(sys.argv[1]), Path("/films")

def bind(catalog, dim=16):
    catalog.bind(Provenance("demo", None, "ab" * 32, dim, 8, 8.0, 4.0))

def add(catalog, n, clips=3, dim=16):
    vectors = np.random.default_rng(n).normal(size=(clips, dim)).astype(np.float32)
    catalog.add_video(
        VideoRecord(f"content {n}", 4.0 * clips + 4.0, 64, 48, 25.0, "h264", "mp4"),
        location=FileLocation(root, root / f"{n}.mp4", 1, n),
        clips=[ClipSpan(4.0 * k, 4.0 * k + 8.0) for k in range(clips)],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
    )

def refused(kind, act):
    try:
        act()
    except kind as error:
        assert "\\n" not in str(error)
        return str(error)
    raise AssertionError("it was not refused")

def answers(folder, dim=16):
    question = np.eye(dim, dtype=np.float32)[0]
    with Catalog.open(folder) as catalog:
        status = catalog.status()
        assert len(catalog.nearest_clips(question, limit=100_000)) == status.clips
        return status.videos, status.clips

def fill(catalog):
    for n in count():
        try:
            add(catalog, n, clips=50, dim=512)
        except CatalogStorageError as error:
            return n, str(error)
"""

FULL = (
    PRELUDE
    + """
with Catalog.open(folder, create=True) as catalog:
    bind(catalog, dim=512)
    films, said = fill(catalog)
    assert films > 10, films
    assert "nothing committed is lost" in said and "room" in said, said
    assert catalog.status().videos == films
    LESS_ROOM
    assert "nothing is lost" in refused(CatalogStorageError, catalog.save_snapshot)
    assert len(catalog.nearest_clips(np.eye(512, dtype=np.float32)[0], limit=10)) == 10
assert answers(folder, dim=512) == (films, 50 * films)
MAKE_ROOM
with Catalog.open(folder) as catalog:
    add(catalog, films, clips=50, dim=512)
    catalog.save_snapshot()
assert answers(folder, dim=512) == (films + 1, 50 * films + 50)
assert {path.name for path in folder.iterdir()} == {"catalog.sqlite", "vectors.faiss"}
"""
)


def test_a_full_disk_loses_nothing_and_is_no_hindrance_once_there_is_room(run_mounted, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    more = 'import subprocess; subprocess.run(["mount", "-o", "remount,size=20m", folder.parent])'
    run_mounted(
        f"mount -t tmpfs -o size=4m none {disk}",
        FULL.replace("LESS_ROOM", "").replace("MAKE_ROOM", more),
        folder=disk / "catalog",
    )


def test_a_limit_on_the_size_of_files_is_like_a_full_disk(run_program, tmp_path):
    limit = (
        "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({}, r.getrlimit(r.RLIMIT_FSIZE)[1]))"
    )
    program = FULL.replace("LESS_ROOM", limit.format(100_000))
    program = program.replace("MAKE_ROOM", limit.format("r.getrlimit(r.RLIMIT_FSIZE)[1]"))
    run_program(f"{limit.format(3_000_000)}\n{program}", folder=tmp_path / "catalog")


READ_ONLY = (
    PRELUDE
    + """
videos, clips = answers(folder)
with Catalog.open(folder, create=True) as catalog:
    bind(catalog)
    said = [
        refused(CatalogStorageError, lambda: add(catalog, 1000)),
        refused(CatalogStorageError, lambda: catalog.lock("vsearch index").__enter__()),
    ]
    assert "read-only" in said[1] and "--catalog FOLDER" in said[1], said
    assert catalog.status().videos == videos
print(videos, clips)
"""
)


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_read_only_catalog_answers_and_refuses_what_would_change_it(
    run_mounted, read_only, shelf, folder, snapshot
):
    for n in range(4):
        shelf.add(f"{n}.mp4", seed=n)
    if snapshot:
        shelf.catalog.save_snapshot()
    shelf.catalog.close()
    assert run_mounted(read_only(folder), READ_ONLY, folder=folder).split() == ["4", "12"]


def test_a_read_only_catalog_that_a_killed_process_left_answers_with_all_it_committed(
    run_mounted, read_only, shelf, folder, tmp_path
):
    for n in range(4):
        shelf.add(f"{n}.mp4", seed=n)
    killed = shutil.copytree(folder, tmp_path / "killed")  # as it is on disk at this moment
    assert (killed / f"{DATABASE}-wal").stat().st_size > 0
    assert run_mounted(read_only(killed), READ_ONLY, folder=killed).split() == ["4", "12"]


def test_a_read_only_catalog_is_read_while_another_process_writes_to_it(
    run_mounted, shelf, catalog, folder, tmp_path
):
    shelf.add("0.mp4")
    mount = f"mkdir {tmp_path}/view\nmount --bind {folder} {tmp_path}/view\n"
    mount += f"mount -o remount,bind,ro {tmp_path}/view"
    program = f"""
writable = Path({str(folder)!r})
assert answers(folder) == (1, 3)
with Catalog.open(writable) as writer, Catalog.open(folder) as reader:
    for n in range(1, 30):
        add(writer, n)
        assert reader.status().videos == n + 1
assert answers(folder) == (30, 90)
"""
    catalog.close()
    run_mounted(mount, PRELUDE + program, folder=tmp_path / "view")


def test_what_cannot_be_read_on_a_read_only_disk_is_not_left_out_in_silence(
    run_mounted, read_only, shelf, folder, tmp_path
):
    shelf.add("0.mp4")
    copied = shutil.copytree(folder, tmp_path / "copied", ignore=shutil.ignore_patterns("*-shm"))
    program = PRELUDE + "print(refused(CatalogStorageError, lambda: answers(folder)))"
    said = run_mounted(read_only(copied), program, folder=copied)
    assert "copy the folder" in said
    assert "--catalog FOLDER" in said
    with Catalog.open(copied) as writable:
        assert writable.status().videos == 1


def test_a_folder_that_is_deleted_under_a_running_process_is_reported(
    shelf, catalog, folder, query
):
    shelf.add("0.mp4")
    shutil.rmtree(folder)
    for act in (
        catalog.status,
        catalog.save_snapshot,
        lambda: catalog.nearest_clips(query, limit=1),
        lambda: shelf.add("1.mp4", seed=1),
        lambda: catalog.lock("vsearch index").__enter__(),
    ):
        with pytest.raises(CatalogGoneError, match="deleted or moved while it was in use"):
            act()
    assert not folder.exists()


def test_a_folder_that_is_moved_away_is_reported_and_is_whole_at_its_new_path(
    shelf, catalog, folder, tmp_path
):
    shelf.add("0.mp4")
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(CatalogGoneError, match="bring the folder back"):
        shelf.add("1.mp4", seed=1)
    catalog.close()
    with Catalog.open(tmp_path / "elsewhere") as moved:
        assert moved.status().videos == 1


def test_a_catalog_that_is_replaced_under_a_running_process_is_left_alone(
    shelf, catalog, folder, tmp_path, new_shelf
):
    shelf.add("0.mp4")
    other = new_shelf(tmp_path / "other")
    other.add("other.mp4", seed=5)
    other.catalog.close()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "other", folder)
    with pytest.raises(CatalogGoneError, match="replaced by another file"):
        shelf.add("1.mp4", seed=1)
    catalog.close()
    with Catalog.open(folder) as now:
        assert now.video_with("content 5") is not None
        assert now.status().videos == 1


def test_a_folder_that_goes_within_a_transaction_is_reported_at_its_end(shelf, catalog, folder):
    shelf.add("0.mp4")

    def paths():
        yield shelf.location("0.mp4").path
        shutil.rmtree(folder)

    with pytest.raises(CatalogError) as told:
        catalog.remove_files(paths())
    assert isinstance(told.value, CatalogGoneError)


def test_a_log_that_is_deleted_under_a_running_process_is_reported(shelf, catalog, folder):
    shelf.add("0.mp4")
    (folder / f"{DATABASE}-wal").unlink()
    with pytest.raises(CatalogGoneError, match="-wal was deleted while it was in use"):
        shelf.add("1.mp4", seed=1)


def test_a_catalog_with_another_kind_of_log_is_as_good(shelf, catalog, folder):
    catalog.close()
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    with Catalog.open(folder) as shelf.catalog:
        shelf.add("0.mp4")
        assert shelf.catalog.status().videos == 1


@pytest.mark.parametrize("create", [True, False])
def test_an_emptied_database_is_not_taken_for_a_new_one(shelf, catalog, folder, create):
    shelf.add("0.mp4")
    catalog.save_snapshot()
    catalog.close()
    (folder / DATABASE).write_bytes(b"")
    with pytest.raises(CatalogDamagedError, match=r"is empty.*vsearch verify --repair"):
        Catalog.open(folder, create=create)
    (folder / SNAPSHOT_NAME).unlink()
    with pytest.raises(CatalogMissingError):
        Catalog.open(folder)


def test_a_damaged_header_points_at_the_repair(shelf, catalog, folder):
    shelf.add("0.mp4")
    catalog.close()
    with (folder / DATABASE).open("r+b") as file:
        file.write(bytes(100))
    with pytest.raises(NotACatalogError, match="vsearch verify --repair"):
        Catalog.open(folder)


@pytest.mark.parametrize("damage", ["deleted", "emptied", "flipped", "halved", "foreign"])
def test_a_log_that_was_damaged_costs_only_the_videos_in_it(shelf, folder, tmp_path, query, damage):
    for n in range(3):
        shelf.add(f"{n}.mp4", clips=5, seed=n)
    shelf.catalog.close()  # these are in the main file now
    with Catalog.open(folder) as shelf.catalog:
        for n in range(3, 9):
            shelf.add(f"{n}.mp4", clips=5, seed=n)
        left = shutil.copytree(folder, tmp_path / "left")
    harm(left / f"{DATABASE}-wal", damage=damage)
    with Catalog.open(left) as after:
        videos = after.status().videos
        assert 3 <= videos <= 9
        assert after.status().clips == len(after.nearest_clips(query, limit=1000)) == 5 * videos
        assert (videos == 3) == (damage in ("deleted", "emptied", "foreign"))


def harm(log: Path, *, damage: str) -> None:
    content = bytearray(log.read_bytes())
    match damage:
        case "deleted":
            log.unlink()
            return
        case "emptied":
            content.clear()
        case "flipped":
            content[len(content) // 2] ^= 0x40
        case "halved":
            del content[len(content) // 2 :]
        case "foreign":
            content[:] = b"something else" * 1000
    log.write_bytes(content)
