"""The claim on a catalog: of all processes on all machines that see the folder, one works on it.

Transactions alone keep a catalog whole; the claim keeps two long runs from doing the same work
twice. It is a lock of the operating system on a file, so it ends with the process that holds it,
however that ends. Who holds it stands in a file beside: a lock file's content is not ours to keep.
"""

import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from filelock import BaseFileLock, FileLock, Timeout

from catalog.errors import CatalogHeldError, CatalogStorageError
from catalog.folder import make_file

LOCK_NAME = "claim.lock"
HOLDER_NAME = "claim.json"


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds the claim: what for, which process of which machine, since what time of day."""

    purpose: str
    pid: int
    host: str
    since: str


@contextmanager
def claimed(folder: Path, purpose: str) -> Iterator[None]:
    """Hold the claim on the catalog in `folder`, an existing folder, for as long as the block runs.

    Nobody waits: it is had at once or not at all. `purpose` names the work to those who are refused
    meanwhile, best as the command that does it.

    Raises:
        CatalogHeldError: another process, or another part of this one, holds it.
        CatalogStorageError: the folder cannot be written to.
    """
    try:
        lock = _lock(folder / LOCK_NAME)
        lock.acquire()
    except Timeout as error:
        raise CatalogHeldError(_refusal(folder, _stated_holder(folder))) from error
    except OSError as error:
        raise CatalogStorageError(
            f"cannot claim the catalog in {folder} for writing: {error.strerror}; see that its disk"
            " is not read-only and that you may write to it, or give another folder with"
            " `--catalog FOLDER`"
        ) from error
    try:
        _state_holder(folder, purpose)
        yield
    finally:
        with suppress(OSError):  # the folder may be gone, or read-only by now
            (folder / HOLDER_NAME).unlink(missing_ok=True)
        lock.release()


def _lock(path: Path) -> BaseFileLock:
    """A lock that others may take, too, as far as the umask of who made its file says."""
    make_file(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    # Not bound to a thread: whoever ends the block lets go of it.
    return FileLock(path, mode=mode, blocking=False, thread_local=False)


def _state_holder(folder: Path, purpose: str) -> None:
    """Say who holds the claim. Only a courtesy: on a full disk the claim holds without a word."""
    holder = _Holder(
        purpose=" ".join(purpose.split()),  # file names may hold newlines, a message may not
        pid=os.getpid(),
        host=socket.gethostname(),
        since=datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
    )
    beside = folder / f"{HOLDER_NAME}.{uuid4().hex}.new"
    with suppress(OSError):
        try:
            (folder / HOLDER_NAME).unlink(missing_ok=True)  # of one that was killed
            beside.write_text(json.dumps(asdict(holder)), encoding="ascii")
            beside.replace(folder / HOLDER_NAME)
        finally:
            beside.unlink(missing_ok=True)


def _stated_holder(folder: Path) -> _Holder | None:
    try:
        return _Holder(**json.loads((folder / HOLDER_NAME).read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None  # it has just taken the claim, or its disk was full


def _refusal(folder: Path, holder: _Holder | None) -> str:
    by = (
        "another process"
        if holder is None
        else f"`{holder.purpose}` (process {holder.pid} on {holder.host}, since {holder.since})"
    )
    return (
        f"{by} is at work on the catalog in {folder}; let it finish or end it, then try again"
        " (queries can be asked meanwhile)"
    )
