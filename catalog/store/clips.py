"""Videos and clips: inserted together, and joined again for an answer."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from catalog.database.database import insert_row
from catalog.database.tables import CLIPS, FILES, ROOTS, VIDEOS
from catalog.errors import CatalogDamagedError, verify_command
from catalog.records import FILE_TIME, ClipMatch, ClipSpan, FileLocation, SampleMatch, VideoRecord
from catalog.store.files import delete_orphan_videos, in_batches
from catalog.store.roots import joined, roots_by_id
from catalog.video_filter import VideoFilter

# One statement, made once: for a few dozen clips SQLAlchemy takes longer than SQLite.
_CLIPS_AND_FILES = (
    select(
        CLIPS.c.id,
        CLIPS.c.video_id,
        CLIPS.c.start,
        CLIPS.c.end,
        VIDEOS.c.duration,
        VIDEOS.c.captured,
        VIDEOS.c.captured_from,
        ROOTS.c.path,
        FILES.c.relative_path,
        FILES.c.mtime_ns,
    )
    .join(VIDEOS, CLIPS.c.video_id == VIDEOS.c.id)
    .join(FILES, FILES.c.video_id == VIDEOS.c.id)
    .join(ROOTS, FILES.c.root_id == ROOTS.c.id)
    .where(CLIPS.c.id.in_(bindparam("ids", expanding=True)))
)


def video_id_of(connection: Connection, fingerprint: str) -> int | None:
    """The id of the video with this content."""
    return connection.scalar(select(VIDEOS.c.id).where(VIDEOS.c.fingerprint == fingerprint))


def any_video(connection: Connection) -> bool:
    """Whether there is a video at all."""
    return connection.scalar(select(VIDEOS.c.id).limit(1)) is not None


def sample_matches(connection: Connection, sample: str) -> tuple[SampleMatch, ...]:
    """The videos with this sample, oldest first, and the files that hold them."""
    alike = or_(VIDEOS.c.sample == sample, VIDEOS.c.fingerprint == sample)
    videos = connection.execute(select(VIDEOS).where(alike).order_by(VIDEOS.c.id)).all()
    roots = roots_by_id(connection) if videos else {}
    held_by: dict[int, list[FileLocation]] = {video.id: [] for video in videos}
    files = select(FILES).where(FILES.c.video_id.in_(held_by)).order_by(FILES.c.id)
    for row in connection.execute(files):
        root = roots[row.root_id]
        path = Path(joined(root, row.relative_path))
        held_by[row.video_id].append(FileLocation(Path(root), path, row.size, row.mtime_ns))
    return tuple(
        SampleMatch(
            video.id,
            None if video.sample is None else video.fingerprint,
            video.damage is None,
            tuple(held_by[video.id]),
        )
        for video in videos
    )


def set_fingerprint(
    connection: Connection, video_id: int, *, fingerprint: str, sample: str
) -> None:
    """Set the fingerprint of a video; its files go over to a video that has it already."""
    same = video_id_of(connection, fingerprint)
    if same not in (None, video_id):
        files = update(FILES).where(FILES.c.video_id == video_id)
        connection.execute(files.values(video_id=same))
        delete_orphan_videos(connection, [video_id])
        return
    video = update(VIDEOS).where(VIDEOS.c.id == video_id)
    connection.execute(video.values(fingerprint=fingerprint, sample=sample))


def unknown_ids(connection: Connection, video_ids: Collection[int]) -> set[int]:
    """Those of these ids that no video has."""
    found: set[int] = set()
    for some in in_batches(sorted(video_ids)):
        found.update(connection.scalars(select(VIDEOS.c.id).where(VIDEOS.c.id.in_(some))))
    return set(video_ids) - found


def insert_video(
    connection: Connection, video: VideoRecord, *, clips: Sequence[ClipSpan], blobs: Sequence[bytes]
) -> int:
    """Insert a video and its clips with their stored vectors; the video's id."""
    video_id = insert_row(connection, VIDEOS, asdict(video))
    values = [
        {"video_id": video_id, "start": span.start, "end": span.end, "vector": blob}
        for span, blob in zip(clips, blobs, strict=True)
    ]
    connection.execute(insert(CLIPS), values)
    return video_id


def clip_matches(
    connection: Connection,
    ids: NDArray[np.int64],
    scores: NDArray[np.float32],
    *,
    videos: VideoFilter,
    folder: Path,
) -> list[ClipMatch]:
    """The clips of ids (N,) with their scores (N,), in the same order.

    Raises:
        CatalogDamagedError: no file holds the video of a clip.
    """
    spans: dict[int, tuple[int, float, float, float]] = {}
    files: dict[int, set[str]] = {}
    captures: dict[int, tuple[float, str]] = {}
    for some in in_batches(ids.tolist()):
        rows = connection.execute(_CLIPS_AND_FILES, {"ids": some}).all()
        for clip_id, video_id, start, end, duration, time, source, root, relative, time_ns in rows:
            spans[clip_id] = video_id, start, end, duration
            files.setdefault(video_id, set()).add(joined(root, relative))
            of_file = time_ns / 1e9, FILE_TIME
            known = captures.get(video_id, of_file)
            captures[video_id] = min(known, of_file) if time is None else (time, source)
    fits = videos.pathname_matcher()
    paths = {video_id: _paths(names, fits) for video_id, names in files.items()}
    found = []
    for clip_id, score in zip(ids.tolist(), scores.tolist(), strict=True):
        if clip_id not in spans:
            raise CatalogDamagedError(
                f"the catalog in {folder} is damaged: no file holds the video of clip {clip_id};"
                f" {verify_command(folder, '--repair')} removes it"
            )
        video_id, start, end, duration = spans[clip_id]
        found.append(
            ClipMatch(
                clip_id,
                video_id,
                score,
                start,
                end,
                duration,
                *paths[video_id],
                *captures[video_id],
            )
        )
    return found


def _paths(
    names: Collection[str], fits: Callable[[str], bool]
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The paths that meet the filter, and the others; each in alphabetical order."""
    paths = sorted(map(Path, names))
    if len(paths) == 1:
        return tuple(paths), ()
    fitting = tuple(path for path in paths if fits(path.as_posix()))
    return fitting, tuple(path for path in paths if path not in fitting)
