"""A cache of small values, each in a file of its own.

Nothing is locked: any number of processes read and write. A digest in each file shows that it is
complete, also after a power cut. Any error of the folder (read-only, full, damaged, deleted) only
means that a value is missing.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

_DIGEST_BYTES = 32


class FileCache:
    """A folder of values by key; the oldest are removed beyond `capacity`.

    Only the owner can read the files; their names are digests of the keys.

    Args:
        folder: made when something is put.
        capacity: values kept at most.
    """

    def __init__(self, folder: Path, *, capacity: int) -> None:
        self._folder = folder
        self._capacity = capacity

    def get(self, key: bytes) -> bytes | None:
        """The value of the key; None if there is none."""
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        value = content[_DIGEST_BYTES:]
        return value if content[:_DIGEST_BYTES] == _seal(key, value) else None

    def put(self, key: bytes, value: bytes) -> None:
        """Store a value; an error of the file system is ignored."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = self._folder / f"{uuid4().hex}.new"
            try:
                self._write(beside, _seal(key, value) + value)
                beside.replace(self._path(key))
            finally:
                beside.unlink(missing_ok=True)
            self._trim()

    def _path(self, key: bytes) -> Path:
        return self._folder / hashlib.sha256(key).hexdigest()

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - the mode
            file.write(content)

    def _trim(self) -> None:
        """Remove the oldest files, also those that killed processes left half-written."""
        if len(os.listdir(self._folder)) <= self._capacity:  # noqa: PTH208 - no Path for each
            return
        with os.scandir(self._folder) as entries:
            ages = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
        for _, path in ages[: len(ages) - self._capacity]:
            Path(path).unlink(missing_ok=True)


def _seal(key: bytes, value: bytes) -> bytes:
    """The digest of key and value, which shows that the file is complete."""
    return hashlib.sha256(len(key).to_bytes(8, "big") + key + value).digest()
