"""The vector index of an open catalog, kept in step with what SQLite says."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from catalog.database.tables import CLIPS
from catalog.store.meta import Meta
from catalog.vectors.index import VectorIndex
from catalog.vectors.snapshot import Label, read_snapshot, write_snapshot
from catalog.vectors.stored import stored_vectors, unpacked

Vectors = NDArray[np.float32]

_ROWS_AT_A_TIME = 32_768


class ClipIndex:
    """Loads the snapshot, catches up by ids, or rebuilds. One thread at a time: the owner locks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[VectorIndex, int] | None = None

    def in_step(self, connection: Connection, *, meta: Meta, dimension: int) -> VectorIndex:
        """The index exactly as the connection's transaction sees the clips.

        Raises:
            CatalogDamagedError: a stored vector has the wrong length.
        """
        held, self._held = self._held, None  # until it is right again
        if held is None or held[0].dimension != dimension:  # emptied, and bound to another model
            held = self._from_snapshot(meta, dimension=dimension)
        index, generation = held if held else (VectorIndex(dimension=dimension), -1)
        if generation != meta.generation:
            index = self._caught_up(connection, index)
        self._held = index, meta.generation
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
        """The ids and cosines of the clips that are nearest to (D,); see VectorIndex.

        Raises:
            CatalogDamagedError: a stored vector has the wrong length.
        """
        dimension = len(query)
        index = self.in_step(connection, meta=meta, dimension=dimension)
        stored = partial(stored_vectors, connection, dimension=dimension, folder=self._folder)
        return index.nearest(query, limit=limit, stored=stored, among=among)

    def save(self, connection: Connection, *, meta: Meta, dimension: int) -> Label:
        """Write the snapshot of this state."""
        index = self.in_step(connection, meta=meta, dimension=dimension)
        return write_snapshot(
            self._folder,
            catalog_uuid=meta.catalog_uuid,
            generation=meta.generation,
            parts=index.to_parts(),
        )

    def _from_snapshot(self, meta: Meta, *, dimension: int) -> tuple[VectorIndex, int] | None:
        if meta.snapshot_digest is None:
            return None
        found = read_snapshot(self._folder, expected_digest=meta.snapshot_digest)
        if found is None or found[0].catalog_uuid != meta.catalog_uuid:
            return None
        label, body = found
        try:
            return VectorIndex.from_bytes(body, dimension=dimension), label.generation
        except ValueError:
            return None  # whole, but written by a FAISS that this one cannot read

    def _caught_up(self, connection: Connection, index: VectorIndex) -> VectorIndex:
        """Ids only grow and never return: what is new is above the newest, the rest can only go."""
        self._add_above(connection, index, newest=index.newest)
        clips = connection.scalar(select(func.count()).select_from(CLIPS)) or 0
        if len(index) != clips:
            present = np.fromiter(connection.scalars(select(CLIPS.c.id)), dtype=np.int64)
            index.remove(np.setdiff1d(index.ids, present))
        if len(index) != clips or index.is_too_short:  # or it lacks an old clip: not ours
            index = VectorIndex(dimension=index.dimension)
            self._add_above(connection, index, newest=0)
        return index

    def _add_above(self, connection: Connection, index: VectorIndex, *, newest: int) -> None:
        rows = connection.execute(
            select(CLIPS.c.id, CLIPS.c.vector).where(CLIPS.c.id > newest).order_by(CLIPS.c.id),
            execution_options={"yield_per": _ROWS_AT_A_TIME},
        )
        for some in rows.partitions():
            ids = np.array([row.id for row in some], dtype=np.int64)
            blobs = [row.vector for row in some]
            index.add(ids, unpacked(blobs, dimension=index.dimension, folder=self._folder))
