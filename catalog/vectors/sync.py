"""The vector index of an open catalog, kept in step with what SQLite says."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.database.columns import unpack_vectors
from catalog.database.tables import Clip, Meta
from catalog.errors import CatalogDamagedError
from catalog.store.files import in_batches
from catalog.vectors.index import VectorIndex
from catalog.vectors.snapshot import Label, read_snapshot, write_snapshot

Vectors = NDArray[np.float32]

_ROWS_AT_A_TIME = 32_768


class ClipIndex:
    """Loads the snapshot, catches up by ids, or rebuilds. One thread at a time: the owner locks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[VectorIndex, int] | None = None

    def in_step(self, session: Session, *, meta: Meta, dimension: int) -> VectorIndex:
        """The index exactly as the session's transaction sees the clips.

        Raises:
            CatalogDamagedError: a stored vector has the wrong length.
        """
        held, self._held = self._held, None  # until it is right again
        if held is None or held[0].dimension != dimension:  # emptied, and bound to another model
            held = self._from_snapshot(meta, dimension=dimension)
        index, generation = held if held else (VectorIndex(dimension=dimension), -1)
        if generation != meta.generation:
            index = self._caught_up(session, index)
        self._held = index, meta.generation
        return index

    def nearest(
        self,
        session: Session,
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
        index = self.in_step(session, meta=meta, dimension=dimension)
        stored = partial(self._stored, session, dimension=dimension)
        return index.nearest(query, limit=limit, stored=stored, among=among)

    def save(self, session: Session, *, meta: Meta, dimension: int) -> Label:
        """Write the snapshot of this state."""
        index = self.in_step(session, meta=meta, dimension=dimension)
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

    def _caught_up(self, session: Session, index: VectorIndex) -> VectorIndex:
        """Ids only grow and never return: what is new is above the newest, the rest can only go."""
        self._add_above(session, index, newest=index.newest)
        clips = session.scalar(select(func.count()).select_from(Clip)) or 0
        if len(index) != clips:
            present = np.fromiter(session.scalars(select(Clip.id)), dtype=np.int64)
            index.remove(np.setdiff1d(index.ids, present))
        if len(index) != clips or index.is_too_short:  # or it lacks an old clip: not ours
            index = VectorIndex(dimension=index.dimension)
            self._add_above(session, index, newest=0)
        return index

    def _add_above(self, session: Session, index: VectorIndex, *, newest: int) -> None:
        rows = session.execute(
            select(Clip.id, Clip.vector).where(Clip.id > newest).order_by(Clip.id),
            execution_options={"yield_per": _ROWS_AT_A_TIME},
        )
        for some in rows.partitions():
            ids = np.array([row.id for row in some], dtype=np.int64)
            index.add(ids, self._unpacked([row.vector for row in some], dimension=index.dimension))

    def _stored(self, session: Session, ids: NDArray[np.int64], *, dimension: int) -> Vectors:
        """The stored vectors (N, D) under N ascending ids."""
        query = select(Clip.vector).order_by(Clip.id)
        blobs: list[bytes] = []
        for some in in_batches(ids.tolist()):
            blobs.extend(session.scalars(query.where(Clip.id.in_(some))))
        return self._unpacked(blobs, dimension=dimension)

    def _unpacked(self, blobs: Sequence[bytes], *, dimension: int) -> Vectors:
        try:
            return unpack_vectors(blobs, dimension=dimension)
        except ValueError as error:
            raise CatalogDamagedError(
                f"the catalog in {self._folder} is damaged: {error}; `vsearch verify --repair` gets"
                " back all that is sound, and tells what has to be indexed again"
            ) from error
