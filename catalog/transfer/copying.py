"""The copy of a catalog, from any engine to any: all rows with their ids, so answers are equal.

Rows are copied in order of their ids, some at a time, each time in one transaction: a copy that was
interrupted goes on after the last one. Until it is complete, nothing else opens it.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from catalog.address import Address
from catalog.database.database import Database
from catalog.database.meta import Meta, read_meta
from catalog.database.migrations import UNFINISHED, newest_version
from catalog.database.opening import open_database
from catalog.database.tables import (
    BACKGROUND,
    CLIPS,
    CUES,
    FILES,
    FRAMES,
    META,
    METADATA,
    MOUNTS,
    PARTIAL_CLIPS,
    PARTIALS,
    ROOTS,
    SUBTITLES,
    TAGS,
    VIDEOS,
)
from catalog.errors import CatalogError
from catalog.transfer.ids import last_ids, set_last_ids

OnProgress = Callable[[int, int], None]
"""Called with the number of rows that are there, and the number of all."""

_PURPOSE = "vsearch catalog copy"
# In this order: rows refer to earlier ones.
_COUNTED = (ROOTS, VIDEOS, FILES, CLIPS, FRAMES, TAGS, SUBTITLES, CUES)
# Changes of these are not counted in the generation: they are copied last, and as a whole.
_UNCOUNTED = (PARTIALS, PARTIAL_CLIPS, MOUNTS, BACKGROUND)
_ROWS_AT_A_TIME = {FRAMES: 50}  # of half a megabyte
_USUAL_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Copied:
    """The number of rows of a copy, and how many of them an interrupted run had brought."""

    videos: int
    clips: int
    rows: int
    resumed: int


def copy_catalog(source: Address, target: Address, *, on_progress: OnProgress) -> Copied:
    """Copy the catalog at `source` to `target`, where there is none, or a copy to go on with.

    The copy has a uuid of its own. Both are locked meanwhile: questions can be asked of the source.

    Raises:
        CatalogMissingError: there is no catalog at `source`.
        CatalogError: at `target` there is something else.
        CatalogLockedError: another process works on one of them.
    """
    with ExitStack() as opened:
        old = opened.enter_context(closing(open_database(source, create=False)))
        opened.enter_context(old.locked(_PURPOSE))
        new = opened.enter_context(closing(open_database(target, create=True, unfinished=True)))
        opened.enter_context(new.locked(_PURPOSE))
        rows = opened.enter_context(old.reading())
        meta = read_meta(rows)
        resumed = _begin(new, meta)
        return _copy(rows, new, meta=meta, resumed=resumed, on_progress=on_progress)


def _begin(new: Database, source: Meta) -> int:
    """Mark the target as an unfinished copy of this state; the number of rows it has already.

    Rows of another state are removed: the source has changed since.
    """
    state = f"copy of {source.catalog_uuid} at {source.generation}"
    with new.writing(bump_generation=False) as connection:
        there = read_meta(connection)
        unfinished = there.schema_version == UNFINISHED
        same_source = (there.snapshot_digest or "").startswith(f"copy of {source.catalog_uuid} ")
        rows = sum(_count(connection, table) for table in METADATA.sorted_tables if table != META)
        if (rows and not unfinished) or (unfinished and not same_source):
            raise CatalogError(
                f"the catalog in {new.address} holds something else already; give an empty"
                " database, or a folder that is not there"
            )
        if there.snapshot_digest != state:
            for table in reversed((*_COUNTED, *_UNCOUNTED)):
                connection.execute(delete(table))
        marks = {"schema_version": UNFINISHED, "snapshot_digest": state}
        connection.execute(update(META).values(marks))
        return sum(_count(connection, table) for table in _COUNTED)


def _copy(
    rows: Connection, new: Database, *, meta: Meta, resumed: int, on_progress: OnProgress
) -> Copied:
    counts = {table: _count(rows, table) for table in (*_COUNTED, *_UNCOUNTED)}
    total, done = sum(counts.values()), resumed
    for table in _COUNTED:
        size = _ROWS_AT_A_TIME.get(table, _USUAL_ROWS)
        with new.reading() as connection:
            last = connection.scalar(select(func.max(table.c.id))) or 0
        while some := _after(rows, table, last, size=size):
            with new.writing(bump_generation=False) as connection:
                connection.execute(insert(table), some)
            last, done = some[-1]["id"], done + len(some)
            on_progress(done, total)
    with new.writing(bump_generation=False) as connection:
        for table in reversed(_UNCOUNTED):
            connection.execute(delete(table))
        for table in _UNCOUNTED:
            last = 0
            while some := _after(rows, table, last, size=_USUAL_ROWS):
                connection.execute(insert(table), some)
                last, done = some[-1]["id"], done + len(some)
                on_progress(done, total)
        set_last_ids(connection, last_ids(rows))
        _finish(new, connection, meta)
    return Copied(counts[VIDEOS], counts[CLIPS], rows=total, resumed=resumed)


def _finish(new: Database, connection: Connection, source: Meta) -> None:
    """Make the copy a catalog of the same generation: what is kept for it stays as it is."""
    made_by = {} if source.provenance is None else asdict(source.provenance)
    before = {"generation": max(source.generation - 1, 0), "snapshot_digest": None}
    version = {"schema_version": newest_version()}
    connection.execute(update(META).values({**made_by, **before, **version}))
    new.count_generation(connection)
    if connection.dialect.name == "postgresql":
        # Until a server has counted rows, which it does a minute later, it guesses where they are.
        connection.execute(text("ANALYZE"))


def _after(rows: Connection, table: Table, last: int, *, size: int) -> list[dict[str, Any]]:
    """The next rows after an id, in order of the ids."""
    query = select(table).where(table.c.id > last).order_by(table.c.id).limit(size)
    return [dict(row) for row in rows.execute(query).mappings()]


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0
