"""Whether the snapshot says what SQLite says. That there is none, or an older one, is no fault."""

import hashlib
import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.columns import unpack_vectors
from catalog.faults import Fault
from catalog.snapshot import HEADER_BYTES, SNAPSHOT_NAME, Label, open_snapshot, parse_label
from catalog.tables import Clip, Meta

_ROWS_AT_A_TIME = 10_000
_CHUNK = 1 << 24


def snapshot_faults(session: Session, folder: Path) -> Iterator[Fault]:
    """What is wrong with the snapshot, which one look can tell; nothing is changed."""
    path = folder / SNAPSHOT_NAME
    try:
        with open_snapshot(folder) as file:  # one file, though another may take its name meanwhile
            wrong = _wrong_with(file, session)
    except FileNotFoundError:
        return
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    if wrong is not None:
        yield Fault(
            f"{SNAPSHOT_NAME} {wrong}",
            "it was built again from the catalog",
            partial(_discard, path),
        )


def _discard(path: Path, _session: Session) -> None:
    with suppress(OSError):  # a folder that holds something: the fault stands
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _wrong_with(file: BinaryIO, session: Session) -> str | None:
    meta = session.scalars(select(Meta)).one()
    label = parse_label(file.read(HEADER_BYTES))
    if label is None or _digest(file, label) != label.digest:
        return "is damaged, or no snapshot at all: its bytes do not fit its digest"
    if label.catalog_uuid != meta.catalog_uuid:
        return "belongs to another catalog"
    if label.digest != meta.snapshot_digest:
        return None  # of a process that was killed before it could say so: nobody reads it
    return _contradiction(file, session, label=label, meta=meta)


def _digest(file: BinaryIO, label: Label) -> str:
    """The digest of what follows the label."""
    digest = hashlib.sha256(UUID(label.catalog_uuid).bytes + struct.pack("<Q", label.generation))
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _contradiction(file: BinaryIO, session: Session, *, label: Label, meta: Meta) -> str | None:
    """Compare with SQLite; the vectors stay in the file, which the system reads as it is needed."""
    from catalog.vectors import VectorIndex  # FAISS takes a while to import

    body = np.memmap(file, dtype=np.uint8, mode="r")[HEADER_BYTES:]
    try:
        index = VectorIndex.over(body, dimension=meta.dimension or 0)
    except ValueError:
        return "cannot be read by this version of FAISS"
    ids = np.sort(index.ids)
    newest = int(ids.max(initial=0))
    shared = 0
    rows = session.execute(
        select(Clip.id, Clip.vector).where(Clip.id <= newest).order_by(Clip.id),
        execution_options={"yield_per": _ROWS_AT_A_TIME},
    )
    for some in rows.partitions():
        here = np.array([row.id for row in some], dtype=np.int64)
        if not np.isin(here, ids, assume_unique=True).all():
            return "lacks clips that it must hold"
        stored = unpack_vectors([row.vector for row in some], dimension=index.dimension)
        if not np.array_equal(index.stored(here), stored):
            return "holds other vectors than the catalog"
        shared += len(here)
    if label.generation >= meta.generation and shared != len(ids):
        return "holds clips that are not in the catalog"
    return None
