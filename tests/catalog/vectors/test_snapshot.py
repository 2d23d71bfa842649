"""The snapshot only saves time: whatever happens to it, the answers are right."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from catalog import Catalog, CatalogDamagedError, CatalogStorageError
from catalog.folder import SNAPSHOT_NAME
from catalog.vectors.snapshot import read_header, read_snapshot, write_snapshot
from catalog.verify import verify_catalog

UUID = "12345678-1234-5678-1234-567812345678"


@pytest.fixture
def saved(shelf, catalog, folder):
    """A closed catalog with a snapshot, and the shelf that knows what is in it."""
    for n in range(6):
        shelf.add(f"{n}.mp4", clips=40, seed=n)
    catalog.save_snapshot()
    catalog.close()
    return folder


def answers_are_right(folder, shelf, query):
    with Catalog.open(folder) as catalog:
        found = [match.score for match in catalog.nearest_clips(query, limit=50)]
        assert found == pytest.approx(shelf.expected(query, limit=50), abs=2e-3)
        best = shelf.vectors[3][17]
        assert catalog.nearest_clips(best, limit=1)[0].score > 0.998


def reads_old_vectors(folder, query):
    """Whether answering takes the first 240 vectors from SQLite, where they are made unreadable."""
    with TemporaryDirectory() as beside:
        copy = shutil.copytree(folder, Path(beside, "copy"))
        with closing(sqlite3.connect(copy / "catalog.sqlite")) as connection, connection:
            connection.execute("UPDATE clips SET vector = x'00' WHERE id <= 240")
        with Catalog.open(copy) as catalog:
            try:
                catalog.nearest_clips(query, limit=1)
            except CatalogDamagedError:
                return True
            return False


def test_an_intact_snapshot_is_used(saved, shelf, query):
    assert not reads_old_vectors(saved, query)
    answers_are_right(saved, shelf, query)


def test_without_a_snapshot_the_index_is_built_from_the_rows(saved, shelf, query):
    (saved / SNAPSHOT_NAME).unlink()
    answers_are_right(saved, shelf, query)
    assert reads_old_vectors(saved, query)


def test_a_stale_snapshot_is_caught_up(saved, shelf, query):
    with Catalog.open(saved) as catalog:
        catalog.remove_files([shelf.location("5.mp4").path])
        shelf.catalog = catalog
        gone = catalog.video_with("content 0")
        shelf.add("0.mp4", clips=7, seed=77)
        del shelf.vectors[gone], shelf.vectors[6]
    answers_are_right(saved, shelf, query)
    assert not reads_old_vectors(saved, query)


@pytest.mark.parametrize("kept", [0, 1, 63, 64, 65, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_snapshot_is_ignored(saved, shelf, query, kept):
    file = saved / SNAPSHOT_NAME
    content = file.read_bytes()
    file.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    answers_are_right(saved, shelf, query)


@pytest.mark.parametrize("at", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_a_zeroed_page_is_ignored(saved, shelf, query, at):
    file = saved / SNAPSHOT_NAME
    content = bytearray(file.read_bytes())
    first = int(at * len(content))
    content[first : first + 512] = bytes(len(content[first : first + 512]))
    file.write_bytes(content)
    answers_are_right(saved, shelf, query)


@pytest.mark.parametrize("at", [0, 9, 25, 33, 64, 200, 2000, -1])
def test_a_flipped_byte_is_ignored(saved, shelf, query, at):
    file = saved / SNAPSHOT_NAME
    content = bytearray(file.read_bytes())
    content[at] ^= 0x40
    file.write_bytes(content)
    answers_are_right(saved, shelf, query)
    with Catalog.open(saved) as catalog:
        catalog.save_snapshot()
    assert not reads_old_vectors(saved, query)


def test_a_named_pipe_in_place_of_a_snapshot_is_not_opened_and_is_replaced(saved, shelf, query):
    (saved / SNAPSHOT_NAME).unlink()
    os.mkfifo(saved / SNAPSHOT_NAME)
    answers_are_right(saved, shelf, query)
    (problem,) = verify_catalog(saved, repair=True).problems
    assert "is not a regular file" in problem.what
    assert (saved / SNAPSHOT_NAME).is_file()


def test_the_snapshot_of_another_catalog_is_ignored(saved, shelf, query, tmp_path, new_shelf):
    other = new_shelf(tmp_path / "other")
    for n in range(6):
        other.add(f"{n}.mp4", clips=40, seed=100 + n)
    other.catalog.save_snapshot()
    other.catalog.close()
    shutil.copy(tmp_path / "other" / SNAPSHOT_NAME, saved / SNAPSHOT_NAME)
    answers_are_right(saved, shelf, query)
    assert (saved / SNAPSHOT_NAME).exists()


def test_a_catalog_restored_from_a_backup_ignores_the_newer_snapshot(saved, shelf, query, tmp_path):
    shutil.copytree(saved, tmp_path / "backup")
    with Catalog.open(saved) as catalog:
        shelf.catalog = catalog
        shelf.add("later.mp4", clips=40, seed=200)
        catalog.save_snapshot()
    shutil.copy(saved / SNAPSHOT_NAME, tmp_path / "backup" / SNAPSHOT_NAME)
    with Catalog.open(tmp_path / "backup") as catalog:  # the same ids, now for something else
        shelf.catalog = catalog
        shelf.add("other.mp4", clips=40, seed=300)
    answers_are_right(tmp_path / "backup", shelf, query)


def test_a_copied_catalog_answers_from_its_snapshot(saved, shelf, query, tmp_path):
    shutil.move(saved, tmp_path / "elsewhere")
    answers_are_right(tmp_path / "elsewhere", shelf, query)
    assert not reads_old_vectors(tmp_path / "elsewhere", query)


def test_a_current_snapshot_is_not_written_again(saved):
    before = (saved / SNAPSHOT_NAME).stat()
    with Catalog.open(saved) as catalog:
        catalog.save_snapshot()
    assert (saved / SNAPSHOT_NAME).stat().st_ino == before.st_ino


def test_a_process_with_nothing_to_save_does_not_load_faiss(saved):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from catalog import Catalog\n"
        "with Catalog.open(Path(sys.argv[1])) as catalog:\n"
        "    catalog.save_snapshot()\n"
        "sys.exit('faiss' in sys.modules)\n"
    )
    repository = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code, saved], cwd=repository, check=False)
    assert done.returncode == 0


def test_a_snapshot_that_cannot_be_replaced_is_an_error_that_leaves_no_file(
    shelf, catalog, folder, query
):
    shelf.add("a.mp4")
    (folder / SNAPSHOT_NAME).mkdir()
    with pytest.raises(CatalogStorageError, match="nothing is lost"):
        catalog.save_snapshot()
    assert list(folder.glob("*.new")) == []
    assert len(catalog.nearest_clips(query, limit=10)) == 3


def test_half_written_files_of_killed_processes_are_removed_later(saved, shelf):
    old, young = saved / f"{SNAPSHOT_NAME}.a.new", saved / f"{SNAPSHOT_NAME}.b.new"
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (1.0, 1.0))
    write_snapshot(saved, uuid=UUID, generation=1, parts=[])
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize("size", [0, 1000, 2**22, 2**23 + 5])
def test_a_snapshot_gives_back_its_header_and_body(tmp_path, size):
    body = np.random.default_rng(0).bytes(size)
    parts = [body[: size // 3], b"", body[size // 3 :]]
    header = write_snapshot(tmp_path, uuid=UUID, generation=2**40, parts=parts)
    assert read_header(tmp_path) == header
    found = read_snapshot(tmp_path, is_known=header.__eq__)
    assert (found[0], found[1].tobytes()) == (header, body)
    assert (header.uuid, header.generation) == (UUID, 2**40)
    assert read_snapshot(tmp_path, is_known=lambda _: False) is None


def test_a_snapshot_with_two_chunks_swapped_is_ignored(tmp_path):
    stretch = 2**22
    body = np.random.default_rng(0).bytes(3 * stretch)
    header = write_snapshot(tmp_path, uuid=UUID, generation=1, parts=[body])
    file = tmp_path / SNAPSHOT_NAME
    beginning = file.read_bytes()[:64]
    file.write_bytes(beginning + body[stretch : 2 * stretch] + body[:stretch] + body[2 * stretch :])
    assert read_snapshot(tmp_path, is_known=header.__eq__) is None
