"""What can still be read of a damaged SQLite file, carried over into a new one.

Films of which any clip may be lost are left out as a whole: half a film would never be noticed, a
missing one is read again by the next index run.
"""

import math
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Table

from catalog.database.database import open_database
from catalog.database.sqlite_file import beside
from catalog.database.tables import CLIPS, FILES, META, MOUNTS, ROOTS, VIDEOS
from catalog.folder import DATABASE_NAME, SNAPSHOT_NAME, file_bytes, force_names_to_disk
from catalog.verify.graft import grafted_copies
from catalog.verify.readable_rows import ReadableRows

ROOM_PREFIX = "repair-"
_CARRIED = (ROOTS, VIDEOS, FILES, CLIPS, MOUNTS)  # partial videos are not worth it
_OF_ALL_TIMES = (META, ROOTS, VIDEOS, FILES, CLIPS)
_MADE_BY = (
    "model",
    "revision",
    "model_digest",
    "dimension",
    "frames_per_clip",
    "window",
    "stride",
)

# What an index tells of rows that cannot be read themselves: from the damaged file, into the new.
# Files come with a size that none has: the next index run looks at each again, finds its content
# known, and decodes nothing.
_TOLD_BY_INDEXES = (
    (
        "SELECT id, path FROM roots INDEXED BY sqlite_autoindex_roots_1 WHERE path > ''",
        "INSERT OR IGNORE INTO roots (id, path) VALUES (?, ?)",
    ),
    (
        "SELECT id, video_id FROM files INDEXED BY ix_files_video_id WHERE video_id > 0",
        "INSERT OR IGNORE INTO temp.held VALUES (?, ?)",
    ),
    (
        "SELECT id, root_id, relative_path FROM files INDEXED BY sqlite_autoindex_files_1"
        " WHERE root_id > 0",
        "INSERT OR IGNORE INTO files (id, root_id, relative_path, size, mtime_ns, video_id)"
        " SELECT held.id, ?2, ?3, -1, -1, held.video_id FROM temp.held WHERE held.id = ?1",
    ),
)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A new catalog in a folder of its own, and how many videos the damaged one knew, read or not.

    Its rows have yet to be checked: a file or a clip may have lost what it refers to.
    """

    folder: Path
    known_videos: int


@contextmanager
def salvaged(folder: Path) -> Iterator[Salvaged]:
    """What can be read of the catalog, in a folder below it that goes with the block.

    The new catalog is another one, with an identity of its own, but ids stay. The caller holds the
    lock. Nothing is written to the old file.

    Raises:
        OSError, sqlite3.Error, CatalogStorageError: the new one could not be made.
    """
    path = folder / DATABASE_NAME
    with TemporaryDirectory(prefix=ROOM_PREFIX, dir=folder, ignore_cleanup_errors=True) as room:
        new = Path(room, "new")
        open_database(new, create=True).close()
        with _readable(path, new=new / DATABASE_NAME, room=Path(room)) as source:
            known = 0 if source is None else _carry_over(source, new / DATABASE_NAME, damaged=path)
        yield Salvaged(new, known)


def take_its_place(folder: Path, *, new: Path) -> str:
    """Put the closed catalog in the folder `new` in place of the one in `folder`.

    The damaged file stays beside it under the name that is returned, with its log.

    Raises:
        OSError: one of the steps was refused; the damaged file is in its place still.
    """
    path = folder / DATABASE_NAME
    kept = _free_name(path)
    for ending in ("-wal", ""):
        if file_bytes(beside(path, ending)) or not ending:
            _keep(beside(path, ending), beside(kept, ending))
    shutil.copymode(path, new / DATABASE_NAME)  # whoever might read the old one, and nobody else
    with (new / DATABASE_NAME).open("r+b") as file:
        os.fsync(file.fileno())
    for ending in ("-wal", "-shm"):  # they would be taken for the new file's
        beside(path, ending).unlink(missing_ok=True)
    (new / DATABASE_NAME).replace(path)
    with suppress(OSError):  # it only saves time, and the new catalog would not believe it
        (folder / SNAPSHOT_NAME).unlink(missing_ok=True)
    force_names_to_disk(folder)
    return kept.name


def _free_name(path: Path) -> Path:
    stamp = f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}"
    names = (stamp if n == 1 else f"{stamp}-{n}" for n in count(1))
    return next(place for name in names if not (place := path.with_name(name)).exists())


def _keep(file: Path, name: Path) -> None:
    """Give the file a second name: it must not be without its first one for a moment."""
    try:
        os.link(file, name)
    except OSError:  # not every file system can do it
        shutil.copyfile(file, name)


@contextmanager
def _readable(path: Path, *, new: Path, room: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that finds the tables: to the file, else to a copy under a new beginning."""
    for candidate in _candidates(path, new=new, room=room):
        # Read-only: nothing may be written into a damaged file, its log included.
        with closing(sqlite3.connect(f"{candidate.as_uri()}?mode=ro", uri=True)) as source:
            if _finds_the_tables(source):
                yield source
                return
    yield None


def _candidates(path: Path, *, new: Path, room: Path) -> Iterator[Path]:
    yield path
    yield from grafted_copies(path, sound=new, room=room)


def _finds_the_tables(source: sqlite3.Connection) -> bool:
    try:
        # Else a file that is shorter than it says is refused as a whole. Nothing is written here.
        source.execute("PRAGMA writable_schema = ON")
        source.execute("PRAGMA cell_size_check = ON")
        for table in _OF_ALL_TIMES:
            source.execute(f"SELECT id FROM {table.name} LIMIT 0")
        source.execute("SELECT catalog_uuid FROM meta").fetchone()
    except sqlite3.Error:
        return False
    return True


def _carry_over(source: sqlite3.Connection, new: Path, *, damaged: Path) -> int:
    with closing(sqlite3.connect(new)) as target:
        # It is nobody's yet, and is forced to disk once, at the end.
        target.execute("PRAGMA synchronous = OFF")
        if not _carry_provenance(source, target):
            return _known_videos(source)
        gaps = {table: _carry_table(source, target, table, damaged=damaged) for table in _CARRIED}
        known = _known_videos(target)
        if gaps[ROOTS] or gaps[FILES]:
            _carry_from_indexes(source, target)
        with target:
            torn = {(video,) for video in _torn_videos(source, target, gaps=gaps[CLIPS])}
            target.executemany("DELETE FROM clips WHERE video_id = ?", torn)
            target.executemany("DELETE FROM videos WHERE id = ?", torn)
        return known


def _carry_from_indexes(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    with target:
        target.execute("CREATE TEMP TABLE held (id INTEGER PRIMARY KEY, video_id INTEGER)")
        for query, insert in _TOLD_BY_INDEXES:
            with suppress(sqlite3.Error):  # an index has pages of its own
                target.executemany(insert, source.execute(query))


def _known_videos(connection: sqlite3.Connection) -> int:
    """How many videos any row tells of."""
    with suppress(sqlite3.Error):
        found = connection.execute(
            "SELECT count(*) FROM (SELECT id FROM videos UNION SELECT video_id FROM clips UNION"
            " SELECT video_id FROM files WHERE video_id IS NOT NULL)"
        ).fetchone()
        return int(found[0])
    return 0


def _carry_provenance(source: sqlite3.Connection, target: sqlite3.Connection) -> bool:
    """Take over what made the vectors; without it they cannot be compared with anything."""
    names = ", ".join(f'"{name}"' for name in ("generation", *_MADE_BY))
    try:
        found = source.execute(f"SELECT {names} FROM meta").fetchone()
    except sqlite3.Error:
        return False
    if found is None or not _can_be(dict(zip(_MADE_BY, found[1:], strict=True))):
        return False
    with target:
        values = ", ".join(f'"{name}" = ?' for name in ("generation", *_MADE_BY))
        target.execute(f"UPDATE meta SET {values}", found)
    return True


def _can_be(made_by: dict[str, object]) -> bool:
    names = [made_by["model"], made_by["model_digest"]]
    numbers = [made_by[name] for name in ("dimension", "frames_per_clip", "window", "stride")]
    return all(isinstance(name, str) for name in names) and all(
        isinstance(number, int | float) and 0 < number < math.inf for number in numbers
    )


def _carry_table(
    source: sqlite3.Connection, target: sqlite3.Connection, table: Table, *, damaged: Path
) -> list[tuple[int, int]]:
    """Copy the rows of a table; the first and last ids of what cannot be read."""
    rows = ReadableRows(source, table)
    if not rows.columns:
        return []  # it came with a later version of the schema
    highest = rows.highest_id(damaged)
    names = ", ".join(f'"{name}"' for name in rows.columns)
    marks = ", ".join("?" for _ in rows.columns)
    # What contradicts a row that is there is damage, too.
    insert = f"INSERT OR IGNORE INTO {table.name} ({names}) VALUES ({marks})"
    for some in rows.batches(last=highest):
        with target:
            target.executemany(insert, some)
    if table.dialect_options["sqlite"]["autoincrement"]:
        with target:
            target.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
            target.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table.name, highest))
    return rows.gaps


def _torn_videos(
    source: sqlite3.Connection, target: sqlite3.Connection, *, gaps: Iterable[tuple[int, int]]
) -> set[int]:
    """Videos that may have lost clips: the clips of one have ids in a row."""
    torn: set[int] = set()
    for first, last in gaps:
        for query, edge in (
            ("SELECT video_id FROM clips WHERE id < ? ORDER BY id DESC LIMIT 1", first),
            ("SELECT video_id FROM clips WHERE id > ? ORDER BY id LIMIT 1", last),
        ):
            torn.update(row[0] for row in target.execute(query, (edge,)))
    # A page that an older state of itself has taken the place of is no gap, but the index tells.
    counted = target.execute("SELECT video_id, count(*) FROM clips GROUP BY video_id").fetchall()
    for video, clips in counted:
        with suppress(sqlite3.Error):
            indexed = source.execute(
                "SELECT count(*) FROM clips INDEXED BY ix_clips_video_id WHERE video_id = ?",
                (video,),
            ).fetchone()
            if indexed[0] > clips:
                torn.add(video)
    return torn
