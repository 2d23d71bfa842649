"""A snapshot that is not what it should be: told, and built again from the catalog."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog
from catalog.folder import SNAPSHOT_NAME
from catalog.vectors.index import VectorIndex
from catalog.vectors.snapshot import read_header, write_snapshot
from catalog.verify import verify_catalog

DATABASE = "catalog.sqlite"


def resaved(folder, change):
    """A snapshot that is whole and that the catalog calls its own, but holds something else."""
    header = read_header(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        rows = connection.execute("SELECT id, vector FROM clips ORDER BY id").fetchall()
        ids = np.array([row[0] for row in rows])
        vectors = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f2").reshape(-1, 16)
        ids, vectors = change(ids, vectors.astype(np.float32))
        index = VectorIndex(dim=vectors.shape[1])
        index.add(ids, vectors)
        saved = write_snapshot(
            folder,
            uuid=header.uuid,
            generation=header.generation,
            parts=index.to_parts(),
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
    "cut to its header": (replaced(kept=64), "is damaged"),
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
    "of vectors of another length": (
        lambda folder: resaved(folder, lambda ids, vectors: (ids, vectors[:, :8])),
        "cannot be read by this version of FAISS",
    ),
}


@pytest.mark.parametrize("harm", SNAPSHOT_HARM)
def test_a_snapshot_with_wrong_contents_is_found_and_built_again(harmed, library, harm):
    act, told = SNAPSHOT_HARM[harm]
    repaired = harmed(act)
    assert [problem.what.startswith(SNAPSHOT_NAME) for problem in repaired.problems] == [True]
    assert told in repaired.problems[0].what
    assert repaired.lost == set()
    with Catalog.open(library) as catalog:
        assert catalog.status().snapshot_bytes > 465 * 32


def test_the_snapshot_of_another_catalog_is_found_and_built_again(harmed, new_shelf, tmp_path):
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
    assert [problem.repaired for problem in found.problems] == [None]
    assert (library / SNAPSHOT_NAME / "mine.txt").read_text() == "not yours"


def test_no_snapshot_and_an_older_one_are_not_problems(library, new_shelf):
    shelf = new_shelf(library)
    shelf.catalog.remove_files([Path("/films/3.mp4")])
    shelf.add("later.mp4", seed=500)
    shelf.catalog.close()
    assert verify_catalog(library).problems == ()
    (library / SNAPSHOT_NAME).unlink()
    assert verify_catalog(library).problems == ()


def test_a_snapshot_whose_process_was_killed_before_it_stored_the_digest_is_no_problem(library):
    header = read_header(library)
    write_snapshot(
        library,
        uuid=header.uuid,
        generation=header.generation,
        parts=[b"never named"],
    )
    assert verify_catalog(library).problems == ()
