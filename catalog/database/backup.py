"""The copy of an old catalog that is kept before its schema is upgraded."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

from catalog.errors import CatalogStorageError
from catalog.folder import force_names_to_disk, make_file


def keep_backup(database: Path, *, version: int) -> Path:
    """Copy a catalog's SQLite file beside it, whole and forced to disk, before it is changed.

    The caller holds the write lock, so nothing is committed between the copy and the upgrade, and
    nobody else makes a copy. An earlier one of the same version is replaced.

    Raises:
        CatalogStorageError: no room, or no permission; nothing has been changed.
        sqlite3.Error: SQLite cannot read the catalog or write the copy.
    """
    backup = database.with_name(f"{database.name}.v{version}.backup")
    for leftover in backup.parent.glob(f"{backup.name}.*.new"):  # of processes that were killed
        _remove(leftover)
    beside = backup.with_name(f"{backup.name}.{uuid4().hex}.new")
    try:
        _copy(database, beside)
        with beside.open("r+b") as file:
            os.fsync(file.fileno())
        beside.replace(backup)
        force_names_to_disk(backup.parent)
    except OSError as error:
        raise CatalogStorageError(f"could not keep {backup}: {error.strerror}") from error
    finally:
        _remove(beside)
    return backup


def _copy(source: Path, target: Path) -> None:
    make_file(target)
    shutil.copymode(source, target)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _remove(path: Path) -> None:
    for ending in ("", "-journal", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + ending).unlink(missing_ok=True)
