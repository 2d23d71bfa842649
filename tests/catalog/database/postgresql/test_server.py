"""What only a server can do to a catalog: end, refuse, hold other things, be written by many."""

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import catalog as package
from catalog import (
    Catalog,
    CatalogError,
    CatalogGoneError,
    CatalogLockedError,
    CatalogMissingError,
    CatalogNewerError,
    CatalogStorageError,
    CatalogUnreachableError,
    DatabaseUrl,
    NotACatalogError,
)
from catalog.database.postgresql.connection import connect
from catalog.verify import verify_catalog
from tests.catalog.conftest import PROVENANCE, ROOT, Shelf

ENGINES = ["postgresql"]

# Adds videos as fast as it can, and says which ids their clips got.
WRITER = """
import sys
from pathlib import Path
import numpy as np
from catalog import Catalog, ClipSpan, DatabaseUrl, FileLocation, VideoRecord

url = DatabaseUrl.parse(sys.argv[1], views=Path(sys.argv[2]))
with Catalog.open(url) as catalog, catalog.lock("vsearch index /films", shared=True):
    for n in range(20):
        vectors = np.eye(16, dtype=np.float32)[:5]
        name = f"{sys.argv[3]} {n}"
        catalog.add_video(
            VideoRecord(name, 24.0, 64, 48, 25.0, "h264", "mp4"),
            location=FileLocation(Path("/films"), Path("/films", name), 1, n),
            clips=[ClipSpan(4.0 * k, 4.0 * k + 8.0) for k in range(5)],
            vectors=vectors,
        )
        print(n, flush=True)
    if sys.argv[3] == "last":
        sys.stdin.read()
"""


def writer(address: DatabaseUrl, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(address), str(address.views), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(package.__file__).parents[1],
    )


def sentence(error: Exception) -> str:
    said = str(error)
    assert "\n" not in said
    return said


def test_clips_of_many_writers_have_ids_in_the_order_of_commits(catalog, address, query_rows):
    processes = [writer(address, name) for name in ("one", "two", "three")]
    generations = []
    while any(process.poll() is None for process in processes):
        with catalog.library() as library:
            generations.append((library.generation, library.newest(), library.count()))
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert generations == sorted(generations)
    assert all(newest == count for _, newest, count in generations)  # no gap, and none overtaken
    runs = query_rows("SELECT max(id) - min(id) FROM clips GROUP BY video_id")
    assert runs == [(4,)] * 60
    assert catalog.status().clips == 300
    assert verify_catalog(address).problems == ()


def test_the_lock_of_a_process_that_is_killed_is_free(catalog, address):
    with writer(address, "last") as process:
        assert process.stdout is not None
        while process.stdout.readline() != "19\n":
            pass
        with pytest.raises(CatalogLockedError, match=f"process {process.pid} on") as told:
            catalog.lock("vsearch forget /films").__enter__()
        assert "`vsearch index /films`" in sentence(told.value)
        process.kill()
        process.wait()
    for _ in range(100):
        try:
            with catalog.lock("vsearch forget /films"):
                return
        except CatalogLockedError:
            continue
    pytest.fail("the lock of a killed process is still held")


def test_a_server_that_ends_and_begins_again_costs_one_sentence(
    catalog, shelf, query, postgresql_server
):
    shelf.add("a.mp4", seed=1)
    postgresql_server.stop("fast")  # the other modes may lose what was committed just now
    try:
        with pytest.raises(CatalogUnreachableError) as refused:
            catalog.status()
        assert "cannot reach the catalog in postgresql://" in sentence(refused.value)
        with pytest.raises(CatalogUnreachableError):
            catalog.lock("vsearch index /films").__enter__()
    finally:
        postgresql_server.start()
    assert len(catalog.nearest_clips(query, limit=9)) == 3
    shelf.add("b.mp4", seed=2)
    assert catalog.status().videos == 2


def test_a_connection_that_is_cut_in_a_transaction_leaves_nothing(catalog, shelf, database):
    shelf.add("a.mp4", seed=1)

    def cut():
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM files")
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(CatalogUnreachableError):
        cut()
    assert catalog.status().files == 1


def test_paths_longer_than_a_row_of_an_index_are_known_and_unique(catalog, shelf, query):
    deep = Path(*["abcdefghijkl"[n] * 250 for n in range(12)], "ö" * 120)
    long = [deep / f"{n}.mp4" for n in range(3)]
    assert len(str(long[0])) > 3100  # a row has 2704 at most
    for n, path in enumerate(long):
        shelf.add(path, seed=n)
    shelf.add(long[0], seed=7)  # replaced, not doubled
    assert len(catalog.known_files([ROOT / deep])) == 3
    assert catalog.known_files([ROOT / long[2]]).keys() == {str(ROOT / long[2])}
    catalog.note_mounts([ROOT / deep])
    assert catalog.mounts([ROOT / deep]) == {ROOT / deep}
    assert catalog.relocate(ROOT / deep, new=ROOT / deep / "x").files == 3
    assert catalog.remove_under([ROOT / deep]).files == 3


def test_paths_are_in_the_order_of_code_points_whatever_the_database_prefers(
    postgresql_server, tmp_path
):
    name = postgresql_server.new_database()
    postgresql_server.execute(
        f"CREATE DATABASE {name}icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'"
    )
    url = DatabaseUrl.parse(postgresql_server.url(f"{name}icu"), views=tmp_path)
    with Catalog.open(url, create=True) as catalog:
        catalog.bind(PROVENANCE)
        shelf = Shelf(catalog)
        for n, path in enumerate(("a/b.mp4", "a-/c.mp4", "A/d.mp4", "a0/e.mp4", "a/Ä.mp4")):
            shelf.add(path, seed=n)
        assert catalog.known_files([ROOT / "a"]).keys() == {"/films/a/b.mp4", "/films/a/Ä.mp4"}


def test_a_user_who_may_only_read_can_ask(catalog, shelf, query, address, postgresql_server):
    shelf.add("a.mp4", seed=1)
    database = dict(address.options)["dbname"]
    postgresql_server.execute(
        f"CREATE ROLE reader_{database} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public"
        f" TO reader_{database}",
        database=database,
    )
    options = dict(address.options) | {"user": f"reader_{database}"}
    with Catalog.open(replace(address, options=tuple(options.items()))) as reader:
        assert len(reader.nearest_clips(query, limit=9)) == 3
        with pytest.raises(CatalogStorageError, match="permission denied") as refused:
            Shelf(reader).add("b.mp4", seed=2)
        sentence(refused.value)


def test_an_option_that_no_connection_has_is_named_without_its_value(tmp_path):
    url = DatabaseUrl.parse("postgresql://me@127.0.0.1:1/films?pasword=s3cr3t", views=tmp_path)
    with pytest.raises(CatalogError, match='"pasword"') as refused:
        Catalog.open(url)
    assert "s3cr3t" not in sentence(refused.value)


def test_a_database_that_holds_something_else_is_left_alone(postgresql_server, tmp_path):
    name = postgresql_server.new_database()
    url = DatabaseUrl.parse(postgresql_server.url(name), views=tmp_path)
    with pytest.raises(CatalogMissingError, match="vsearch index PATH"):
        Catalog.open(url)
    postgresql_server.execute("CREATE TABLE customers (id int)", database=name)
    for create in (False, True):
        with pytest.raises(NotACatalogError, match="give another database"):
            Catalog.open(url, create=create)
    assert postgresql_server.execute("SELECT * FROM customers", database=name) == []
    latin = f"{name}latin"
    postgresql_server.execute(
        f"CREATE DATABASE {latin} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'"
    )
    other = DatabaseUrl.parse(postgresql_server.url(latin), views=tmp_path)
    with pytest.raises(CatalogStorageError, match="encoding LATIN1"):
        Catalog.open(other, create=True)


def test_a_newer_catalog_and_a_replaced_one_are_refused(catalog, shelf, address, execute):
    execute(address, "UPDATE meta SET schema_version = 99")
    with pytest.raises(CatalogNewerError, match="upgrade vsearch"):
        Catalog.open(address)
    execute(address, "UPDATE meta SET schema_version = 4, catalog_uuid = 'another'")
    for change in (lambda: shelf.add("a.mp4"), lambda: catalog.lock("x").__enter__()):
        with pytest.raises(CatalogGoneError, match="replaced"):
            change()
    execute(address, "DROP TABLE meta")
    with pytest.raises(CatalogGoneError):
        catalog.status()


def test_connections_name_themselves_and_notice_a_silent_machine(catalog, address):
    with closing(connect(address)) as connection:
        (name,) = connection.execute("SHOW application_name").fetchone()
        shown = ("idle", "interval", "count")
        kept = [connection.execute(f"SHOW tcp_keepalives_{one}").fetchone()[0] for one in shown]
        info = connection.info.get_parameters()
    assert name == "vsearch"
    assert [info[f"keepalives_{one}"] for one in shown] == ["10", "5", "3"]
    assert len(kept) == 3
