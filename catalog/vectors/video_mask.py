"""The ids of all clips of videos that meet a filter, cached per generation of the catalog."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from catalog.database.database import CueIndex
from catalog.database.tables import CLIPS, FILES, VIDEOS
from catalog.said.near import clip_ids_near
from catalog.store.roots import joined, roots_by_id
from catalog.store.tags import known_names, stretches
from catalog.vectors.spans import clip_ids_in
from catalog.video_filter import VideoFilter

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Videos:
    """What filters ask of V videos: columns (V,), with NaN and "" where something is unknown."""

    ids: NDArray[np.int64]
    duration: NDArray[np.float64]
    width: NDArray[np.int64]
    height: NDArray[np.int64]
    captured: NDArray[np.float64]
    cameras: tuple[str, ...]


class VideoMask:
    """The files and clip ids of one generation. Not safe for several threads: the owner locks."""

    def __init__(self, cues: CueIndex) -> None:
        self._cues = cues
        self._generation: int | None = None
        self._pathnames: list[str] = []
        self._held = np.empty(0, np.int64)  # (F,) video ids of the paths
        self._runs = np.empty((3, 0), np.int64)  # (3, R): video id, first and last clip id
        self._videos: _Videos | None = None

    def clip_ids(
        self, connection: Connection, videos: VideoFilter, *, generation: int
    ) -> NDArray[np.int64]:
        """Ids (N,) int64 of all clips that meet the filter, in no certain order.

        For `generation` see `video_ids`.

        Raises:
            InvalidGlobError: no path can match one of the globs.
            UnknownTagError: nothing has one of the tags.
            InvalidWordsError: there are no words in what is said, or too many.
        """
        chosen = self.video_ids(connection, videos, generation=generation)
        of_video, first, last = self._runs
        run = np.isin(of_video, chosen)
        ids = _tagged(connection, _ranges(first[run], last[run]), videos)
        if videos.said is not None:
            ids = np.intersect1d(
                ids, clip_ids_near(connection, self._cues, videos.said), assume_unique=True
            )
        return ids

    def video_ids(
        self, connection: Connection, videos: VideoFilter, *, generation: int
    ) -> NDArray[np.int64]:
        """Ids (V,) int64 of the videos that meet the filter, apart from tags and what is said.

        `generation` is the catalog's, as the connection's transaction sees it.

        Raises:
            InvalidGlobError: no path can match one of the globs.
        """
        if generation != self._generation or self._videos is None:
            self._generation = None  # until all is read
            self._pathnames, self._held, file_times = _files(connection)
            self._videos = _videos(connection, held=self._held, file_times=file_times)
            self._runs = _runs(connection)
            self._generation = generation
        chosen = self._videos.ids[_meets(self._videos, videos)]
        if videos.inside or videos.outside:
            fits = np.fromiter(map(videos.pathname_matcher(), self._pathnames), np.bool_)
            chosen = np.intersect1d(chosen, self._held[fits])
        return chosen


def _tagged(
    connection: Connection, ids: NDArray[np.int64], wanted: VideoFilter
) -> NDArray[np.int64]:
    """Those of the clips (N,) that meet the conditions on tags."""
    if wanted.tags:
        names = known_names(connection, wanted.tags)
        ids = np.intersect1d(ids, clip_ids_in(connection, stretches(names)), assume_unique=True)
    if wanted.without_tags:
        names = known_names(connection, wanted.without_tags)
        ids = np.setdiff1d(ids, clip_ids_in(connection, stretches(names)), assume_unique=True)
    return ids


def _meets(videos: _Videos, wanted: VideoFilter) -> Mask:
    """A mask (V,): the conditions but those on paths. What is unknown meets no condition."""
    fits = np.ones(len(videos.ids), np.bool_)
    if wanted.after is not None:
        fits &= videos.captured >= wanted.after
    if wanted.before is not None:
        fits &= videos.captured < wanted.before
    if wanted.min_duration is not None:
        fits &= videos.duration >= wanted.min_duration
    if wanted.max_duration is not None:
        fits &= videos.duration <= wanted.max_duration
    if wanted.min_height is not None:
        fits &= videos.height >= wanted.min_height
    if wanted.orientation is not None:
        sign = {"portrait": -1, "square": 0, "landscape": 1}[wanted.orientation]
        fits &= np.sign(videos.width - videos.height) == sign
    if wanted.camera is not None:
        named = wanted.camera.casefold()
        fits &= np.fromiter((named in camera for camera in videos.cameras), np.bool_)
    return fits


def _files(connection: Connection) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
    """All paths of files with videos, the ids (F,) of their videos, and their times (F,)."""
    above = {root_id: joined(root, "") for root_id, root in roots_by_id(connection).items()}
    query = select(
        FILES.c.root_id, FILES.c.relative_path, FILES.c.video_id, FILES.c.mtime_ns
    ).where(FILES.c.video_id.is_not(None))
    rows = connection.execute(query).all()
    pathnames = [above[root_id] + relative for root_id, relative, *_ in rows]
    held = np.array([video_id for *_, video_id, _ in rows], dtype=np.int64)
    return pathnames, held, np.array([time_ns / 1e9 for *_, time_ns in rows], dtype=np.float64)


def _videos(
    connection: Connection, *, held: NDArray[np.int64], file_times: NDArray[np.float64]
) -> _Videos:
    """The columns of all videos; a capture time that is unknown is the oldest time of a file."""
    columns = (
        VIDEOS.c.id,
        VIDEOS.c.duration,
        VIDEOS.c.width,
        VIDEOS.c.height,
        VIDEOS.c.captured,
        VIDEOS.c.camera,
    )
    rows = connection.execute(select(*columns).order_by(VIDEOS.c.id)).all()
    ids, duration, width, height, captured, cameras = zip(*rows, strict=True) if rows else [()] * 6
    found = np.array(ids, np.int64)
    of_files = np.full(len(found), np.inf)
    np.minimum.at(of_files, np.searchsorted(found, held), file_times)
    recorded = np.array([np.nan if time is None else time for time in captured], np.float64)
    return _Videos(
        ids=found,
        duration=np.array(duration, np.float64),
        width=np.array(width, np.int64),
        height=np.array(height, np.int64),
        captured=np.where(np.isnan(recorded), of_files, recorded),
        cameras=tuple((camera or "").casefold() for camera in cameras),
    )


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
