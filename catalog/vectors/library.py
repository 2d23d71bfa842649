"""The vectors of all clips and frames at one generation, for what is computed from them."""

import math
from collections.abc import Collection, Iterator
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from catalog.database.database import Database
from catalog.database.meta import read_meta
from catalog.database.tables import CLIPS, TAGS, VIDEOS
from catalog.errors import damaged_vectors
from catalog.frame_vectors import FrameVectors
from catalog.records import Background, ClipMatch
from catalog.store.background import read_background
from catalog.store.clips import clip_matches
from catalog.store.files import in_batches
from catalog.store.frames import read_frames, without_frames
from catalog.store.tags import known_names, stretches
from catalog.vectors.stored import Vectors, stored_vectors, unpacked, vectors_above
from catalog.vectors.video_mask import VideoMask
from catalog.video_filter import VideoFilter


class LibraryVectors:
    """The vectors of all clips and frames, as one transaction sees them.

    Attributes:
        generation: the catalog's.
        dim: length of a vector, D.
    """

    def __init__(
        self, connection: Connection, database: Database, *, generation: int, dim: int
    ) -> None:
        self.generation = generation
        self.dim = dim
        self._connection = connection
        self._cues = database.cues
        self._address = database.address

    @classmethod
    def seen_by(cls, connection: Connection, database: Database) -> Self | None:
        """The vectors that the connection's transaction sees; None without a provenance."""
        meta = read_meta(connection)
        if meta.provenance is None:
            return None
        generation, dim = meta.generation, meta.provenance.dim
        return cls(connection, database, generation=generation, dim=dim)

    def background(self) -> Background | None:
        """The background that was kept last, of this generation or an earlier one."""
        return read_background(self._connection, dim=self.dim)

    def count(self, *, up_to: int | None = None) -> int:
        """The number of clips, or of those with ids up to `up_to`."""
        query = select(func.count()).select_from(CLIPS)
        if up_to is not None:
            query = query.where(CLIPS.c.id <= up_to)
        return self._connection.scalar(query) or 0

    def count_videos(self) -> int:
        """The number of videos."""
        return self._connection.scalar(select(func.count()).select_from(VIDEOS)) or 0

    def newest(self) -> int:
        """The highest id; 0 without clips."""
        return self._connection.scalar(select(func.max(CLIPS.c.id))) or 0

    def clip_ids(self, videos: VideoFilter) -> NDArray[np.int64]:
        """The ids (N,), ascending, of all clips that meet a filter.

        Raises:
            InvalidGlobError: no path can match a glob of the filter.
            UnknownTagError: nothing has one of its tags.
        """
        return np.sort(
            VideoMask(self._cues).clip_ids(self._connection, videos, generation=self.generation)
        )

    def tagged(
        self, names: Collection[str], video_ids: Collection[int]
    ) -> Iterator[tuple[int, float, float]]:
        """The stretches of these videos that have a tag: ids of the videos, starts and ends.

        Raises:
            UnknownTagError: nothing has one of the names.
        """
        if names:
            wanted = stretches(known_names(self._connection, names))
            for some in in_batches([*video_ids]):
                its = wanted.where(TAGS.c.video_id.in_(some))
                yield from map(tuple, self._connection.execute(its))

    def matches(self, ids: NDArray[np.int64], *, videos: VideoFilter) -> list[ClipMatch]:
        """The clips of these ids (N,), in the same order, with a score of 0.

        Of their files, those that do not meet the filter are `other_paths`.
        """
        scores = np.zeros(len(ids), np.float32)
        return clip_matches(self._connection, ids, scores, videos=videos, address=self._address)

    def holds(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A mask (N,) of those of these ids (N,) that a clip has."""
        found: list[int] = []
        for some in in_batches(np.unique(ids).tolist()):
            found += self._connection.scalars(select(CLIPS.c.id).where(CLIPS.c.id.in_(some)))
        return np.isin(ids, np.array(found, dtype=np.int64))

    def sample(self, size: int, *, seed: int) -> Vectors:
        """The vectors (N, D) of random clips, in random order; of all if there are fewer.

        The same videos give the same clips, in whatever order they were indexed: these are drawn
        from an order by content, not by id.
        """
        rows = self._connection.execute(select(VIDEOS.c.id, VIDEOS.c.fingerprint, VIDEOS.c.sample))
        videos = sorted(rows, key=lambda row: (row.sample or row.fingerprint, row.fingerprint))
        place = {video.id: place for place, video in enumerate(videos)}
        clips = self._connection.execute(select(CLIPS.c.id, CLIPS.c.video_id)).all()
        ids = np.array([clip.id for clip in clips], np.int64)
        places = np.array([place[clip.video_id] for clip in clips], np.int64)
        ids = ids[np.lexsort((ids, places))]
        return self.of(np.random.default_rng(seed).permutation(ids)[:size])

    def of(self, ids: NDArray[np.int64]) -> Vectors:
        """The vectors (N, D) of clips with these ids (N,); 0 for one that was just removed."""
        return stored_vectors(self._connection, ids, dim=self.dim, address=self._address)

    def clips_of(
        self, video_id: int, *, start: float = 0.0, end: float = math.inf
    ) -> tuple[NDArray[np.float64], Vectors]:
        """Starts and ends (N, 2), in seconds, of the clips of a video, and their vectors (N, D).

        Of those that lie, in part or whole, between `start` and `end`; in order of time.
        """
        query = select(CLIPS.c.start, CLIPS.c.end, CLIPS.c.vector).order_by(CLIPS.c.start)
        query = query.where(CLIPS.c.video_id == video_id, CLIPS.c.start <= end)
        rows = self._connection.execute(query.where(CLIPS.c.end >= start)).all()
        spans = np.array([(row.start, row.end) for row in rows], np.float64).reshape(-1, 2)
        return spans, unpacked([row.vector for row in rows], dim=self.dim, address=self._address)

    def frames_of(
        self, video_id: int, *, start: float = 0.0, end: float = math.inf
    ) -> FrameVectors:
        """The frames of a video from `start` to `end` seconds; none of a video that has none.

        Raises:
            CatalogDamagedError: what is stored makes no vectors of this length.
        """
        parts = self._frame_parts(video_id, start=start, end=end)
        return FrameVectors.joined(parts, dim=self.dim)

    def frame_products(
        self, video_id: int, vector: Vectors, *, start: float, end: float
    ) -> tuple[NDArray[np.float64], Vectors]:
        """Times (F,) of the frames of a video, and the products (F,) of theirs with `vector` (D,).

        As `frames_of`, without a copy of the vectors.
        """
        parts = self._frame_parts(video_id, start=start, end=end)
        if len(parts) == 1:
            return parts[0].times, parts[0].products(vector)
        times = np.concatenate([np.empty(0), *(part.times for part in parts)])
        products = [np.empty(0, np.float32), *(part.products(vector) for part in parts)]
        order = np.argsort(times, kind="stable")
        return times[order], np.concatenate(products)[order]

    def _frame_parts(self, video_id: int, *, start: float, end: float) -> list[FrameVectors]:
        try:
            return read_frames(self._connection, video_id, dim=self.dim, start=start, end=end)
        except ValueError as error:
            raise damaged_vectors(self._address, error) from error

    def videos_without_frames(self) -> frozenset[int]:
        """The ids of the videos that have no frame vectors."""
        return without_frames(self._connection)

    def above(self, newest: int) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Ids (N,) and vectors (N, D) of the clips with ids above `newest`, part by part."""
        return vectors_above(self._connection, newest, dim=self.dim, address=self._address)
