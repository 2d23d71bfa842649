"""The check of the snapshot against the database; without one, or with an older one, it passes."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from catalog.database.columns import unpack_vectors
from catalog.database.database import Database
from catalog.database.meta import Meta, read_meta
from catalog.database.tables import CLIPS
from catalog.folder import SNAPSHOT_NAME
from catalog.vectors.snapshot import (
    HEADER_BYTES,
    SnapshotHeader,
    open_snapshot,
    parse_header,
    read_body,
)
from catalog.verify.findings import Finding

_ROWS_AT_A_TIME = 10_000


def snapshot_findings(connection: Connection, database: Database) -> Iterator[Finding]:
    """The finding in the snapshot, if there is one."""
    path = database.folder / SNAPSHOT_NAME
    try:
        with open_snapshot(database.folder) as file:  # opened once: another may take its name
            wrong = _wrong_with(file, connection, database)
    except FileNotFoundError:
        return
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    if wrong is not None:
        yield Finding(
            f"{SNAPSHOT_NAME} {wrong}",
            "it was built again from the catalog",
            partial(_discard, path),
        )


def _discard(path: Path, _connection: Connection) -> bool:
    with suppress(OSError):  # such as a folder that holds something
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        return True
    return False


def _wrong_with(file: BinaryIO, connection: Connection, database: Database) -> str | None:
    meta = read_meta(connection)
    header = parse_header(file.read(HEADER_BYTES))
    body = None if header is None else read_body(file, header=header)
    if header is None or body is None:
        return "is damaged, or not a snapshot: its bytes do not fit its digest"
    if not database.knows_snapshot(connection, **asdict(header)):
        if header.uuid != database.state_uuid(connection, header.generation):
            return "belongs to another catalog"
        return None  # its process was killed before it stored the digest: it is ignored
    return _contradiction(body, connection, header=header, meta=meta)


def _contradiction(
    body: NDArray[np.uint8], connection: Connection, *, header: SnapshotHeader, meta: Meta
) -> str | None:
    from catalog.vectors.index import VectorIndex  # FAISS takes a while to import

    try:
        index = VectorIndex.from_bytes(body, dim=meta.provenance.dim if meta.provenance else 0)
    except ValueError:
        return "cannot be read by this version of FAISS"
    seen = shared = 0  # the highest id that has been compared, and the number of ids
    for ids, codes in index.rows():
        stored = _stored(connection, after=seen, up_to=int(ids[-1]), dim=index.dim)
        for here, vectors in stored:
            at = np.searchsorted(ids, here)
            if not np.array_equal(ids[at], here):
                return "lacks clips that it must hold"
            if not np.array_equal(codes[at], index.encode(vectors)):
                return "holds other vectors than the catalog"
            shared += len(here)
        seen = int(ids[-1])
    if header.generation >= meta.generation and shared != len(index):
        return "holds clips that are not in the catalog"
    return None


def _stored(
    connection: Connection, *, after: int, up_to: int, dim: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Ids (N,) and stored vectors (N, D) of the clips in a range of ids, some at a time."""
    rows = connection.execute(
        select(CLIPS.c.id, CLIPS.c.vector)
        .where(CLIPS.c.id > after, CLIPS.c.id <= up_to)
        .order_by(CLIPS.c.id),
        execution_options={"yield_per": _ROWS_AT_A_TIME},
    )
    for some in rows.partitions():
        ids = np.array([row.id for row in some], dtype=np.int64)
        yield ids, unpack_vectors([row.vector for row in some], dim=dim)
