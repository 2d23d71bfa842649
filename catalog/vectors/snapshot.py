"""The file `vectors.faiss`: an index as it stood at one generation of one catalog.

It only saves time. It counts for nothing unless it is whole (its digest fits its bytes) and the
catalog says that this very digest is its own: so a damaged file, another catalog's file, or a
newer file beside a database restored from a backup are all as good as no file.
"""

import errno
import hashlib
import os
import stat
import struct
import time
from collections.abc import Iterable
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
_CHUNK = 1 << 22  # bytes; the digest is one of the digests of such stretches
_LEFTOVER_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Label:
    """What a snapshot says it is."""

    catalog_uuid: str
    generation: int
    digest: str


def open_snapshot(folder: Path) -> BinaryIO:
    """The file, if there is one; a named pipe in its place is not waited for. Raises OSError."""
    path = folder / SNAPSHOT_NAME
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return path.open("rb")


def read_label(folder: Path) -> Label | None:
    """The label alone, without reading the index; None if there is none to read."""
    try:
        with open_snapshot(folder) as file:
            return parse_label(file.read(_HEADER.size))
    except OSError:
        return None


def is_current(folder: Path, *, digest: str | None, generation: int) -> bool:
    """Whether the file says that it is this very snapshot."""
    label = read_label(folder)
    return label is not None and (label.digest, label.generation) == (digest, generation)


def read_snapshot(folder: Path, *, expected_digest: str) -> tuple[Label, NDArray[np.uint8]] | None:
    """The label and the index of a whole snapshot with this digest; None for any other.

    A file whose bytes do not fit its own digest is removed, so that the next save replaces it.
    """
    try:
        with open_snapshot(folder) as file:
            label = parse_label(file.read(_HEADER.size))
            if label is not None and label.digest != expected_digest:
                return None
            body = None if label is None else read_body(file, label=label)
    except OSError:
        return None
    if label is None or body is None:
        _remove(folder / SNAPSHOT_NAME)
        return None
    return label, body


def remove_snapshot(folder: Path) -> None:
    """See that no vectors of what is no longer known lie there, so far as that can be written."""
    _remove(folder / SNAPSHOT_NAME)


def read_body(file: BinaryIO, *, label: Label) -> NDArray[np.uint8] | None:
    """What follows the label; None if its digest is another.

    It is read and not mapped: whoever overwrites the file would change what has been checked.
    Raises OSError.
    """
    body = np.empty(max(0, os.fstat(file.fileno()).st_size - _HEADER.size), np.uint8)
    chunks = [body[begin : begin + _CHUNK] for begin in range(0, len(body), _CHUNK)]
    read = partial(_read_chunk, file)
    with ThreadPoolExecutor(memory_threads()) as pool:
        digests = pool.map(read, chunks, range(_HEADER.size, _HEADER.size + len(body), _CHUNK))
        digest = _digest(digests, catalog_uuid=label.catalog_uuid, generation=label.generation)
    return body if digest == label.digest else None


def _read_chunk(file: BinaryIO, chunk: NDArray[np.uint8], offset: int) -> bytes:
    """Fill the chunk from the file, as far as that goes; its digest."""
    rest = chunk.data
    while rest and (count := os.preadv(file.fileno(), [rest], offset)):
        rest, offset = rest[count:], offset + count
    return hashlib.sha256(chunk.data).digest()


def write_snapshot(
    folder: Path, *, catalog_uuid: str, generation: int, parts: Iterable[bytes | memoryview]
) -> Label:
    """Replace the snapshot in one step: written beside, forced to disk, renamed.

    Raises:
        CatalogStorageError: no room, or no permission; the old snapshot stands.
    """
    beside = folder / f"{SNAPSHOT_NAME}.{uuid4().hex}.new"
    try:
        _remove_leftovers(folder)
        with beside.open("wb") as file:
            file.write(bytes(_HEADER.size))
            digests = _written(parts, file=file)
            digest = _digest(digests, catalog_uuid=catalog_uuid, generation=generation)
            file.seek(0)
            uuid = UUID(catalog_uuid).bytes
            file.write(_HEADER.pack(_MAGIC, uuid, generation, bytes.fromhex(digest)))
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
    return Label(catalog_uuid=catalog_uuid, generation=generation, digest=digest)


def _written(parts: Iterable[bytes | memoryview], *, file: BinaryIO) -> list[bytes]:
    """Write the parts; the digests of the chunks that they make up."""
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


def parse_label(content: bytes | memoryview) -> Label | None:
    """The label at the beginning of a snapshot; None if it does not begin so."""
    if len(content) < _HEADER.size:
        return None
    magic, uuid, generation, digest = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        return None
    return Label(
        catalog_uuid=str(UUID(bytes=uuid)),
        generation=generation,
        digest=digest.hex(),
    )


def _digest(digests: Iterable[bytes], *, catalog_uuid: str, generation: int) -> str:
    """One digest of those of the chunks, and of whom they belong to."""
    label = UUID(catalog_uuid).bytes + struct.pack("<Q", generation)
    return hashlib.sha256(label + b"".join(digests)).hexdigest()


def _remove_leftovers(folder: Path) -> None:
    """What killed processes left half-written; a live one needs no hour for its own."""
    for leftover in folder.glob(f"{SNAPSHOT_NAME}.*.new"):
        if is_leftover(leftover):
            _remove(leftover)


def is_leftover(path: Path) -> bool:
    """Whether a half-written file is so old that nobody can be writing it any more."""
    try:
        return time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS
    except OSError:
        return False  # it was somebody's, who is done with it


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a read-only catalog: the file stays, and stays unread
