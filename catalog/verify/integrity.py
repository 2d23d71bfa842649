"""The check of the SQLite file itself: its pages, its tables, and the type of every value.

SQLite detects pages that are malformed, but it has no checksums: a flipped byte may turn a number
into a text, or make a text invalid, and a query would fail on it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table

from catalog.database.columns import stored_kind
from catalog.database.sqlite.file import connect
from catalog.database.sqlite.full_text import ABOUT_THE_INDEX
from catalog.database.tables import METADATA

_MESSAGES = 3
_STORAGE_CLASSES: dict[type, str] = {int: "integer", float: "real", str: "text", bytes: "blob"}


def damage_of(path: Path) -> tuple[str, ...]:
    """The damage of the SQLite file, in a few words each; empty if it can all be read.

    Raises:
        sqlite3.Error: it cannot be read at all, damaged or not.
    """
    with closing(connect(path)) as connection:
        connection.text_factory = bytes
        pages = tuple(_page_damage(connection))
        if pages:
            return pages
        return tuple(chain.from_iterable(_table_damage(connection, table) for table in _tables()))


def _tables() -> list[Table]:
    return METADATA.sorted_tables


def _page_damage(connection: sqlite3.Connection) -> Iterator[str]:
    # The check of pages is enough here: values are checked in `_table_damage`.
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for (message,) in connection.execute(f"PRAGMA integrity_check({_MESSAGES})"):
        said = message.decode("utf-8", "replace").removeprefix("*** in database main ***")
        if said != "ok" and not said.startswith(ABOUT_THE_INDEX):
            yield " ".join(said.split())


def _table_damage(connection: sqlite3.Connection, table: Table) -> Iterator[str]:
    there = {row[1].decode() for row in connection.execute(f"PRAGMA table_info({table.name})")}
    missing = [column.name for column in table.columns if column.name not in there]
    if missing:
        yield f"table {table.name} lacks {', '.join(missing)}"
        return
    indexes = {row[1].decode() for row in connection.execute(f"PRAGMA index_list({table.name})")}
    yield from (f"{index.name} is missing" for index in table.indexes if index.name not in indexes)
    rows = _rows_of_other_types(connection, table) or _rows_with_invalid_text(connection, table)
    if rows:
        yield f"{rows} rows of table {table.name} hold values of wrong types"


def _rows_of_other_types(connection: sqlite3.Connection, table: Table) -> int:
    wrong = " OR ".join(f"typeof({_quoted(c)}) NOT IN ({_kinds(c)})" for c in table.columns)
    found = connection.execute(f"SELECT count(*) FROM {table.name} WHERE {wrong}").fetchone()
    return int(found[0])


def _kinds(column: Column[Any]) -> str:
    kinds = [_STORAGE_CLASSES[stored_kind(column)], *(["null"] if column.nullable else [])]
    return ", ".join(f"'{kind}'" for kind in kinds)


def _rows_with_invalid_text(connection: sqlite3.Connection, table: Table) -> int:
    texts = [_quoted(column) for column in table.columns if stored_kind(column) is str]
    if not texts:
        return 0
    rows = connection.execute(f"SELECT {', '.join(texts)} FROM {table.name}")
    return sum(not all(_is_text(value) for value in row) for row in rows)


def _is_text(value: object) -> bool:
    if not isinstance(value, bytes):
        return True  # its type is checked elsewhere
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _quoted(column: Column[Any]) -> str:
    return f'"{column.name}"'
