"""The vector index of an open catalog: loaded from its snapshot, caught up by ids, or rebuilt."""

import numpy as np
import pytest

from catalog import Catalog, CatalogDamagedError
from catalog.database.meta import read_meta
from catalog.folder import SNAPSHOT_NAME
from catalog.vectors.sync import ClipIndex

DIM = 16


@pytest.fixture
def synchronised(database):
    """Synchronises a ClipIndex with the catalog as it is now; the ids that it holds afterwards."""

    def run(clip_index: ClipIndex) -> list[int]:
        with database.reading() as connection:
            meta = read_meta(connection)
            index = clip_index.synchronised(connection, meta=meta, dim=DIM)
        return index.ids.tolist()

    return run


def test_an_index_without_a_snapshot_is_built_from_the_stored_vectors(
    shelf, catalog, database, synchronised
):
    shelf.add("a.mp4", clips=3, seed=1)
    assert not (catalog.folder / SNAPSHOT_NAME).exists()
    assert synchronised(ClipIndex(database)) == [1, 2, 3]


def test_new_clips_are_added_and_removed_ones_dropped(shelf, catalog, database, synchronised):
    shelf.add("a.mp4", clips=3, seed=1)
    shelf.add("b.mp4", clips=2, seed=2)
    clip_index = ClipIndex(database)
    assert synchronised(clip_index) == [1, 2, 3, 4, 5]
    catalog.remove_files([shelf.location("a.mp4").path])
    shelf.add("c.mp4", clips=2, seed=3)
    assert synchronised(clip_index) == [4, 5, 6, 7]
    catalog.remove_files([shelf.location(name).path for name in ("b.mp4", "c.mp4")])
    assert synchronised(clip_index) == []


def test_vectors_of_the_same_generation_are_not_read_again(
    shelf, catalog, execute, database, synchronised
):
    shelf.add("a.mp4", clips=3, seed=1)
    clip_index = ClipIndex(database)
    synchronised(clip_index)
    execute(catalog.address, "UPDATE clips SET vector = x'00'")
    assert synchronised(clip_index) == [1, 2, 3]


def test_a_snapshot_saves_reading_the_vectors_that_it_holds(
    shelf, catalog, execute, database, synchronised
):
    shelf.add("a.mp4", clips=3, seed=1)
    catalog.save_snapshot()
    execute(catalog.address, "UPDATE clips SET vector = x'00'")
    shelf.add("b.mp4", clips=2, seed=2)
    assert synchronised(ClipIndex(database)) == [1, 2, 3, 4, 5]


def test_an_index_that_lacks_an_old_clip_is_rebuilt(
    shelf, catalog, execute, database, synchronised
):
    shelf.add("a.mp4", clips=3, seed=1)
    execute(catalog.address, "CREATE TABLE aside AS SELECT * FROM clips WHERE id = 2")
    execute(catalog.address, "DELETE FROM clips WHERE id = 2")
    clip_index = ClipIndex(database)
    assert synchronised(clip_index) == [1, 3]
    execute(
        catalog.address, "INSERT INTO clips SELECT * FROM aside; UPDATE meta SET generation = 99"
    )
    assert synchronised(clip_index) == [1, 2, 3]


def test_after_a_vector_of_the_wrong_length_the_index_is_read_afresh(
    shelf, catalog, execute, database, synchronised
):
    shelf.add("a.mp4", clips=3, seed=1)
    clip_index = ClipIndex(database)
    synchronised(clip_index)
    shelf.add("b.mp4", clips=2, seed=2)
    execute(catalog.address, "UPDATE clips SET vector = x'00' WHERE id = 4")
    with pytest.raises(CatalogDamagedError, match="vsearch verify --repair"):
        synchronised(clip_index)
    execute(catalog.address, "DELETE FROM clips WHERE id = 4; UPDATE meta SET generation = 99")
    assert synchronised(clip_index) == [1, 2, 3, 5]


def test_vectors_of_another_length_make_another_index(shelf, catalog, address):
    shelf.add("a.mp4", clips=3, seed=1)
    query = np.eye(DIM, dtype=np.float32)[0]
    assert len(catalog.nearest_clips(query, limit=9)) == 3
    with Catalog.open(address) as other:
        other.remove_under([shelf.location("a.mp4").root])
        assert other.provenance is None
    assert catalog.nearest_clips(query, limit=9) == []
