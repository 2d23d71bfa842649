"""The vector index of an open catalog, synchronised with the clips in the database."""

from dataclasses import asdict
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from catalog.database.database import Database
from catalog.database.meta import Meta
from catalog.database.tables import CLIPS
from catalog.vectors.index import VectorIndex
from catalog.vectors.snapshot import SnapshotHeader, read_snapshot, write_snapshot
from catalog.vectors.stored import stored_vectors, vectors_above

Vectors = NDArray[np.float32]


class ClipIndex:
    """The vector index over all clips: loaded from its snapshot, caught up by ids, or rebuilt.

    Not safe for several threads: the owner locks.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: tuple[VectorIndex, int] | None = None  # with its generation

    def synchronised(self, connection: Connection, *, meta: Meta, dim: int) -> VectorIndex:
        """The index of exactly the clips that the connection's transaction sees.

        Raises:
            CatalogDamagedError: a stored vector has the wrong length.
        """
        cached, self._cached = self._cached, None  # until it is up to date
        if cached is None or cached[0].dim != dim:  # emptied, and bound to another model
            cached = self._from_snapshot(connection, dim=dim)
        index, generation = cached or (VectorIndex(dim=dim), -1)
        if generation != meta.generation:
            index = self._caught_up(connection, index)
        self._cached = index, meta.generation
        return index

    def nearest(
        self,
        connection: Connection,
        query: Vectors,
        *,
        meta: Meta,
        limit: int,
        among: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.int64], Vectors]:
        """Ids (N,) and cosines (N,) of the clips nearest to a query (D,); see VectorIndex.

        Raises:
            CatalogDamagedError: a stored vector has the wrong length.
        """
        index = self.synchronised(connection, meta=meta, dim=len(query))
        stored = partial(stored_vectors, connection, dim=len(query), address=self._database.address)
        return index.nearest(query, limit=limit, stored=stored, among=among)

    def save(self, connection: Connection, *, meta: Meta, dim: int) -> SnapshotHeader:
        """Write the snapshot of the state that the transaction sees."""
        index = self.synchronised(connection, meta=meta, dim=dim)
        return write_snapshot(
            self._database.folder,
            uuid=self._database.state_uuid(connection, meta.generation) or meta.catalog_uuid,
            generation=meta.generation,
            parts=index.to_parts(),
        )

    def _from_snapshot(self, connection: Connection, *, dim: int) -> tuple[VectorIndex, int] | None:
        found = read_snapshot(
            self._database.folder,
            is_known=lambda header: self._database.knows_snapshot(connection, **asdict(header)),
        )
        if found is None:
            return None
        header, body = found
        try:
            return VectorIndex.from_bytes(body, dim=dim), header.generation
        except ValueError:
            return None  # intact, but written by a FAISS that this one cannot read

    def _caught_up(self, connection: Connection, index: VectorIndex) -> VectorIndex:
        """The index with new clips and without removed ones: ids only grow, and never return."""
        self._add_above(connection, index, newest=index.newest)
        clips = connection.scalar(select(func.count()).select_from(CLIPS)) or 0
        if len(index) != clips:
            present = np.fromiter(connection.scalars(select(CLIPS.c.id)), dtype=np.int64)
            index.remove(np.setdiff1d(index.ids, present))
        if len(index) != clips or index.is_needlessly_quantised:  # or it lacks an old clip
            index = VectorIndex(dim=index.dim)
            self._add_above(connection, index, newest=0)
        return index

    def _add_above(self, connection: Connection, index: VectorIndex, *, newest: int) -> None:
        parts = vectors_above(connection, newest, dim=index.dim, address=self._database.address)
        for ids, vectors in parts:
            index.add(ids, vectors)
