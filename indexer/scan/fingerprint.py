"""Content of a file: a fingerprint of all its bytes, and a sample of a few.

A sample costs nothing and proves nothing: it leads to the videos that a file may hold. Two files
are the same content when their fingerprints agree.
"""

import errno
import os
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from machine.file_state import size_and_time

BLOCK = 32 * 1024
BLOCKS = 16
_FORM = b"vsearch-sample-1"  # personalises the hash: another way to sample gets another form
_PIECE = 1 << 20  # bytes that are read at a time for a fingerprint


@dataclass(frozen=True, slots=True)
class Sample:
    """Digest of a few bytes of a file, with the file's state before the first was read.

    `digest` is 40 hexadecimal digits; `size` is in bytes, `mtime_ns` and `ctime_ns` (the last
    change of anything of the file, its name and rights included) in nanoseconds.
    """

    digest: str
    size: int
    mtime_ns: int
    ctime_ns: int = field(compare=False)  # no tool sets it back, and a new name changes it, too

    @property
    def state(self) -> tuple[int, int, int]:
        """Size, time of the last change and of the last change of anything, as of then."""
        return self.size, self.mtime_ns, self.ctime_ns


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a file: its fingerprint, and its sample with the state before it was read.

    `cut_short`: the system read the file up to some place only.
    """

    fingerprint: str
    sample: Sample
    cut_short: bool = field(default=False, compare=False)


def read_sample(path: Path) -> Sample:
    """Sample a file with a few short reads: BLAKE2b over its size and evenly spaced blocks.

    Files up to `BLOCK * BLOCKS` bytes are read whole. Of longer ones the first block, the last
    one and those between at equal distances are read. Raises OSError, also for what is no regular
    file (any more).
    """
    with _opened(path) as file:
        return _sample_of(file)


def read_fingerprint(path: Path) -> str:
    """The fingerprint of a file: SHA-256 of its bytes in hexadecimal. Raises OSError."""
    with FingerprintReading(path) as reading:
        return reading.fingerprint()


class FingerprintReading:
    """Context manager: reads a file for its fingerprint in a thread, until it is left.

    Decoding the file meanwhile reads the same bytes: a disk is read once for both. SHA-256, as
    processors have instructions for it; where they do, it is the fastest that Python brings.

    Attributes:
        sample: sample of the file, with its state before the first byte was read.
    """

    def __init__(self, path: Path, *, known: Content | None = None) -> None:
        """Open the file; raises OSError.

        `known` is the content that it had when it was last read: it is not read again unless its
        state has changed since.
        """
        self._path = path
        self._file = _opened(path)
        try:
            if known and known.sample.state != _state(os.fstat(self._file.fileno())):
                known = None
            self.sample = known.sample if known else _sample_of(self._file)
        except OSError:
            self._file.close()
            raise
        self._known = known
        self._digest = sha256()
        self._failure: OSError | MemoryError | None = None
        self._unread_from: int | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._read, name="fingerprint", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped = True
        self._thread.join()
        with suppress(OSError):  # nothing was written that could be lost
            self._file.close()

    def fingerprint(self) -> str:
        """The fingerprint, as soon as all is read.

        Of a file that cannot be read to its end, it is that of what can be, and of the fact: no
        whole file has the same one. Raises OSError where nothing can be read.
        """
        if self._known:
            return self._known.fingerprint
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self._digest.hexdigest()

    def content(self) -> Content:
        """Content of the file, as soon as all is read; raises OSError as `fingerprint` does."""
        return Content(self.fingerprint(), self.sample, cut_short=self.cut_short)

    @property
    def cut_short(self) -> bool:
        """Whether the system read the file up to some place only, and no further."""
        return self._unread_from is not None

    def reads_on(self) -> bool:
        """Whether the system reads now what it did not."""
        try:
            return bool(os.pread(self._file.fileno(), 1, self._unread_from or 0))
        except OSError:
            return False

    def still_holds(self) -> bool:
        """Whether the path has held this all the while.

        A file that looks changed is read once more. One that is gone was read through its open end,
        and may turn up under another name. Raises OSError.
        """
        try:
            now = _state(self._path.stat())
        except (FileNotFoundError, NotADirectoryError):
            # To lose a name counts as a change of the file, too.
            return _state(os.fstat(self._file.fileno()))[:-1] == self.sample.state[:-1]
        return now == self.sample.state or read_fingerprint(self._path) == self.fingerprint()

    def _read(self) -> None:
        left = 0 if self._known else self.sample.size  # what is added meanwhile is not read
        try:
            piece = memoryview(bytearray(_PIECE))
            self._file.seek(0)
            while left > 0 and not self._stopped:
                count = self._file.readinto(piece[: min(left, _PIECE)])
                if count == 0:  # it has become shorter, which will be seen
                    return
                self._digest.update(piece[:count])
                left -= count
        except OSError as error:
            if left == self.sample.size:  # nothing could be read
                self._failure = error
            else:
                self._unread_from = self.sample.size - left
            self._digest.update(b"and what follows cannot be read")
        except MemoryError as error:  # which says nothing of the file
            self._failure = error


def sampled_blocks(size: int) -> tuple[tuple[int, int], ...]:
    """Offset and length, in bytes, of each block read from a file of `size` bytes; ascending."""
    if size <= BLOCK * BLOCKS:
        return ((0, size),)
    return tuple((index * (size - BLOCK) // (BLOCKS - 1), BLOCK) for index in range(BLOCKS))


def _opened(path: Path) -> FileIO:
    """The file, if it is a regular one: to open a named pipe would wait for who writes into it."""
    file = FileIO(path, opener=_open_at_once)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _sample_of(file: FileIO) -> Sample:
    state = os.fstat(file.fileno())
    digest = blake2b(digest_size=20, person=_FORM)
    digest.update(state.st_size.to_bytes(8, "little"))
    for offset, length in sampled_blocks(state.st_size):
        file.seek(offset)
        digest.update(_read(file, length=length))
    size, mtime_ns, ctime_ns = _state(state)
    return Sample(digest=digest.hexdigest(), size=size, mtime_ns=mtime_ns, ctime_ns=ctime_ns)


def _read(file: FileIO, *, length: int) -> bytes:
    """Read `length` bytes, or fewer where the file has become shorter meanwhile."""
    pieces = []
    while length > 0 and (piece := file.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _state(file: os.stat_result) -> tuple[int, int, int]:
    """Size and times that no change leaves as they were; see `Sample`."""
    return *size_and_time(file), file.st_ctime_ns
