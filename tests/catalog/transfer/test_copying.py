"""A copy holds the same rows under the same ids, whatever the engines, and if it began anew."""

import shutil
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import select

from catalog import Catalog, CatalogError, CatalogLockedError, CatalogMissingError
from catalog.database.opening import open_database
from catalog.database.tables import META, METADATA
from catalog.transfer import copy_catalog, copying
from catalog.verify import verify_catalog
from tests.catalog.conftest import Shelf, unit_vectors


@pytest.fixture
def source(stored_library, tmp_path):
    """A catalog in a folder with all that a catalog may hold."""
    return shutil.copytree(stored_library, tmp_path / "source")


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    """Some rows at a time, as of a large catalog."""
    monkeypatch.setattr(copying, "_USUAL_ROWS", 40)
    monkeypatch.setattr(copying, "_ROWS_AT_A_TIME", {})


def rows_of(address):
    """All rows but the catalog's own, and of that what a copy has in common."""
    with closing(open_database(address, create=False)) as database, database.reading() as rows:
        found = {
            table.name: rows.execute(select(table).order_by(table.c.id)).all()
            for table in METADATA.sorted_tables
        }
    (meta,) = found.pop("meta")
    common = {*META.c.keys()} - {"catalog_uuid", "snapshot_digest"}
    return found, {name: meta._mapping[name] for name in common}


def copied(source, target, until=10**9):
    """Copy, and fail as soon as there are so many rows."""

    def interrupt(done, _total):
        if done >= until:
            raise KeyboardInterrupt

    return copy_catalog(source, target, on_progress=interrupt)


def test_a_copy_holds_the_same_rows_and_answers_alike(source, address, tmp_path):
    done = copied(source, address)
    assert (done.videos, done.clips, done.resumed) == (30, 465, 0)
    assert rows_of(address) == rows_of(source)
    assert verify_catalog(address).problems == ()
    back = tmp_path / "back"
    copied(address, back)
    assert rows_of(back) == rows_of(source)
    query = unit_vectors(1, seed=5)[0]
    with Catalog.open(source) as one, Catalog.open(back) as other, Catalog.open(address) as third:
        answers = [each.nearest_clips(query, limit=50) for each in (one, other, third)]
        uuids = {each.status().catalog_uuid for each in (one, other, third)}
    assert answers[0] == answers[1] == answers[2]
    assert len(uuids) == 3


def test_an_interrupted_copy_is_used_by_nobody_and_goes_on(source, address):
    for until in (1, 100, 400):
        with pytest.raises(KeyboardInterrupt):
            copied(source, address, until=until)
        with pytest.raises(CatalogMissingError, match="interrupted; go on with `vsearch catalog"):
            Catalog.open(address)
    assert copied(source, address).resumed >= 400
    assert rows_of(address) == rows_of(source)


def test_a_copy_of_what_has_changed_since_begins_anew(source, address, new_address):
    with pytest.raises(KeyboardInterrupt):
        copied(source, address, until=300)
    with Catalog.open(source) as catalog:
        catalog.remove_under([Shelf(catalog).location("3.mp4").path])
        Shelf(catalog).add("new.mp4", seed=200)
    assert copied(source, address).resumed == 0
    assert rows_of(address) == rows_of(source)


def test_ids_of_removed_rows_are_not_given_again(source, address):
    with Catalog.open(source) as catalog:
        newest = Shelf(catalog).add("newest.mp4", seed=200)
        catalog.remove_files([Shelf(catalog).location("newest.mp4").path])
    copied(source, address)
    with Catalog.open(address) as catalog:
        assert Shelf(catalog).add("newer.mp4", seed=201) == newest + 1
        best = catalog.nearest_clips(unit_vectors(3, seed=201)[0], limit=1)[0]
        assert (best.path.name, best.clip_id) == ("newer.mp4", 465 + 3 + 1)


def test_a_target_that_holds_something_else_stays_as_it_is(source, address, catalog, shelf):
    shelf.add("mine.mp4")
    with pytest.raises(CatalogError, match="holds something else already"):
        copied(source, address)
    assert catalog.status().videos == 1
    with pytest.raises(CatalogLockedError, match="vsearch catalog copy"):
        copied(source, source)


def test_a_copy_of_another_catalog_is_not_gone_on_with(source, address, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        copied(source, address, until=300)
    other = tmp_path / "other"
    with Catalog.open(other, create=True):
        pass
    with pytest.raises(CatalogError, match="holds something else already"):
        copied(other, address)
    with pytest.raises(CatalogMissingError):
        copied(tmp_path / "nowhere", address)
    assert copied(source, address).resumed >= 300


def test_an_empty_catalog_can_be_copied(address, tmp_path):
    empty = tmp_path / "empty"
    Catalog.open(empty, create=True).close()
    assert copied(empty, address).rows == 0
    with Catalog.open(address) as catalog:
        assert catalog.provenance is None
        assert catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=1) == []
