"""Recovery of a damaged SQLite file: all rows that can still be read are copied into a new one.

Rows are read by their ids, so that a damaged page costs only its own. A video of which any clip may
be lost is left out: a video with missing clips would never be noticed, a missing one is read again
by the next index run. One of which any frame vector may be lost stays without all of them.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Table

from catalog.database.columns import stored_kind
from catalog.database.sqlite.database import open_sqlite
from catalog.database.sqlite.file import beside
from catalog.database.tables import (
    CLIPS,
    CUES,
    FILES,
    FRAMES,
    META,
    MOUNTS,
    ROOTS,
    SUBTITLES,
    TAGS,
    VIDEOS,
)
from catalog.folder import DATABASE_NAME, SNAPSHOT_NAME, file_bytes, force_names_to_disk
from catalog.provenance import Provenance
from catalog.verify.findings import REMOVE_DANGLING

FOLDER_PREFIX = "repair-"
# Partial videos only save time.
_COPIED = (ROOTS, VIDEOS, FILES, CLIPS, FRAMES, TAGS, SUBTITLES, CUES, MOUNTS)
# One that lacks a cue would never be noticed.
_READ_SUBTITLES_AGAIN = (
    "DELETE FROM subtitles",
    "DELETE FROM cues",
    "UPDATE videos SET subtitles_read = NULL",
)
_IDS_AT_A_TIME = 1000
_SMALLEST_ROW = 8  # bytes
_Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Recovered:
    """A new catalog in its own folder; how many videos it holds, and the damaged one mentioned.

    Attributes:
        known_videos: number of videos that any readable row mentions; 0 if nothing is usable.
        without_file: number of complete videos whose files are not known.
    """

    folder: Path
    known_videos: int
    videos: int
    without_file: int
    clips: int


@contextmanager
def recovered(folder: Path) -> Iterator[Recovered]:
    """Copy the catalog in `folder` to a folder below it, which is deleted after the block.

    The new catalog has a new identity, but the same ids. The caller holds the lock. Nothing is
    written to the damaged file.

    Raises:
        OSError, sqlite3.Error, CatalogStorageError: the new one could not be made.
    """
    path = folder / DATABASE_NAME
    with TemporaryDirectory(prefix=FOLDER_PREFIX, dir=folder, ignore_cleanup_errors=True) as below:
        new = Path(below, "new")
        open_sqlite(new, create=True).close()
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(new / DATABASE_NAME)) as target,
        ):
            target.execute("PRAGMA synchronous = OFF")  # it is flushed once, by `replace_damaged`
            known = _copy(source, target, size=file_bytes(path))
            videos, without_file, clips = target.execute(
                "SELECT (SELECT count(*) FROM videos), (SELECT count(*) FROM partials),"
                " (SELECT count(*) FROM clips)"
            ).fetchone()
        yield Recovered(new, known, videos, without_file, clips)


def replace_damaged(folder: Path, *, new: Path) -> str:
    """Put the closed catalog in the folder `new` in place of the one in `folder`.

    The damaged file stays beside it, with its log, under the returned name.

    Raises:
        OSError: one of the steps failed; the damaged file is still in its place.
    """
    path = folder / DATABASE_NAME
    kept = _free_name(path)
    for ending in ("-wal", ""):
        if file_bytes(beside(path, ending)) or not ending:
            _link(beside(path, ending), beside(kept, ending))
    shutil.copymode(path, new / DATABASE_NAME)
    with (new / DATABASE_NAME).open("r+b") as file:
        os.fsync(file.fileno())
    for ending in ("-wal", "-shm"):  # SQLite would take them for the new file's
        beside(path, ending).unlink(missing_ok=True)
    (new / DATABASE_NAME).replace(path)
    with suppress(OSError):  # the new catalog ignores it
        (folder / SNAPSHOT_NAME).unlink(missing_ok=True)
    force_names_to_disk(folder)
    return kept.name


def _free_name(path: Path) -> Path:
    stamp = f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    names = (stamp if n == 1 else f"{stamp}-{n}" for n in count(1))
    return next(place for name in names if not (place := path.with_name(name)).exists())


def _link(file: Path, name: Path) -> None:
    """Give the file a second name; it keeps the first one all the time."""
    try:
        os.link(file, name)
    except OSError:  # not every file system has links
        shutil.copyfile(file, name)


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, *, size: int) -> int:
    """Copy all that is readable; the number of videos that any copied row mentions."""
    source.execute("PRAGMA writable_schema = ON")  # else a file that was cut short is refused
    source.execute("PRAGMA cell_size_check = ON")
    if not _copy_provenance(source, target):
        return 0
    unreadable = {table: _copy_table(source, target, table, size=size) for table in _COPIED}
    (known,) = target.execute(
        "SELECT count(*) FROM (SELECT id FROM videos UNION SELECT video_id FROM clips UNION"
        " SELECT video_id FROM files WHERE video_id IS NOT NULL)"
    ).fetchone()
    with target:
        for table in (CLIPS, FRAMES):
            doubtful = unreadable[table] > 0
            torn = [(video,) for video in _torn_videos(source, target, table, doubtful=doubtful)]
            target.executemany(f"DELETE FROM {table.name} WHERE video_id = ?", torn)
        for statement in REMOVE_DANGLING:
            target.execute(statement)
        if unreadable[SUBTITLES] or unreadable[CUES] or _lacks_cues(source, target):
            for statement in _READ_SUBTITLES_AGAIN:
                target.execute(statement)
    return int(known)


def _copy_provenance(source: sqlite3.Connection, target: sqlite3.Connection) -> bool:
    """Copy what made the vectors: without it they cannot be compared with anything."""
    keys = ["generation", *(each.name for each in fields(Provenance))]
    names = [META.columns[key].name for key in keys]
    try:
        found = source.execute(f"SELECT {_quoted(names)} FROM meta").fetchone()
    except sqlite3.Error:
        return False
    missing = {name for name, value in zip(names, found or (), strict=False) if value is None}
    if found is None or missing - {"revision"} or not _is_sound(found, _types(META, keys)):
        return False
    with target:
        values = ", ".join(f'"{name}" = ?' for name in names)
        target.execute(f"UPDATE meta SET {values}", found)
    return True


def _copy_table(
    source: sqlite3.Connection, target: sqlite3.Connection, table: Table, *, size: int
) -> int:
    """Copy the rows of a table that are readable and sound; the number of ids that are not."""
    names = [column.name for column in table.columns]  # `id` is the first
    newest = _last_id(source, table)
    last = min(newest, size // _SMALLEST_ROW)  # a flipped bit can make an id of any size
    types = _types(table, names)
    # A row that contradicts one that is there already is damage, too.
    marks = ", ".join("?" for _ in names)
    insert = f"INSERT OR IGNORE INTO {table.name} ({_quoted(names)}) VALUES ({marks})"
    unreadable = 0
    for first in range(1, last + 1, _IDS_AT_A_TIME):
        rows, failed = _readable(
            source,
            f"SELECT {_quoted(names)} FROM {table.name} WHERE id BETWEEN ? AND ?",
            range(first, min(first + _IDS_AT_A_TIME, last + 1)),
        )
        sound = [row for row in rows if _is_sound(row, types)]
        unreadable += failed + len(rows) - len(sound)
        with target:
            target.executemany(insert, sound)
    if table.dialect_options["sqlite"]["autoincrement"]:
        with target:
            target.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
            target.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table.name, newest))
    return unreadable


def _last_id(source: sqlite3.Connection, table: Table) -> int:
    """The highest id that was given, by the rows or by SQLite's count; 0 if not readable.

    A page that was cut off may say 0 for the ids of its rows.
    """
    found = []
    for query in (
        f"SELECT max(id) FROM {table.name}",
        f"SELECT seq FROM sqlite_sequence WHERE name = '{table.name}'",
    ):
        with suppress(sqlite3.Error):
            row = source.execute(query).fetchone()
            found += [row[0]] if row is not None and isinstance(row[0], int) else []
    return max(found, default=0)


def _readable(source: sqlite3.Connection, query: str, ids: range) -> tuple[list[_Row], int]:
    """The rows of these ids, one by one if need be, and the number of ids that fail."""
    with suppress(sqlite3.Error):
        return source.execute(query, (ids[0], ids[-1])).fetchall(), 0
    rows: list[_Row] = []
    failed = 0
    for number in ids:
        try:
            rows += source.execute(query, (number, number)).fetchall()
        except sqlite3.Error:
            failed += 1
    return rows, failed


def _types(table: Table, names: list[str]) -> list[tuple[type, bool]]:
    """The type of each column, and whether it may be null."""
    columns = [table.columns[name] for name in names]
    return [(stored_kind(column), bool(column.nullable)) for column in columns]


def _is_sound(row: _Row, types: list[tuple[type, bool]]) -> bool:
    return all(
        nullable if value is None else isinstance(value, kind)
        for value, (kind, nullable) in zip(row, types, strict=True)
    )


def _torn_videos(
    source: sqlite3.Connection, target: sqlite3.Connection, table: Table, *, doubtful: bool
) -> list[int]:
    """Videos that lack rows of a table: the damaged file counts more, by an index of own pages.

    Where that cannot be read, all videos are `doubtful` or none.
    """
    torn = []
    copied = f"SELECT video_id, count(*) FROM {table.name} GROUP BY video_id"
    for video, rows in target.execute(copied).fetchall():
        try:
            query = f"SELECT count(*) FROM {table.name} WHERE video_id = ?"
            (known,) = source.execute(query, (video,)).fetchone()
        except sqlite3.Error:
            known = rows + doubtful
        if known > rows:
            torn.append(video)
    return torn


def _lacks_cues(source: sqlite3.Connection, target: sqlite3.Connection) -> bool:
    """Whether subtitles lack any of their cues: the index counts them, in pages of its own."""
    copied = (
        "SELECT subtitles.id, count(cues.id) FROM subtitles LEFT JOIN cues"
        " ON cues.subtitle_id = subtitles.id WHERE error IS NULL GROUP BY subtitles.id"
    )
    for number, cues in target.execute(copied).fetchall():
        known = 1  # those without any have an error
        with suppress(sqlite3.Error):
            query = "SELECT count(*) FROM cues WHERE subtitle_id = ?"
            (known,) = source.execute(query, (number,)).fetchone()
        if cues < max(known, 1):
            return True
    return False


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
