"""The backup of an SQLite file before its schema is upgraded."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from catalog.database.migrations import newest_version
from catalog.errors import CatalogStorageError
from catalog.folder import force_names_to_disk, make_file


def keep_backup(database: Path, *, version: int) -> None:
    """Copy a catalog's SQLite file before an upgrade, as `catalog.sqlite.vN.backup` beside it.

    The caller holds the write lock, so no commit comes between the copy and the upgrade.

    Raises:
        CatalogStorageError: no room, or no permission; nothing has been changed.
        sqlite3.Error: SQLite cannot read the catalog or write the copy.
    """
    backup = database.with_name(f"{database.name}.v{version}.backup")
    unfinished = backup.with_name(f"{backup.name}.new")
    try:
        unfinished.unlink(missing_ok=True)  # of a process that was killed
        make_file(unfinished)
        shutil.copymode(database, unfinished)
        with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(unfinished)) as new:
            old.backup(new)
        with unfinished.open("r+b") as file:
            os.fsync(file.fileno())
        unfinished.replace(backup)
        force_names_to_disk(backup.parent)
    except OSError as error:
        raise CatalogStorageError(
            f"the catalog in {database.parent} has schema version {version} and must be upgraded to"
            f" {newest_version()}, but its backup {backup} cannot be written: {error.strerror};"
            " nothing was changed"
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
