"""The lock of a catalog in a folder: of all processes that see the folder, one has it.

Transactions alone keep a catalog whole; the lock keeps two long runs from doing the same work
twice. It is a lock of the operating system on a file, so it ends with its process, however that
ends. A second file names the process: the content of a lock file cannot be relied on.
"""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from filelock import BaseFileLock, FileLock, Timeout

from catalog.database.holder import Holder, refusal
from catalog.errors import CatalogStorageError
from catalog.folder import make_file

LOCK_NAME = "catalog.lock"
HOLDER_NAME = "catalog.lock.json"


@contextmanager
def locked(folder: Path, purpose: str) -> Iterator[None]:
    """Have the lock of the catalog in `folder`, an existing folder, for as long as the block runs.

    It does not wait. `purpose` names the task in the error that other processes get meanwhile, best
    as the command that does it.

    Raises:
        CatalogLockedError: another process, or another part of this one, has the lock.
        CatalogStorageError: the folder cannot be written to.
    """
    try:
        lock = _lock(folder / LOCK_NAME)
        lock.acquire()
    except Timeout as error:
        raise refusal(folder, _read_holder(folder)) from error
    except OSError as error:
        raise CatalogStorageError(
            f"cannot lock the catalog in {folder} for writing: {error.strerror}; see that its disk"
            " is not read-only and that you may write to it, or give another folder with"
            " `--catalog FOLDER`"
        ) from error
    try:
        _write_holder(folder, purpose)
        yield
    finally:
        with suppress(OSError):  # the folder may be gone, or read-only by now
            (folder / HOLDER_NAME).unlink(missing_ok=True)
        lock.release()


def _lock(path: Path) -> BaseFileLock:
    """A lock that other users may take, too, as far as the umask of the file's maker allows."""
    make_file(path)
    mode = stat.S_IMODE(path.stat().st_mode) | stat.S_IRUSR | stat.S_IWUSR  # less is refused
    # Not bound to a thread: the thread that ends the block releases it.
    return FileLock(path, mode=mode, blocking=False, thread_local=False)


def _write_holder(folder: Path, purpose: str) -> None:
    """Write which process has the lock. Only a courtesy: on a full disk it is left out."""
    holder = Holder.of_this_process(purpose)
    unfinished = folder / f"{HOLDER_NAME}.{uuid4().hex}.new"
    with suppress(OSError):
        try:
            (folder / HOLDER_NAME).unlink(missing_ok=True)  # of a process that was killed
            unfinished.write_text(json.dumps(asdict(holder)), encoding="ascii")
            unfinished.replace(folder / HOLDER_NAME)
        finally:
            unfinished.unlink(missing_ok=True)


def _read_holder(folder: Path) -> Holder | None:
    try:
        return Holder(**json.loads((folder / HOLDER_NAME).read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None  # it has only just taken the lock, or its disk was full
