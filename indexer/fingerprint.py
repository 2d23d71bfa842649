"""What a file holds, told from its size and a sample of its bytes."""

import errno
import os
import stat
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from indexer.file_state import size_and_time

BLOCK = 32 * 1024
BLOCKS = 16
_FORM = b"vsearch-sample-1"  # personalises the hash: another way to sample gets another form


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Identity of a file's content, with the file's state before its first byte was read.

    `digest` is 40 hexadecimal digits; `size` is in bytes, `mtime_ns` in nanoseconds.
    """

    digest: str
    size: int
    mtime_ns: int


def read_fingerprint(path: Path) -> Fingerprint:
    """Fingerprint a file with a few short reads: BLAKE2b over its size and evenly spaced blocks.

    Files up to `BLOCK * BLOCKS` bytes are read whole. Of longer ones the first block, the last
    one and those between at equal distances are read. Raises OSError, also for what is no regular
    file (any more).
    """
    with open(path, "rb", buffering=0, opener=_open_at_once) as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        digest = blake2b(digest_size=20, person=_FORM)
        digest.update(state.st_size.to_bytes(8, "little"))
        for offset, length in sampled_blocks(state.st_size):
            file.seek(offset)
            digest.update(_read(file, length=length))
    size, mtime_ns = size_and_time(state)
    return Fingerprint(digest=digest.hexdigest(), size=size, mtime_ns=mtime_ns)


def _open_at_once(path: str, flags: int) -> int:
    """To open a named pipe would wait until somebody writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def sampled_blocks(size: int) -> tuple[tuple[int, int], ...]:
    """Offset and length, in bytes, of each block read from a file of `size` bytes; ascending."""
    if size <= BLOCK * BLOCKS:
        return ((0, size),)
    return tuple((index * (size - BLOCK) // (BLOCKS - 1), BLOCK) for index in range(BLOCKS))


def _read(file: BinaryIO, *, length: int) -> bytes:
    """Read `length` bytes, or fewer where the file has become shorter meanwhile."""
    pieces = []
    while length > 0 and (piece := file.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
