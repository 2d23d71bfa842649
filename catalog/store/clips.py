"""Videos and clips: inserted together, and joined again for an answer."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from catalog.address import Address
from catalog.database.columns import pack_vectors, require_unit_vectors
from catalog.database.database import insert_row
from catalog.database.meta import read_meta
from catalog.database.tables import CLIPS, FILES, ROOTS, VIDEOS
from catalog.errors import CatalogDamagedError, CatalogError, verify_command
from catalog.records import FILE_TIME, ClipMatch, ClipSpan, FileLocation, SampleMatch, VideoRecord
from catalog.store.files import delete_orphan_videos, in_batches
from catalog.store.roots import joined, roots_by_id
from catalog.store.subtitles import set_tracks
from catalog.video_filter import VideoFilter

PLACE_COLUMNS = (
    VIDEOS.c.id.label("video_id"),
    VIDEOS.c.duration,
    VIDEOS.c.captured,
    VIDEOS.c.captured_from,
    ROOTS.c.path,
    FILES.c.relative_path,
    FILES.c.mtime_ns,
)
# One statement, made once: for a few dozen clips SQLAlchemy takes longer than SQLite.
_CLIPS_AND_FILES = (
    select(CLIPS.c.id, CLIPS.c.start, CLIPS.c.end, *PLACE_COLUMNS)
    .select_from(CLIPS)
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


def packed(
    connection: Connection, vectors: NDArray[np.float32], *, address: Address
) -> list[bytes]:
    """The stored form of (N, D) float32 unit vectors for the catalog at `address`, checked.

    Raises:
        InvalidVectorError: wrong shape, not finite, not of unit length.
        CatalogError: the catalog is not bound yet.
    """
    made_by = read_meta(connection).provenance
    if made_by is None:
        raise CatalogError(f"the catalog in {address} is not bound to a model yet")
    return pack_vectors(require_unit_vectors(vectors, shape=(len(vectors), made_by.dim)))


def insert_video(
    connection: Connection, video: VideoRecord, *, clips: Sequence[ClipSpan], blobs: Sequence[bytes]
) -> int:
    """Insert a video with its subtitles, and its clips with their stored vectors; its id."""
    of_row = {each.name: getattr(video, each.name) for each in fields(video)}
    tracks = of_row.pop("subtitles")
    video_id = insert_row(connection, VIDEOS, of_row)
    if tracks is not None:
        set_tracks(connection, video_id, tracks)
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
    address: Address,
) -> list[ClipMatch]:
    """The clips of ids (N,) with their scores (N,), in the same order.

    Raises:
        CatalogDamagedError: no file holds the video of a clip.
    """
    spans: dict[int, tuple[int, float, float]] = {}
    places: list[VideoAtPlace] = []
    for some in in_batches(ids.tolist()):
        # All at once: one by one takes SQLAlchemy longer than all else here.
        for clip_id, start, end, *place in connection.execute(
            _CLIPS_AND_FILES, {"ids": some}
        ).all():
            found = VideoAtPlace(*place)
            spans[clip_id] = found.video_id, start, end
            places.append(found)
    known = known_videos(places, videos=videos)
    matches = []
    for clip_id, score in zip(ids.tolist(), scores.tolist(), strict=True):
        if clip_id not in spans:
            raise CatalogDamagedError(
                f"the catalog in {address} is damaged: no file holds the video of clip {clip_id};"
                f" {verify_command(address, '--repair')} removes it"
            )
        video_id, start, end = spans[clip_id]
        matches.append(ClipMatch(clip_id, video_id, score, start, end, *known[video_id]))
    return matches


class VideoAtPlace(NamedTuple):
    """A video and one of the files that hold it: `PLACE_COLUMNS` in this order."""

    video_id: int
    duration: float
    captured: float | None
    captured_from: str | None
    root: str
    relative_path: str
    mtime_ns: int


class KnownVideo(NamedTuple):
    """What an answer tells of a video; see `ClipMatch`."""

    duration: float
    paths: tuple[Path, ...]
    other_paths: tuple[Path, ...]
    captured: float
    captured_from: str


def known_videos(places: Iterable[VideoAtPlace], *, videos: VideoFilter) -> dict[int, KnownVideo]:
    """What an answer tells of each video, by its id, from all the places where it lies."""
    files: dict[int, set[str]] = {}
    captures: dict[int, tuple[float, str]] = {}
    durations: dict[int, float] = {}
    for at in places:
        durations[at.video_id] = at.duration
        files.setdefault(at.video_id, set()).add(joined(at.root, at.relative_path))
        of_file = at.mtime_ns / 1e9, FILE_TIME
        known = captures.get(at.video_id, of_file)
        own = None if at.captured is None else (at.captured, at.captured_from or FILE_TIME)
        captures[at.video_id] = own or min(known, of_file)
    fits = videos.pathname_matcher()
    return {
        video_id: KnownVideo(durations[video_id], *_paths(names, fits), *captures[video_id])
        for video_id, names in files.items()
    }


def _paths(
    names: Collection[str], fits: Callable[[str], bool]
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The paths that meet the filter, and the others; each in alphabetical order."""
    paths = tuple(sorted(map(Path, names)))
    if len(paths) == 1:
        return paths, ()
    fitting = tuple(path for path in paths if fits(path.as_posix()))
    return fitting, tuple(path for path in paths if path not in fitting)
