"""Errors of SQLite as those of a catalog, which say what was found and name a remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from catalog.database.sqlite.file import NO_SHARED_MEMORY, WAIT_FOR_LOCK_MS
from catalog.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogStorageError,
    NotACatalogError,
    verify_command,
)
from catalog.folder import DATABASE_NAME

# Errors that rows or a schema with flipped bytes lead to, beside those that SQLite calls damage.
_SIGNS_OF_DAMAGE = ("Could not decode to UTF-8", "no such table", "no such column")


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors into those of a catalog, which name a remedy."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        found = error.orig if isinstance(error, DBAPIError) else error
        plain = _in_plain_words(found, folder=folder)
        if plain is None:
            raise
        raise plain from error


def _in_plain_words(found: BaseException | None, *, folder: Path) -> CatalogError | None:
    code = getattr(found, "sqlite_errorcode", 0)
    primary = code & 0xFF  # the high bits only refine it
    if code in NO_SHARED_MEMORY:
        return CatalogStorageError(
            f"the file system of {folder} gives processes no memory to share, which this catalog"
            " needs; copy it to a local disk and give the copy with `--catalog FOLDER`"
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return CatalogBusyError(
            f"another process has been writing to the catalog in {folder} for more than"
            f" {WAIT_FOR_LOCK_MS // 1000} s; try again when it is done"
        )
    if primary == sqlite3.SQLITE_NOTADB:
        return NotACatalogError(
            f"{folder / DATABASE_NAME} is not an SQLite file; give another folder, or, if it was a"
            f" catalog, get back what can be read of it with {verify_command(folder, '--repair')}"
        )
    if primary == sqlite3.SQLITE_CORRUPT or str(found).startswith(_SIGNS_OF_DAMAGE):
        return CatalogDamagedError(
            f"{folder / DATABASE_NAME} is damaged ({found}); {verify_command(folder, '--repair')}"
            " keeps all that can still be read, and lists what has to be indexed again"
        )
    if primary in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    ):
        return CatalogStorageError(
            f"cannot use the catalog in {folder}: {found}; nothing committed is lost, see that the"
            " disk has room and may be written to"
        )
    return None
