"""An upgrade to a newer schema happens once and as a whole, and leaves a backup."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog import Catalog, CatalogNewerError, CatalogStorageError
from catalog.database import migrations

DATABASE = "catalog.sqlite"
NEWEST = migrations.newest_version()
BACKUP = f"catalog.sqlite.v{NEWEST}.backup"

# Make a catalog of version 1 of one of the newest version.
TO_VERSION_1 = """
DROP TRIGGER cue_added;
DROP TRIGGER cue_deleted;
DROP TABLE cue_index;
DROP VIEW cue_words;
DROP TABLE cues;
DROP TABLE subtitles;
ALTER TABLE videos DROP COLUMN subtitles_read;
DROP TABLE tags;
DROP INDEX ix_clips_times;
DROP TABLE background;
DROP TABLE frames;
ALTER TABLE partial_clips DROP COLUMN frames;
ALTER TABLE videos DROP COLUMN captured;
ALTER TABLE videos DROP COLUMN captured_from;
ALTER TABLE videos DROP COLUMN camera;
UPDATE meta SET schema_version = 1;
"""


def add_notes(connection) -> None:
    """An upgrade that nobody needs."""
    connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"))
    connection.execute(text("INSERT INTO notes (text) SELECT fingerprint FROM videos"))


def fail(connection) -> None:
    add_notes(connection)
    raise RuntimeError("half done")


@pytest.fixture
def old(shelf, catalog, folder):
    """A closed catalog, which the program has a newer schema for."""
    shelf.add("a.mp4")
    catalog.close()
    return folder


def upgraded_by(step, monkeypatch) -> None:
    monkeypatch.setattr(migrations, "UPGRADES", (*migrations.UPGRADES, step))


def dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def test_an_older_catalog_is_upgraded_and_answers_as_before(old, monkeypatch, query):
    with Catalog.open(old) as catalog:
        before = catalog.nearest_clips(query, limit=9)
    upgraded_by(add_notes, monkeypatch)
    for _ in range(2):
        with Catalog.open(old) as catalog:
            assert catalog.status().schema_version == NEWEST + 1
            assert catalog.nearest_clips(query, limit=9) == before
    with closing(sqlite3.connect(old / DATABASE)) as connection:
        assert connection.execute("SELECT text FROM notes").fetchall() == [("content 0",)]


def test_a_backup_of_the_older_catalog_is_kept_and_is_a_catalog_itself(old, monkeypatch, tmp_path):
    before = dump(old / DATABASE)
    (old / f"{BACKUP}.new").write_bytes(b"of a process that was killed")
    upgraded_by(add_notes, monkeypatch)
    Catalog.open(old).close()
    assert sorted(path.name for path in old.iterdir()) == [DATABASE, BACKUP]
    assert dump(old / BACKUP) == before
    monkeypatch.undo()
    (tmp_path / "restored").mkdir()
    (old / BACKUP).rename(tmp_path / "restored" / DATABASE)
    with Catalog.open(tmp_path / "restored") as restored:
        assert restored.status().schema_version == NEWEST
        assert restored.status().videos == 1


def test_the_backup_is_as_private_as_the_catalog(old, monkeypatch):
    (old / DATABASE).chmod(0o660)
    upgraded_by(add_notes, monkeypatch)
    Catalog.open(old).close()
    assert stat.S_IMODE((old / BACKUP).stat().st_mode) == 0o660


def test_the_backup_holds_the_write_ahead_log_too(old, monkeypatch):
    upgraded_by(add_notes, monkeypatch)
    with closing(sqlite3.connect(old / DATABASE)) as writer:
        writer.execute("UPDATE videos SET codec = 'av1'")
        writer.commit()
        assert (old / f"{DATABASE}-wal").stat().st_size > 0
        Catalog.open(old).close()
    with closing(sqlite3.connect(old / BACKUP)) as backup:
        assert backup.execute("SELECT codec FROM videos").fetchall() == [("av1",)]


def test_an_upgrade_that_fails_changes_nothing(old, monkeypatch):
    before = dump(old / DATABASE)
    upgraded_by(fail, monkeypatch)
    with pytest.raises(RuntimeError, match="half done"):
        Catalog.open(old)
    assert dump(old / DATABASE) == before


def test_an_upgrade_that_can_keep_no_backup_changes_nothing(old, monkeypatch):
    before = dump(old / DATABASE)
    (old / BACKUP).mkdir()
    upgraded_by(add_notes, monkeypatch)
    with pytest.raises(CatalogStorageError, match=rf"version {NEWEST} .* nothing was changed"):
        Catalog.open(old)
    assert dump(old / DATABASE) == before
    assert sorted(path.name for path in old.iterdir()) == [DATABASE, BACKUP]


def test_an_upgraded_catalog_is_too_new_for_an_older_program(old, monkeypatch):
    upgraded_by(add_notes, monkeypatch)
    Catalog.open(old).close()
    monkeypatch.undo()
    with pytest.raises(CatalogNewerError, match=rf"schema version {NEWEST + 1}.*upgrade vsearch"):
        Catalog.open(old)


def test_a_new_catalog_has_the_newest_version_and_no_backup(folder, monkeypatch):
    upgraded_by(add_notes, monkeypatch)
    with Catalog.open(folder, create=True) as catalog:
        assert catalog.status().schema_version == NEWEST + 1
    assert [path.name for path in folder.iterdir()] == [DATABASE]


def test_an_upgrade_makes_the_same_tables_as_a_new_catalog(old, query):
    with Catalog.open(old) as catalog:
        before = catalog.nearest_clips(query, limit=9)
    new = layout(old / DATABASE)
    with closing(sqlite3.connect(old / DATABASE)) as connection:
        connection.executescript(TO_VERSION_1)
    assert layout(old / DATABASE) != new
    with Catalog.open(old) as catalog:
        status = catalog.status()
        assert (status.schema_version, status.without_frames) == (NEWEST, 1)
        assert catalog.nearest_clips(query, limit=9) == before
    assert layout(old / DATABASE) == new
    assert (old / "catalog.sqlite.v1.backup").is_file()


def layout(database: Path) -> dict[str, object]:
    """The columns and indexes of each table, and what its rows refer to."""
    with closing(sqlite3.connect(database)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [
                connection.execute(f"PRAGMA {kind}({name})").fetchall()
                for kind in ("table_info", "foreign_key_list")
            ]
            # In no order: each begins with its place in the list.
            + [sorted(row[1:] for row in connection.execute(f"PRAGMA index_list({name})"))]
            for (name,) in names
        }
