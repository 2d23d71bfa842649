"""The rows of a damaged SQLite file that can still be read, and the ids where none can.

A row is found through the pages above it, so a bad page hides some rows and leaves all others. Ids
are asked for in stretches; one that fails is halved, until only what cannot be read is left out.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Table

from catalog.database.columns import stored_kind

_IDS_AT_A_TIME = 1000
_SMALLEST_ROW = 32  # bytes: where the counter of ids is lost, a file this large has no more rows
Row = tuple[object, ...]


class ReadableRows:
    """One table of a damaged file.

    `columns` are those that the file has, of those that a catalog has today; `id` is the first.
    `gaps` are the first and last ids of what cannot be read, once the batches have been read.
    """

    def __init__(self, source: sqlite3.Connection, table: Table) -> None:
        there = {row[1] for row in source.execute(f"PRAGMA table_info({table.name})")}
        self.columns = [column.name for column in table.columns if column.name in there]
        self.gaps: list[tuple[int, int]] = []
        self._source = source
        self._table = table
        self._kinds = [
            (stored_kind(table.columns[name]), table.columns[name].nullable)
            for name in self.columns
        ]

    def batches(self, *, last: int) -> Iterator[list[Row]]:
        """Whole rows with ids up to `last`, in the order of their ids."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        query = f"SELECT {names} FROM {self._table.name} WHERE id BETWEEN ? AND ? ORDER BY id"
        for first in range(1, last + 1, _IDS_AT_A_TIME):
            yield from self._read(query, first=first, last=min(first + _IDS_AT_A_TIME - 1, last))

    def highest_id(self, path: Path) -> int:
        """An id that no row is above: the counter's, the highest itself, or what fits the file."""
        for query in (
            f"SELECT seq FROM sqlite_sequence WHERE name = '{self._table.name}'",
            f"SELECT max(id) FROM {self._table.name}",
        ):
            with suppress(sqlite3.Error):
                found = self._source.execute(query).fetchone()
                if found is not None and isinstance(found[0], int):
                    return found[0]
        return path.stat().st_size // _SMALLEST_ROW

    def _read(self, query: str, *, first: int, last: int) -> Iterator[list[Row]]:
        try:
            rows = self._source.execute(query, (first, last)).fetchall()
        except sqlite3.Error:
            rows = None
        if rows is not None and self._are_sound(rows, first=first, last=last):
            yield rows
        elif first == last:
            self._note_gap(first)
        else:
            middle = (first + last) // 2
            yield from self._read(query, first=first, last=middle)
            yield from self._read(query, first=middle + 1, last=last)

    def _are_sound(self, rows: list[Row], *, first: int, last: int) -> bool:
        """A page of another place can be a page as well: then ids come twice, or out of order."""
        ids = [row[0] for row in rows if isinstance(row[0], int)]
        ascending = all(one < other for one, other in pairwise(ids))
        inside = not ids or (first <= ids[0] and ids[-1] <= last)
        return ascending and inside and len(ids) == len(rows) and all(map(self._is_whole, rows))

    def _is_whole(self, row: Row) -> bool:
        return all(
            nullable if value is None else isinstance(value, kind)
            for value, (kind, nullable) in zip(row, self._kinds, strict=True)
        )

    def _note_gap(self, number: int) -> None:
        if self.gaps and self.gaps[-1][1] == number - 1:
            self.gaps[-1] = (self.gaps[-1][0], number)
        else:
            self.gaps.append((number, number))
