"""Memory that a process shares with one that it starts."""

import os
import tempfile
from io import FileIO
from mmap import mmap
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

_PIECE = bytes(1 << 20)


class SharedBytes:
    """Bytes that can be given to processes, by their descriptor, before the context is left.

    multiprocessing's own shared memory lies in a file system that may be full by the time that it
    is used, which ends a process by SIGBUS. All of this is there from the start, or refused.
    """

    def __init__(self, file: FileIO, *, size: int) -> None:
        self._file = file
        self._map = mmap(file.fileno(), size)

    @classmethod
    def allocate(cls, size: int) -> Self:
        """That many zeros.

        Raises:
            OSError: there is no room for them, or no more files may be open.
        """
        file = _nameless_file()
        try:
            left = size
            while left:  # a file that is only made longer has no room yet
                left -= file.write(_PIECE[:left])
            return cls(file, size=size)
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def array(self) -> NDArray[np.uint8]:
        """The bytes themselves (N,), for as long as anybody holds them."""
        return np.frombuffer(self._map, dtype=np.uint8)

    @property
    def descriptor(self) -> int:
        """What `attached_bytes` makes the same bytes of in another process."""
        return self._file.fileno()


def attached_bytes(descriptor: int, *, size: int) -> NDArray[np.uint8]:
    """The bytes (N,) that another process has set aside; the descriptor is closed."""
    with open(descriptor, "r+b", buffering=0) as file:
        return np.frombuffer(mmap(file.fileno(), size), dtype=np.uint8)


def _nameless_file() -> FileIO:
    if hasattr(os, "memfd_create"):  # needs no folder: /dev/shm is small in most containers
        return open(os.memfd_create("vsearch-frames"), "r+b", buffering=0)  # noqa: PTH123
    return tempfile.TemporaryFile(buffering=0)
