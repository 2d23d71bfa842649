"""Memory that a process shares with one that it starts."""

import os
import tempfile
from io import FileIO
from mmap import mmap
from multiprocessing import reduction
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_PIECE = bytes(1 << 20)


class SharedBytes:
    """Bytes that can be given to processes that are started before the context is left.

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

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled only on the way to a process that is being started."""
        return _attached, (reduction.DupFd(self._file.fileno()), len(self._map))


def _attached(descriptor: Any, size: int) -> SharedBytes:
    with SharedBytes(open(descriptor.detach(), "r+b", buffering=0), size=size) as attached:  # noqa: PTH123
        return attached


def _nameless_file() -> FileIO:
    if hasattr(os, "memfd_create"):  # needs no folder: /dev/shm is small in most containers
        return open(os.memfd_create("vsearch-frames"), "r+b", buffering=0)  # noqa: PTH123
    return tempfile.TemporaryFile(buffering=0)
