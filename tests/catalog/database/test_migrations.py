"""Catalogs of older schema versions open, answer as before, and leave a backup."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import MetaData, create_engine, inspect

import catalog as package
from catalog import Catalog, CatalogStorageError
from catalog.database.tables import Base

SCHEMAS = Path(__file__).with_name("schemas")
DATABASE = "catalog.sqlite"
BACKUP = "catalog.sqlite.v1.backup"
NEWEST = 3


def restore(folder: Path, *, version: int) -> Path:
    """A catalog as that version left it, laid out as every catalog is."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        database.execute("PRAGMA page_size = 8192")
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript((SCHEMAS / f"v{version}.sql").read_text(encoding="utf-8"))
    return folder


def answers(folder: Path, told: dict) -> dict:
    """What the catalog says now, in the form in which it was written down."""
    with Catalog.open(folder) as catalog:
        status = catalog.status()
        query = np.array(told["query"], dtype=np.float32)
        return {
            "status": {
                "catalog_uuid": status.catalog_uuid,
                "provenance": asdict(status.provenance),
                "videos": status.videos,
                "files": status.files,
                "clips": status.clips,
                "video_seconds": status.video_seconds,
                "generation": status.generation,
                "failures": [[str(found.path), found.reason] for found in status.failures],
            },
            "files": [
                [path, state.size, state.mtime_ns, state.video_id, state.error]
                for path, state in sorted(catalog.known_files([Path("/")]).items())
            ],
            "query": told["query"],
            "nearest": [hit(match) for match in catalog.nearest(query, limit=6)],
            "within_trips": [
                hit(match) for match in catalog.nearest(query, limit=6, path_glob="trips")
            ],
        }


def hit(match) -> dict:
    return asdict(match) | {
        "score": pytest.approx(match.score, abs=1e-5),
        "path": str(match.path),
        "other_paths": [str(path) for path in match.other_paths],
    }


def told_by(version: int) -> dict:
    return json.loads((SCHEMAS / f"v{version}.json").read_text(encoding="utf-8"))


def version_of(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return connection.execute("SELECT schema_version FROM meta").fetchone()[0]


def dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def schema(database: Path) -> list[tuple[str, str, str | None]]:
    with closing(sqlite3.connect(database)) as connection:
        return sorted(connection.execute("SELECT type, name, sql FROM sqlite_master"))


@pytest.fixture
def old(tmp_path):
    return restore(tmp_path / "catalog", version=1)


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_a_catalog_of_every_older_version_answers_as_it_did(tmp_path, version):
    folder = restore(tmp_path / "catalog", version=version)
    told = told_by(version)
    assert answers(folder, told) == told
    assert version_of(folder / DATABASE) == NEWEST
    assert answers(folder, told) == told


def test_an_upgraded_catalog_has_the_schema_of_a_new_one(old, tmp_path):
    Catalog.open(old).close()
    Catalog.open(tmp_path / "new", create=True).close()
    assert schema(old / DATABASE) == schema(tmp_path / "new" / DATABASE)


def test_the_tables_in_the_code_are_those_of_the_newest_schema(folder):
    Catalog.open(folder, create=True).close()
    migrated, declared = create_engine(f"sqlite:///{folder / DATABASE}"), create_engine("sqlite://")
    Base.metadata.create_all(declared)
    assert described(migrated) == described(declared)


def described(engine) -> dict:
    inspector = inspect(engine)
    reflected = MetaData()
    reflected.reflect(engine)
    try:
        return {
            name: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)],
                inspector.get_pk_constraint(name),
                inspector.get_foreign_keys(name),
                inspector.get_unique_constraints(name),
                inspector.get_check_constraints(name),
                inspector.get_indexes(name),
            )
            for name in sorted(reflected.tables)
        }
    finally:
        engine.dispose()


def test_a_backup_of_the_old_catalog_is_kept_and_is_a_catalog_itself(old, tmp_path):
    before = dump(old / DATABASE)
    Catalog.open(old).close()
    assert sorted(path.name for path in old.iterdir()) == [DATABASE, BACKUP]
    assert dump(old / BACKUP) == before

    (tmp_path / "restored").mkdir()
    shutil.copy(old / BACKUP, tmp_path / "restored" / DATABASE)
    assert version_of(tmp_path / "restored" / DATABASE) == 1
    assert answers(tmp_path / "restored", told_by(1)) == told_by(1)


def test_a_new_catalog_and_one_that_is_up_to_date_are_not_backed_up(folder):
    for _ in range(2):
        Catalog.open(folder, create=True).close()
    assert [path.name for path in folder.iterdir()] == [DATABASE]


def test_what_was_only_in_the_write_ahead_log_is_in_the_backup(old):
    with closing(sqlite3.connect(old / DATABASE)) as writer:
        writer.execute("UPDATE videos SET codec = 'av1' WHERE id = 5")
        writer.commit()
        assert (old / f"{DATABASE}-wal").stat().st_size > 0
        Catalog.open(old).close()
    with closing(sqlite3.connect(old / BACKUP)) as backup:
        assert backup.execute("SELECT codec FROM videos WHERE id = 5").fetchall() == [("av1",)]


def test_a_backup_that_a_killed_upgrade_left_half_made_is_cleared_away(old):
    (old / f"{BACKUP}.0123.new").write_bytes(b"half")
    (old / BACKUP).write_bytes(b"of an earlier upgrade")
    Catalog.open(old).close()
    assert sorted(path.name for path in old.iterdir()) == [DATABASE, BACKUP]
    assert version_of(old / BACKUP) == 1


def test_an_upgrade_that_can_keep_no_backup_changes_nothing(old):
    (old / BACKUP).mkdir()
    before = dump(old / DATABASE)
    with pytest.raises(CatalogStorageError, match="schema version 1") as refused:
        Catalog.open(old)
    assert "\n" not in str(refused.value)
    assert dump(old / DATABASE) == before
    (old / BACKUP).rmdir()
    assert answers(old, told_by(1)) == told_by(1)


OPENER = """
import sys
from pathlib import Path
from catalog import Catalog

print("ready", flush=True)
sys.stdin.read()
with Catalog.open(Path(sys.argv[1])) as catalog:
    print(catalog.status().clips, catalog.status().schema_version)
"""


def test_processes_that_open_an_old_catalog_at_once_upgrade_it_once(old):
    with ExitStack() as running:
        processes = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", OPENER, old],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(package.__file__).parents[1],
                )
            )
            for _ in range(3)
        ]
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
        for process in processes:
            process.stdin.close()
        said = [process.stdout.read().split() for process in processes]
    assert said == [["10", str(NEWEST)]] * 3
    assert version_of(old / BACKUP) == 1
    assert answers(old, told_by(1)) == told_by(1)


# Opens copies of an old catalog in children of its own: each is killed one step later than the one
# before, a step being a statement, a commit or a file operation, until one comes through.
KILLER = """
import os, shutil, signal, sys
from itertools import count
from pathlib import Path
from sqlalchemy import Engine, event
from catalog import Catalog

def open_and_die(folder, *, after):
    steps = count()
    def step(*_):
        if next(steps) == after:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    files = ("sqlite3.connect", "os.rename", "os.remove")
    sys.addaudithook(lambda name, _: step() if name in files else None)
    Catalog.open(folder).close()

old = Path(sys.argv[1])
for after in count():
    folder = shutil.copytree(old, old.parent / f"killed {after}")
    child = os.fork()
    if child == 0:
        open_and_die(folder, after=after)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    print(after)
"""


def test_an_upgrade_that_is_killed_at_any_step_leaves_the_old_catalog(old, run_program):
    killed = run_program(KILLER, folder=old).split()
    told, backups = told_by(1), set()
    for step in killed:
        folder = old.parent / f"killed {step}"
        assert version_of(folder / DATABASE) == 1
        backups.add((folder / BACKUP).exists())
        if (folder / BACKUP).exists():
            assert version_of(folder / BACKUP) == 1
        assert answers(folder, told) == told
        assert sorted(path.name for path in folder.iterdir()) == [DATABASE, BACKUP]
    assert backups == {True, False}


def test_an_old_catalog_on_a_read_only_disk_says_where_it_could_be_upgraded(
    run_mounted, read_only, old
):
    program = """
import sys
from pathlib import Path
from catalog import Catalog, CatalogStorageError

for create in (False, True):
    try:
        Catalog.open(Path(sys.argv[1]), create=create)
    except CatalogStorageError as error:
        print(error)
"""
    said = run_mounted(read_only(old), program, folder=old).splitlines()
    assert len(said) == 2
    for sentence in said:
        assert "schema version 1" in sentence
        assert "read-only" in sentence
        assert "--catalog FOLDER" in sentence
    assert version_of(old / DATABASE) == 1
    assert not (old / BACKUP).exists()


def test_an_upgrade_for_which_there_is_no_room_changes_nothing(run_program, old):
    program = """
import resource, sys
from pathlib import Path
from catalog import Catalog, CatalogStorageError

resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    Catalog.open(Path(sys.argv[1]))
except CatalogStorageError as error:
    print(error)
"""
    said = run_program(program, folder=old)
    assert "schema version 1" in said
    assert "changed nothing" in said
    assert version_of(old / DATABASE) == 1
    assert [path.name for path in old.iterdir()] == [DATABASE]
    assert answers(old, told_by(1)) == told_by(1)
