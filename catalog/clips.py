"""Rows of videos and clips: written together, and joined again for an answer."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select
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


def matches(
    session: Session,
    *,
    ids: NDArray[np.int64],
    scores: NDArray[np.float32],
    within: str | None = None,
) -> list[ClipMatch]:
    """What the catalog says of these clips, in the same order.

    A video that lies at several places is shown at the first of those that fit the glob `within`,
    else at the first of all.
    """
    wanted = [int(clip_id) for clip_id in ids]
    query = select(Clip.id, Clip.video_id, Clip.start, Clip.end, Video.duration).join(Video)
    rows = {
        row.id: row
        for some in in_batches(wanted)
        for row in session.connection().execute(query.where(Clip.id.in_(some)))
    }
    places = videos_with_paths(session, video_ids=sorted({row.video_id for row in rows.values()}))
    fits = None if within is None else path_matcher(within)
    found = []
    for clip_id, score in zip(wanted, scores, strict=True):
        row = rows[clip_id]
        paths = places[row.video_id]
        shown = paths[0] if fits is None else next(filter(fits, paths), paths[0])
        found.append(
            ClipMatch(
                clip_id=clip_id,
                video_id=row.video_id,
                score=float(score),
                start=row.start,
                end=row.end,
                duration=row.duration,
                path=shown,
                other_paths=tuple(path for path in paths if path is not shown),
            )
        )
    return found
