"""Rows of videos and clips: written together, and joined again for an answer."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from catalog.globs import path_matcher
from catalog.places import in_batches, videos_with_paths
from catalog.records import ClipMatch, ClipSpan, VideoRecord
from catalog.tables import Clip, Video


def video_id_of(session: Session, fingerprint: str) -> int | None:
    """The id of the video with this content."""
    return session.scalar(select(Video.id).where(Video.fingerprint == fingerprint))


def unknown_ids(session: Session, video_ids: Collection[int]) -> set[int]:
    """Those of these ids that no video has."""
    found: set[int] = set()
    for some in in_batches(sorted(video_ids)):
        found.update(session.scalars(select(Video.id).where(Video.id.in_(some))))
    return set(video_ids) - found


def insert_video(
    session: Session, video: VideoRecord, *, clips: Sequence[ClipSpan], blobs: Sequence[bytes]
) -> int:
    """New rows for a video and its clips with their stored vectors; the video's id."""
    row = Video(
        fingerprint=video.fingerprint,
        duration=video.duration,
        width=video.width,
        height=video.height,
        frame_rate=video.frame_rate,
        codec=video.codec,
        container=video.container,
        damage=video.damage,
    )
    session.add(row)
    session.flush()
    values = [
        {"video_id": row.id, "start": span.start, "end": span.end, "vector": blob}
        for span, blob in zip(clips, blobs, strict=True)
    ]
    session.execute(insert(Clip), values)
    return row.id


def paths_within(session: Session, glob: str) -> dict[int, list[Path]]:
    """The videos that lie at paths that fit the glob, with those paths in order."""
    fits = path_matcher(glob)
    chosen = {
        video_id: [path for path in paths if fits(path)]
        for video_id, paths in videos_with_paths(session).items()
    }
    return {video_id: paths for video_id, paths in chosen.items() if paths}


def clip_ids(session: Session, video_ids: Collection[int]) -> NDArray[np.int64]:
    """The ids (N,) of all clips of these videos."""
    # A video's clips were inserted at once, so two ids tell of all; and an index answers this.
    ends = (func.min(Clip.id), func.max(Clip.id), func.count())
    rows = session.execute(select(Clip.video_id, *ends).group_by(Clip.video_id))
    found = [np.empty(0, np.int64)]
    for video_id, first, last, count in rows:
        if video_id not in video_ids:
            continue
        if last - first + 1 == count:
            found.append(np.arange(first, last + 1))
        else:  # clips of others, or lost ones, between
            clips = session.scalars(select(Clip.id).where(Clip.video_id == video_id))
            found.append(np.fromiter(clips, dtype=np.int64))
    return np.concatenate(found)


def matches(
    session: Session,
    *,
    ids: NDArray[np.int64],
    scores: NDArray[np.float32],
    preferred: Mapping[int, Sequence[Path]],
) -> list[ClipMatch]:
    """What the catalog says of these clips, in the same order.

    A video that lies at several places is shown at the first of its `preferred` paths, else at the
    first of all.
    """
    wanted = [int(clip_id) for clip_id in ids]
    query = select(Clip.id, Clip.video_id, Clip.start, Clip.end, Video.duration).join(Video)
    rows = {
        row.id: row
        for some in in_batches(wanted)
        for row in session.execute(query.where(Clip.id.in_(some)))
    }
    places = videos_with_paths(session, video_ids=sorted({row.video_id for row in rows.values()}))
    found = []
    for clip_id, score in zip(wanted, scores, strict=True):
        row = rows[clip_id]
        paths = places[row.video_id]
        shown = preferred.get(row.video_id, paths)[0]
        found.append(
            ClipMatch(
                clip_id=clip_id,
                video_id=row.video_id,
                score=float(score),
                start=row.start,
                end=row.end,
                duration=row.duration,
                path=shown,
                other_paths=tuple(path for path in paths if path != shown),
            )
        )
    return found
