"""Cache of files that are made of films, bounded by their total size; runs of the page share it.

Nothing is locked: any number of processes read and write. Any error of the folder (read-only, full,
deleted) only means that a file is made anew.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

_LEFT = 0.9  # of the bound, after it was reached: not each file that comes looks for one that goes


class KeptFiles:
    """A folder of files by key; those that nobody has read for longest go beyond `max_bytes`.

    Only the owner can read them.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._since_trimmed = max_bytes  # bytes; how full the folder is, the first trimming sees

    def open(self, key: str) -> BinaryIO | None:
        """Open the file of a key; None if there is none."""
        path = self._path(key)
        with suppress(OSError):
            file = path.open("rb")
            with suppress(OSError):
                os.utime(path)
            return file
        return None

    def read(self, key: str) -> bytes | None:
        """The content of the file of a key; None if there is none."""
        file = self.open(key)
        if file is None:
            return None
        with file, suppress(OSError):
            return file.read()
        return None

    def keep(self, key: str, content: bytes) -> None:
        """Keep a file."""
        recording = self.record(key)
        recording.write(content)
        recording.end(keep=True)

    def record(self, key: str) -> Recording:
        """A file that comes piece by piece."""
        return Recording(self, self._path(key))

    def trim(self, *, added: int) -> None:
        """Remove what has not been read for longest, if with `added` bytes there is too much."""
        self._since_trimmed += added
        if self._since_trimmed <= (1 - _LEFT) * self._max_bytes:
            return
        with suppress(OSError), os.scandir(self._folder) as entries:
            states = [(entry.stat(), entry.path) for entry in entries]
            too_much = sum(state.st_size for state, _ in states) - self._max_bytes * _LEFT
            for state, path in sorted(states, key=lambda one: one[0].st_mtime_ns):
                if too_much <= 0:
                    break
                Path(path).unlink(missing_ok=True)
                too_much -= state.st_size
            self._since_trimmed = 0

    def _path(self, key: str) -> Path:
        return self._folder / sha256(key.encode()).hexdigest()


class Recording:
    """A file that is being written; nobody reads it before its end."""

    def __init__(self, kept: KeptFiles, path: Path) -> None:
        self._kept = kept
        self._path = path
        self._beside = path.with_name(f"{uuid4().hex}.new")
        self._file: BinaryIO | None = None
        self.size = 0  # bytes
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(number, "wb", buffering=0)

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        if self._file is None:
            return
        try:
            rest = memoryview(piece)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self.end(keep=False)
        self.size += len(piece)

    def end(self, *, keep: bool) -> None:
        """End it; what follows is not written."""
        file, self._file = self._file, None
        if file is None:
            return
        with suppress(OSError), file:
            if keep:
                os.fsync(
                    file.fileno()
                )  # before its name: after a power cut it is whole, or missing
                self._beside.replace(self._path)
                self._kept.trim(added=self.size)
        with suppress(OSError):
            self._beside.unlink(missing_ok=True)
