"""The ids of all clips whose files match a path glob, cached per generation of the catalog."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from catalog.database.tables import CLIPS, FILES, VIDEOS
from catalog.globs import pathname_matcher
from catalog.store.roots import joined, roots_by_id


class PathFilter:
    """The files and clip ids of one generation. Not safe for several threads: the owner locks."""

    def __init__(self) -> None:
        self._generation: int | None = None
        self._pathnames: list[str] = []
        self._videos = np.empty(0, np.int64)  # (F,) video ids of the paths
        self._runs = np.empty((3, 0), np.int64)  # (3, R): video id, first and last clip id

    def clip_ids(
        self, connection: Connection, path_glob: str, *, generation: int
    ) -> NDArray[np.int64]:
        """Ids (N,) int64 of all clips of the videos in files that match the glob.

        `generation` is the catalog's, as the connection's transaction sees it.
        """
        if generation != self._generation:
            self._generation = None  # until all is read
            self._pathnames, self._videos = _files(connection)
            self._runs = _runs(connection)
            self._generation = generation
        fits = np.fromiter(map(pathname_matcher(path_glob), self._pathnames), np.bool_)
        videos, first, last = self._runs
        chosen = np.isin(videos, self._videos[fits])
        return _ranges(first[chosen], last[chosen])


def _files(connection: Connection) -> tuple[list[str], NDArray[np.int64]]:
    """All paths of files with videos, and the ids (F,) of their videos."""
    above = {root_id: joined(root, "") for root_id, root in roots_by_id(connection).items()}
    query = select(FILES.c.root_id, FILES.c.relative_path, FILES.c.video_id).where(
        FILES.c.video_id.is_not(None)
    )
    rows = connection.execute(query).all()
    pathnames = [above[root_id] + relative for root_id, relative, _ in rows]
    return pathnames, np.array([video_id for *_, video_id in rows], dtype=np.int64)


def _runs(connection: Connection) -> NDArray[np.int64]:
    """Runs (3, R) of consecutive clip ids in one video: video id, first and last clip id."""
    # The clips of a video are inserted together: nearly always its first and last id are enough.
    of_video = CLIPS.c.video_id == VIDEOS.c.id
    ends = [
        select(end).where(of_video).scalar_subquery()
        for end in (func.min(CLIPS.c.id), func.max(CLIPS.c.id))
    ]
    rows = connection.execute(select(VIDEOS.c.id, *ends)).all()
    runs = np.array([row for row in rows if row[1] is not None], dtype=np.int64).reshape(-1, 3).T
    clips = connection.scalar(select(func.count()).select_from(CLIPS)) or 0
    if int((runs[2] - runs[1] + 1).sum()) == clips:
        return runs
    rows = connection.execute(select(CLIPS.c.video_id, CLIPS.c.id).order_by(CLIPS.c.id)).all()
    video, clip = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    begins = np.flatnonzero((np.diff(video, prepend=-1) != 0) | (np.diff(clip, prepend=-1) != 1))
    ends_at = np.append(begins[1:], len(clip)) - 1
    return np.array([video[begins], clip[begins], clip[ends_at]], dtype=np.int64)


def _ranges(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """All numbers (N,) of the ranges from `first` (R,) to `last` (R,), both included."""
    lengths = last - first + 1
    before = np.cumsum(lengths) - lengths
    found: NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(first - before, lengths)
    return found
