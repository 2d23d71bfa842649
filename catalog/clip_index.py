"""The vector index of an open catalog, kept in step with what SQLite says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.columns import unpack_vectors
from catalog.errors import CatalogDamagedError
from catalog.snapshot import Label, read_snapshot, write_snapshot
from catalog.tables import Clip, Meta
from catalog.vectors import VectorIndex

_ROWS_AT_A_TIME = 10_000


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
        held = self._held or self._from_snapshot(meta, dimension=dimension)
        self._held = None  # until it is right again
        index, generation = held if held else (VectorIndex(dimension=dimension), -1)
        if generation != meta.generation:
            index = self._caught_up(session, index)
        self._held = index, meta.generation
        return index

    def save(self, session: Session, *, meta: Meta, dimension: int) -> Label:
        """Write the snapshot of this state."""
        index = self.in_step(session, meta=meta, dimension=dimension)
        return write_snapshot(
            self._folder,
            catalog_uuid=meta.catalog_uuid,
            generation=meta.generation,
            body=index.to_bytes(),
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
        self._add_above(session, index, newest=int(index.ids.max(initial=0)))
        clips = session.scalar(select(func.count()).select_from(Clip)) or 0
        if len(index) != clips:
            present = np.fromiter(session.scalars(select(Clip.id)), dtype=np.int64)
            index.remove(np.setdiff1d(index.ids, present))
        if len(index) != clips:  # it lacks an old clip: not what this catalog ever was
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
            index.add(ids, self._vectors([row.vector for row in some], dimension=index.dimension))

    def _vectors(self, blobs: Sequence[bytes], *, dimension: int) -> NDArray[np.float32]:
        try:
            return unpack_vectors(blobs, dimension=dimension)
        except ValueError as error:
            raise CatalogDamagedError(
                f"the catalog in {self._folder} is damaged: {error}; `vsearch verify --repair` gets"
                " back all that is sound, and tells what has to be indexed again"
            ) from error
