"""The SQLite file as a file: creation, connections (also on read-only disks), and identity.

SQLite keeps a write-ahead log and a shared index of it beside the file. A reader needs both, and
cannot make them on a read-only disk; where neither is there, nobody writes and none is needed. The
index is memory that processes share: where a file system has none, changes are written to the file
itself, and what it held before to a journal. Readers and writers take turns then.
"""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from catalog.errors import CatalogGoneError, CatalogStorageError
from catalog.folder import file_bytes, make_file
from machine.presence import is_there

PAGE_BYTES = 8192  # vectors are rows of about 1 KB: larger pages waste less and write faster

# SQLite's errors on a file system that gives processes no memory to share.
NO_SHARED_MEMORY = frozenset(
    {
        sqlite3.SQLITE_IOERR_SHMMAP,
        sqlite3.SQLITE_IOERR_SHMOPEN,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMLOCK,
    }
)
WAIT_FOR_LOCK_MS = 60_000


def beside(path: Path, suffix: str) -> Path:
    """The path of the file that SQLite keeps beside `path`: `-wal` or `-shm`."""
    return path.with_name(path.name + suffix)


def lay_out(path: Path) -> None:
    """Create the file if there is none, with the settings that only an empty file can get.

    Raises:
        sqlite3.Error, OSError: it cannot be made.
    """
    make_file(path)
    if file_bytes(path) > 0:
        return
    with closing(sqlite3.connect(path, timeout=WAIT_FOR_LOCK_MS / 1000)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")


def do_without_shared_memory(path: Path) -> None:
    """Move the write-ahead log into the file, and use a rollback journal from now on.

    Raises:
        sqlite3.Error: others have it open, or nothing can be written.
    """
    with closing(sqlite3.connect(path, timeout=WAIT_FOR_LOCK_MS / 1000)) as connection:
        # A process that has the file for itself needs no memory to share.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        beside(path, "-shm").unlink(missing_ok=True)


def is_read_only(folder: Path) -> bool:
    """Whether its disk or its permissions forbid writing into the folder."""
    return not os.access(folder, os.W_OK)


def connect(path: Path) -> sqlite3.Connection:
    """Connect to the SQLite file, for any thread; read-only where the folder is read-only.

    Raises:
        CatalogStorageError: the last commits can only be read on a writable disk.
        sqlite3.Error: it cannot be opened.
    """
    if not is_read_only(path.parent):
        return sqlite3.connect(path, check_same_thread=False)
    return sqlite3.connect(_read_only_uri(path), uri=True, check_same_thread=False)


def _read_only_uri(path: Path) -> str:
    uri = f"{path.as_uri()}?mode=ro"
    log, shared_index = beside(path, "-wal"), beside(path, "-shm")
    if is_there(shared_index):  # a process writes through another mount, or was killed
        return uri
    if file_bytes(log) > 0:
        raise CatalogStorageError(
            f"the folder {path.parent} is read-only, and what was committed last waits in"
            f" {log.name}, which can only be read on a writable disk; copy the folder to one and"
            " give the copy with `--catalog FOLDER`"
        )
    return f"{uri}&immutable=1"


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """The identity of a file, whatever its name: SQLite goes on with a file that was deleted."""

    path: Path
    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The identity of the file that has this path now."""
        state = path.stat()
        return cls(path, state.st_dev, state.st_ino)

    def require(self) -> None:
        """Check that the path still leads to this file.

        Raises:
            CatalogGoneError: it was deleted, moved or replaced.
        """
        try:
            state = self.path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise CatalogGoneError(
                f"{self.path} is gone: it was deleted or moved while it was in use; bring the"
                " folder back, from where it went or from a backup, or index again"
            ) from error
        except OSError:
            return  # the disk does not answer: SQLite will raise what it finds
        if (state.st_dev, state.st_ino) != (self.device, self.inode):
            raise CatalogGoneError(
                f"{self.path} was replaced by another file while it was in use; run the command"
                " again to work on what is there now"
            )
