"""Storage that is away: told from a file that cannot be read by reading others beside it.

A server that is down and a disk that was pulled out must not make a failure of each film.
"""

import errno
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.errors import StorageAwayError, reason
from indexer.scan.timeout import call_with_timeout
from indexer.scan.walk import FoundFile, Walk

_OTHERS = 3  # files that are tried before a storage counts as away
_SECONDS = 10.0  # for each of them
_BLOCK = 32 * 1024
# The system has answered: the file is not there, or not for us.
_ANSWERS = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.EINVAL)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)


@dataclass(slots=True)
class Storage:
    """Storage of the files of a walk."""

    walk: Walk
    _below: dict[Path, list[FoundFile]] = field(default_factory=dict)

    def require(self, file: FoundFile, *, error: str) -> None:
        """Check that what `file` lies on answers, after an `error` of reading it.

        Raises:
            StorageAwayError: the folder is gone or empty, or none of a few other files can be read.
        """
        root = file.root
        if _is_gone(root):
            raise StorageAwayError.of(root, "it is empty or not there")
        others = [other for other in self._files_of(root) if other != file]
        errors = [_error_of(other.path) for other in _some(others)]
        if None not in errors and any(errors):
            raise StorageAwayError.of(
                root, f"{file.path.name} {error}, and {len(errors)} other files cannot be read"
            )

    def _files_of(self, root: Path) -> list[FoundFile]:
        if not self._below:
            for file in self.walk.files:
                self._below.setdefault(file.root, []).append(file)
        return self._below.get(root, [])


def _some(files: Sequence[FoundFile]) -> Sequence[FoundFile]:
    return random.sample(files, min(_OTHERS, len(files)))


def _is_gone(folder: Path) -> bool:
    """Whether it looks like a folder on which nothing is mounted."""
    try:
        return not call_with_timeout(_SECONDS, lambda: os.listdir(folder))  # noqa: PTH208
    except OSError as error:
        return error.errno in _NOT_THERE


def _error_of(path: Path) -> str | None:
    """Why the system does not read a file; None where it answers, "" where the file is gone."""
    try:
        call_with_timeout(_SECONDS, lambda: _read_anew(path))
    except OSError as error:
        if error.errno in _NOT_THERE:
            return ""
        return None if error.errno in _ANSWERS else reason(error)
    return None


def _read_anew(path: Path) -> None:
    """Read a block in the middle of a file from the disk, not from memory."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        middle = os.fstat(file).st_size // 2
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.pread(file, _BLOCK, middle)
    finally:
        os.close(file)
