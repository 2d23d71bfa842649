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
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from catalog.errors import CatalogStorageError

SNAPSHOT_NAME = "vectors.faiss"
_MAGIC = b"VSEARCH1"
_HEADER = struct.Struct("<8s16sQ32s")  # magic, catalog, generation, sha256 of all the rest
HEADER_BYTES = _HEADER.size
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


def read_snapshot(folder: Path, *, expected_digest: str) -> tuple[Label, memoryview] | None:
    """The label and the index of a whole snapshot with this digest; None for any other.

    A file whose bytes do not fit its own digest is removed, so that the next save replaces it.
    """
    try:
        with open_snapshot(folder) as file:
            content = memoryview(file.read())  # slices share it
    except OSError:
        return None
    label = parse_label(content)
    body = content[_HEADER.size :]
    if (
        label is None
        or _digest(body, uuid=UUID(label.catalog_uuid), generation=label.generation) != label.digest
    ):
        _remove(folder / SNAPSHOT_NAME)
        return None
    return (label, body) if label.digest == expected_digest else None


def write_snapshot(
    folder: Path, *, catalog_uuid: str, generation: int, body: bytes | memoryview
) -> Label:
    """Replace the snapshot in one step: written beside, forced to disk, renamed.

    Raises:
        CatalogStorageError: no room, or no permission; the old snapshot stands.
    """
    uuid = UUID(catalog_uuid)
    digest = _digest(body, uuid=uuid, generation=generation)
    header = _HEADER.pack(_MAGIC, uuid.bytes, generation, bytes.fromhex(digest))
    beside = folder / f"{SNAPSHOT_NAME}.{uuid4().hex}.new"
    try:
        _remove_leftovers(folder)
        with beside.open("wb") as file:
            file.write(header)
            file.write(body)
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


def parse_label(content: bytes | memoryview) -> Label | None:
    """The label at the beginning of a snapshot; None if it does not begin so."""
    if len(content) < _HEADER.size:
        return None
    magic, uuid, generation, digest = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        return None
    return Label(catalog_uuid=str(UUID(bytes=uuid)), generation=generation, digest=digest.hex())


def _digest(body: bytes | memoryview, *, uuid: UUID, generation: int) -> str:
    digest = hashlib.sha256(uuid.bytes + struct.pack("<Q", generation))
    digest.update(body)
    return digest.hexdigest()


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
