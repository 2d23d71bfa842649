"""The vector index of one catalog, as its questions and its snapshot use it."""

from contextlib import ExitStack
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from catalog.database.columns import require_unit_vectors
from catalog.database.database import Database
from catalog.database.meta import read_meta
from catalog.records import ClipMatch
from catalog.store.clips import any_video, clip_matches
from catalog.vectors.snapshot import read_header, remove_snapshot
from catalog.vectors.stored import nearest_of_few
from catalog.vectors.video_mask import VideoMask
from catalog.video_filter import VideoFilter

if TYPE_CHECKING:
    from catalog.vectors.sync import ClipIndex


class VectorView:
    """The vector index of one catalog, loaded when it is needed first. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._mask = VideoMask(database.cues)
        self._clip_index: ClipIndex | None = None
        self._asked = False

    def nearest_clips(
        self, vector: NDArray[np.float32], *, limit: int, videos: VideoFilter
    ) -> list[ClipMatch]:
        """See `Catalog.nearest_clips`; `vector` is (D,) float32."""
        if limit < 1:
            raise ValueError(f"limit is {limit}, it must be at least 1")
        with ExitStack() as reading:
            # The lock orders the transactions: none sees an earlier state than the one before it.
            with self._lock:
                connection = reading.enter_context(self._database.reading())
                ids, scores = self._scanned(connection, vector, limit=limit, videos=videos)
            return clip_matches(
                connection, ids, scores, videos=videos, address=self._database.address
            )

    def _scanned(
        self,
        connection: Connection,
        vector: NDArray[np.float32],
        *,
        limit: int,
        videos: VideoFilter,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids (N,) and cosines (N,) of the nearest clips; without clips FAISS is not imported."""
        nothing = np.empty(0, np.int64), np.empty(0, np.float32)
        meta = read_meta(connection)
        if meta.provenance is None:
            return nothing
        query = require_unit_vectors(vector, shape=(meta.provenance.dim,))
        among = None
        if videos:
            among = self._mask.clip_ids(connection, videos, generation=meta.generation)
        if not (any_video(connection) if among is None else len(among)):
            return nothing
        first, self._asked = not self._asked and self._clip_index is None, True
        address = self._database.address
        if first and (
            found := nearest_of_few(connection, query, limit=limit, among=among, address=address)
        ):
            return found
        return self._opened_index().nearest(connection, query, meta=meta, limit=limit, among=among)

    def video_ids(self, connection: Connection, videos: VideoFilter) -> frozenset[int] | None:
        """The ids of the videos that meet the filter; None for all."""
        if not videos:
            return None
        generation = read_meta(connection).generation
        with self._lock:
            return frozenset(
                self._mask.video_ids(connection, videos, generation=generation).tolist()
            )

    def save(self) -> None:
        """See `Catalog.save_snapshot`."""
        with self._lock:
            with self._database.reading() as connection:
                meta = read_meta(connection)
                if meta.provenance is None:
                    remove_snapshot(self._database.folder)  # of vectors that were removed
                    return
                if self._is_saved(connection, generation=meta.generation):
                    return
                dim = meta.provenance.dim
                header = self._opened_index().save(connection, meta=meta, dim=dim)
            self._database.note_snapshot(header.digest)

    def _is_saved(self, connection: Connection, *, generation: int) -> bool:
        """Whether the snapshot on disk is of this generation."""
        header = read_header(self._database.folder)
        return (
            header is not None
            and header.generation == generation
            and self._database.knows_snapshot(connection, **asdict(header))
        )

    def _opened_index(self) -> "ClipIndex":
        if self._clip_index is None:
            from catalog.vectors.sync import ClipIndex  # FAISS takes a while to import

            self._clip_index = ClipIndex(self._database)
        return self._clip_index
