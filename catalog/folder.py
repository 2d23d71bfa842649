"""The catalog's folder on disk: the names of its files, and how files are made in it."""

import os
from contextlib import suppress
from pathlib import Path

DATABASE_NAME = "catalog.sqlite"
SNAPSHOT_NAME = "vectors.faiss"


def make_file(path: Path) -> None:
    """Create an empty file with the permissions that the umask allows; an existing one stays.

    SQLite alone would make it readable for its owner only. What SQLite puts beside a file gets the
    permissions of that file.
    """
    with suppress(FileExistsError):  # which may lie on a read-only disk
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))


def file_bytes(path: Path) -> int:
    """The size of a file; 0 if it cannot be looked at, or is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def force_names_to_disk(folder: Path) -> None:
    """Flush the folder's entries, so that new names of files survive a loss of power."""
    with suppress(OSError):  # not every system can do it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
