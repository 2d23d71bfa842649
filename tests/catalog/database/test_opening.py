"""Opening a catalog: each error is one sentence that names a remedy."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import catalog as package
from catalog import (
    Catalog,
    CatalogDamagedError,
    CatalogError,
    CatalogMissingError,
    CatalogNewerError,
    CatalogOutdatedError,
    NotACatalogError,
)
from catalog.database.migrations import newest_version

DATABASE = "catalog.sqlite"

# The newest schema. When this test fails, add an upgrade unless the version is not released yet.
SCHEMA = {
    "meta": "id schema_version catalog_uuid generation snapshot_digest model revision"
    " model_digest dimension frames_per_clip window stride",
    "roots": "id path",
    "videos": "id fingerprint duration width height frame_rate codec container damage sample"
    " captured captured_from camera subtitles_read",
    "files": "id root_id relative_path size mtime_ns video_id error",
    "clips": "id video_id start end vector",
    "frames": "id video_id start step vectors",
    "tags": "id name video_id start end confidence score",
    "subtitles": "id video_id stream file_id name size mtime_ns language error",
    "cues": "id subtitle_id start end text words",
    "cue_words": "id words",
    "cue_index": "words",
    "partials": "id fingerprint root_id relative_path duration damage sample",
    "partial_clips": "id partial_id start end vector frames",
    "mounts": "id path",
    "background": "id bank generation newest clips drawn_from changed most mean_text mean_clip"
    " maxima best_clips digest",
}


def refusal(kind, folder, **options):
    with pytest.raises(kind) as refused:
        Catalog.open(folder, **options)
    said = str(refused.value)
    assert "\n" not in said
    return said


@pytest.fixture
def closed(shelf, catalog, folder):
    for n in range(20):
        shelf.add(f"{n}.mp4", clips=20, seed=n)
    catalog.close()
    return folder


def execute(folder, statement):
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        found = connection.execute(statement).fetchall()
        connection.commit()
    return found


def test_a_missing_catalog_says_how_to_make_one(tmp_path):
    assert "vsearch index PATH" in refusal(CatalogMissingError, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_without_a_catalog_says_how_to_make_one(tmp_path):
    assert "vsearch index PATH" in refusal(CatalogMissingError, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_that_was_killed_at_birth_is_missing_and_can_be_made(tmp_path):
    (tmp_path / DATABASE).touch()
    refusal(CatalogMissingError, tmp_path)
    with Catalog.open(tmp_path, create=True) as catalog:
        assert catalog.status().clips == 0


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("hello")
    assert "a catalog is a folder" in refusal(NotACatalogError, tmp_path / "file", create=True)
    refusal(CatalogError, tmp_path / "file")


def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(tmp_path):
    (tmp_path / DATABASE).write_bytes(b"something else entirely" * 1000)
    for create in (False, True):
        assert "not an SQLite file" in refusal(NotACatalogError, tmp_path, create=create)
    assert (tmp_path / DATABASE).read_bytes() == b"something else entirely" * 1000


@pytest.mark.parametrize("table", ["bookmarks (url TEXT)", "meta (key TEXT, value TEXT)"])
def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path, table):
    execute(tmp_path, f"CREATE TABLE {table}")
    before = (tmp_path / DATABASE).read_bytes()
    for create in (False, True):
        assert "not a catalog of vsearch" in refusal(NotACatalogError, tmp_path, create=create)
    assert (tmp_path / DATABASE).read_bytes() == before


def test_a_catalog_of_a_newer_program_asks_for_an_upgrade(closed):
    execute(closed, "UPDATE meta SET schema_version = 77")
    said = refusal(CatalogNewerError, closed)
    assert "schema version 77" in said
    assert "upgrade vsearch" in said


def test_a_catalog_of_an_unreleased_version_says_how_to_begin_anew(tmp_path):
    old = tmp_path / "my catalog"
    old.mkdir()
    columns = "id, schema_version, catalog_uuid, generation, model, weights_digest, dimension"
    execute(old, f"CREATE TABLE meta ({columns})")
    execute(old, "INSERT INTO meta VALUES (1, 3, 'a uuid', 7, 'demo', 'abab', 16)")
    before = (old / DATABASE).read_bytes()
    for create in (False, True):
        said = refusal(CatalogOutdatedError, old, create=create)
        assert "made by an unreleased version of vsearch" in said
        assert f"`mv '{old}' '{old}.old'`" in said
        assert f"`vsearch index PATH --catalog '{old}'`" in said
    assert (old / DATABASE).read_bytes() == before


def test_a_damaged_database_is_reported_as_damaged(closed, query):
    file = closed / DATABASE
    content = bytearray(file.read_bytes())
    for first in range(8192, len(content), 8192):
        content[first : first + 4096] = bytes(4096)
    file.write_bytes(content)
    with pytest.raises(CatalogDamagedError, match="vsearch verify --repair"):
        look_at_everything(closed, query)


def test_a_truncated_database_is_reported_as_damaged(closed, query):
    file = closed / DATABASE
    file.write_bytes(file.read_bytes()[: 8192 * 6])
    with pytest.raises(CatalogDamagedError, match="vsearch verify --repair"):
        look_at_everything(closed, query)


def test_a_vector_of_the_wrong_length_is_reported_as_damage(closed, query):
    execute(closed, "UPDATE clips SET vector = x'0000' WHERE id = 5")
    with pytest.raises(CatalogDamagedError, match="32 bytes"):
        look_at_everything(closed, query)


def look_at_everything(folder, query):
    with Catalog.open(folder) as catalog:
        catalog.status()
        catalog.nearest_clips(query, limit=10)


def test_the_schema_is_the_one_that_landed(closed):
    tables = {
        name: " ".join(row[1] for row in execute(closed, f"PRAGMA table_info({name})"))
        for (name,) in execute(
            closed,
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'cue_index_%'",
        )
    }
    assert tables == SCHEMA
    assert execute(closed, "SELECT schema_version FROM meta") == [(newest_version(),)]


def test_the_file_is_laid_out_for_vectors_and_for_readers_beside_a_writer(closed):
    assert execute(closed, "PRAGMA page_size") == [(8192,)]
    assert execute(closed, "PRAGMA journal_mode") == [("wal",)]


def test_the_database_itself_refuses_what_contradicts(closed):
    with pytest.raises(sqlite3.IntegrityError):
        execute(closed, "UPDATE files SET video_id = NULL WHERE id = 1")
    with pytest.raises(sqlite3.IntegrityError):
        execute(closed, "INSERT INTO videos SELECT * FROM videos WHERE id = 1")
    with pytest.raises(sqlite3.IntegrityError):
        execute(closed, "INSERT INTO meta SELECT 2, 1, 'x', 0, NULL, NULL, NULL, NULL, 1, 1, 1, 1")


def test_several_processes_may_make_the_same_catalog_at_once(tmp_path):
    program = """
import sys
from pathlib import Path
from catalog import Catalog

with Catalog.open(Path(sys.argv[1]), create=True) as catalog:
    print(catalog.status().clips)
"""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / "catalog"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(package.__file__).parents[1],
        )
        for _ in range(3)
    ]
    assert [process.communicate()[0].strip() for process in running] == ["0"] * 3


def test_a_catalog_named_by_a_relative_path_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Catalog.open(Path("here"), create=True) as catalog:
        monkeypatch.chdir("/")
        assert catalog.status().address == tmp_path / "here"
        assert catalog.status().database_bytes > 0


def test_the_status_is_read_without_loading_faiss(closed):
    program = """
import sys
from pathlib import Path
from catalog import Catalog

with Catalog.open(Path(sys.argv[1])) as catalog:
    print(catalog.status().clips, "faiss" in sys.modules)
"""
    told = subprocess.run(
        [sys.executable, "-c", program, closed],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(package.__file__).parents[1],
    )
    assert told.stdout.split() == ["400", "False"]
