"""The snapshot file `vectors.faiss`: the vector index of one generation of one catalog.

It only saves time. It is used if its digest fits its bytes and the database knows its header: a
damaged file, another catalog's file, or a newer file beside a database restored from a backup is
ignored.
"""

import errno
import hashlib
import os
import stat
import struct
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from catalog.errors import CatalogStorageError
from catalog.folder import SNAPSHOT_NAME
from machine import memory_threads

_MAGIC = b"VSEARCH1"
_HEADER = struct.Struct("<8s16sQ32s")  # magic, catalog, generation, digest of all the rest
HEADER_BYTES = _HEADER.size
_CHUNK = 1 << 22  # bytes; the digest is made from those of chunks of this size
_LEFTOVER_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """The header of a snapshot: of which state of a catalog, at which generation, its digest."""

    uuid: str
    generation: int
    digest: str


def open_snapshot(folder: Path) -> BinaryIO:
    """Open the snapshot file. Raises OSError, also for a pipe or another special file."""
    path = folder / SNAPSHOT_NAME
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return path.open("rb")


def read_header(folder: Path) -> SnapshotHeader | None:
    """The header of the snapshot file; None without a readable one."""
    try:
        with open_snapshot(folder) as file:
            return parse_header(file.read(_HEADER.size))
    except OSError:
        return None


def read_snapshot(
    folder: Path, *, is_known: Callable[[SnapshotHeader], bool]
) -> tuple[SnapshotHeader, NDArray[np.uint8]] | None:
    """Header and body (B,) uint8 of the snapshot, if its header is known; None for any other.

    A file whose bytes do not fit its own digest is removed.
    """
    try:
        with open_snapshot(folder) as file:
            header = parse_header(file.read(_HEADER.size))
            if header is not None and not is_known(header):
                return None
            body = None if header is None else read_body(file, header=header)
    except OSError:
        return None
    if header is None or body is None:
        _remove(folder / SNAPSHOT_NAME)
        return None
    return header, body


def remove_snapshot(folder: Path) -> None:
    """Delete the snapshot, if that is permitted: its vectors were removed from the catalog."""
    _remove(folder / SNAPSHOT_NAME)


def read_body(file: BinaryIO, *, header: SnapshotHeader) -> NDArray[np.uint8] | None:
    """The body (B,) uint8 after the header; None if it does not fit the digest. Raises OSError.

    It is read and not mapped: a mapped file could change after the check.
    """
    body = np.empty(max(0, os.fstat(file.fileno()).st_size - _HEADER.size), np.uint8)
    chunks = [body[begin : begin + _CHUNK] for begin in range(0, len(body), _CHUNK)]
    read = partial(_read_chunk, file)
    with ThreadPoolExecutor(memory_threads()) as pool:
        digests = pool.map(read, chunks, range(_HEADER.size, _HEADER.size + len(body), _CHUNK))
        digest = _digest(digests, uuid=header.uuid, generation=header.generation)
    return body if digest == header.digest else None


def _read_chunk(file: BinaryIO, chunk: NDArray[np.uint8], offset: int) -> bytes:
    """Read a chunk (B,) at an offset of the file, up to the file's end; its digest."""
    rest = chunk.data
    while rest and (count := os.preadv(file.fileno(), [rest], offset)):
        rest, offset = rest[count:], offset + count
    return hashlib.sha256(chunk.data).digest()


def write_snapshot(
    folder: Path, *, uuid: str, generation: int, parts: Iterable[bytes | memoryview]
) -> SnapshotHeader:
    """Replace the snapshot in one step: written beside, forced to disk, renamed.

    Raises:
        CatalogStorageError: no room, or no permission; the old snapshot stays.
    """
    beside = folder / f"{SNAPSHOT_NAME}.{uuid4().hex}.new"
    try:
        _remove_leftovers(folder)
        with beside.open("wb") as file:
            file.write(bytes(_HEADER.size))
            digests = _written(parts, file=file)
            digest = _digest(digests, uuid=uuid, generation=generation)
            file.seek(0)
            state = UUID(uuid).bytes
            file.write(_HEADER.pack(_MAGIC, state, generation, bytes.fromhex(digest)))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / SNAPSHOT_NAME)
    except OSError as error:
        raise CatalogStorageError(
            f"could not save {folder / SNAPSHOT_NAME}: {error.strerror}; nothing is lost, the next"
            " search rebuilds it from the catalog"
        ) from error
    finally:
        _remove(beside)
    return SnapshotHeader(uuid=uuid, generation=generation, digest=digest)


def _written(parts: Iterable[bytes | memoryview], *, file: BinaryIO) -> list[bytes]:
    """Write the parts; the digests of the chunks of their bytes."""
    digests, chunk, room = [], hashlib.sha256(), _CHUNK
    for part in parts:
        file.write(part)
        rest = memoryview(part)
        while rest:
            chunk.update(rest[:room])
            taken = min(room, len(rest))
            rest, room = rest[taken:], room - taken
            if room == 0:
                digests.append(chunk.digest())
                chunk, room = hashlib.sha256(), _CHUNK
    return digests if room == _CHUNK else [*digests, chunk.digest()]


def parse_header(content: bytes | memoryview) -> SnapshotHeader | None:
    """The header at the beginning of a snapshot; None if there is none."""
    if len(content) < _HEADER.size:
        return None
    magic, state, generation, digest = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        return None
    return SnapshotHeader(
        uuid=str(UUID(bytes=state)),
        generation=generation,
        digest=digest.hex(),
    )


def _digest(digests: Iterable[bytes], *, uuid: str, generation: int) -> str:
    """The digest of a snapshot, from the digests of its chunks and the state's identity."""
    header = UUID(uuid).bytes + struct.pack("<Q", generation)
    return hashlib.sha256(header + b"".join(digests)).hexdigest()


def _remove_leftovers(folder: Path) -> None:
    """Delete half-written snapshots of killed processes."""
    for leftover in folder.glob(f"{SNAPSHOT_NAME}.*.new"):
        if is_leftover(leftover):
            _remove(leftover)


def is_leftover(path: Path) -> bool:
    """Whether a half-written file is older than an hour, so that no process is writing it."""
    try:
        return time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS
    except OSError:
        return False  # its process has just finished


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a read-only folder: the file stays, and is ignored
