"""Stored vectors: read from the rows of clips, and scanned for the first question of few clips.

FAISS is faster from the second question on, but its import takes longer than reading some thousands
of rows.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, func, select

from catalog.address import Address
from catalog.database.columns import unpack_vectors
from catalog.database.tables import CLIPS
from catalog.errors import damaged_vectors
from catalog.store.files import in_batches

Vectors = NDArray[np.float32]

FEW = 10_000  # clips
_ROWS_AT_A_TIME = 32_768
# One statement, made once: for some hundred rows SQLAlchemy takes longer than SQLite.
_VECTORS = select(CLIPS.c.id, CLIPS.c.vector).where(
    CLIPS.c.id.in_(bindparam("ids", expanding=True))
)


def nearest_of_few(
    connection: Connection,
    query: Vectors,
    *,
    limit: int,
    among: NDArray[np.int64] | None,
    address: Address,
) -> tuple[NDArray[np.int64], Vectors] | None:
    """Scan the stored vectors for the clips nearest to a query (D,): best first, equal ones by id.

    Args:
        limit: maximum number of results.
        among: ids (N,) of the clips that compete; None for all.
        address: the catalog's, for messages.

    Returns:
        Ids (N,) and cosines (N,); None for a catalog that may have more than `FEW` clips.

    Raises:
        CatalogDamagedError: a stored vector has the wrong length.
    """
    # The highest id is found at once; counting the clips would read them all.
    newest = connection.scalar(select(func.max(CLIPS.c.id))) or 0
    if newest > FEW:
        return None
    rows = connection.execute(select(CLIPS.c.id, CLIPS.c.vector)).all()
    ids = np.array([row.id for row in rows], dtype=np.int64)
    vectors = unpacked([row.vector for row in rows], dim=len(query), address=address)
    if among is not None:
        competes = np.isin(ids, among)
        ids, vectors = ids[competes], vectors[competes]
    # Row by row: a matrix product rounds equal rows differently, depending on their position.
    scores = np.einsum("nd,d->n", vectors, query)
    order = np.lexsort((ids, -scores))[:limit]
    return ids[order], np.clip(scores[order], -1.0, 1.0)


def stored_vectors(
    connection: Connection, ids: NDArray[np.int64], *, dim: int, address: Address
) -> Vectors:
    """Read the vectors (N, D) of different ids (N,); 0 for one that no clip has.

    Raises:
        CatalogDamagedError: a stored vector has the wrong length.
    """
    rows: list[tuple[int, bytes]] = []
    for some in in_batches(ids.tolist()):
        rows += map(tuple, connection.execute(_VECTORS, {"ids": some}).all())
    vectors = np.zeros((len(ids), dim), np.float32)
    place = {clip_id: number for number, clip_id in enumerate(ids.tolist())}
    found = unpacked([blob for _, blob in rows], dim=dim, address=address)
    vectors[[place[clip_id] for clip_id, _ in rows]] = found
    return vectors


def vectors_above(
    connection: Connection, newest: int, *, dim: int, address: Address
) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
    """Read ids (N,) and vectors (N, D) of all clips with ids above `newest`, part by part.

    Raises:
        CatalogDamagedError: a stored vector has the wrong length.
    """
    with connection.execute(
        select(CLIPS.c.id, CLIPS.c.vector).where(CLIPS.c.id > newest).order_by(CLIPS.c.id),
        execution_options={"yield_per": _ROWS_AT_A_TIME},
    ) as rows:
        for some in rows.partitions():
            ids = np.array([row.id for row in some], dtype=np.int64)
            yield ids, unpacked([row.vector for row in some], dim=dim, address=address)


def unpacked(blobs: Sequence[bytes], *, dim: int, address: Address) -> Vectors:
    """Unpack N stored vectors to (N, D).

    Raises:
        CatalogDamagedError: one of them has the wrong length.
    """
    try:
        return unpack_vectors(blobs, dim=dim)
    except ValueError as error:
        raise damaged_vectors(address, error) from error
