"""New files that appear whole or not at all: written under another name, then given their own."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_LEFTOVER = re.compile(r"\.vsearch-[0-9a-f]{32}\.partial")


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[Path]:
    """Give a file to write in the folder of `path`, which becomes `path` when the block ends.

    After an error nothing is left of it. Without `replace` a file that is there at the end stays:
    FileExistsError. Other errors of the system are raised as they are.
    """
    unfinished = path.with_name(f".vsearch-{uuid4().hex}.partial")
    with unfinished.open("xb") as lock:
        try:
            with suppress(OSError):  # a file system without locks keeps leftovers of killed runs
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield unfinished
            os.fsync(lock.fileno())  # else a power cut might leave the name without the content
            if replace:
                unfinished.replace(path)
            else:
                _name(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> int:
    """Remove unfinished files of processes that were killed; how many."""
    removed = 0
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            if _LEFTOVER.fullmatch(entry.name):
                removed += _remove_unlocked(entry)
    return removed


def _remove_unlocked(path: Path) -> bool:
    """Remove a file, unless the process that writes it is alive."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:
        return False
    return True


def _name(unfinished: Path, path: Path) -> None:
    """Give a file its name unless that is taken."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without links, such as FAT
        if os.path.lexists(path):
            raise FileExistsError(error.errno, "there is such a file", str(path)) from error
        unfinished.rename(path)
