"""Rows of videos and clips: written together, and joined again for an answer."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from catalog.database.tables import Clip, File, Root, Video
from catalog.errors import CatalogDamagedError
from catalog.globs import path_matcher
from catalog.records import ClipMatch, ClipSpan, FileLocation, SampleMatch, VideoRecord
from catalog.store.files import drop_unplaced, in_batches
from catalog.store.roots import joined, roots_by_id

# One statement, made once: for a few dozen clips SQLAlchemy takes longer than SQLite.
_CLIPS_AND_PLACES = (
    select(
        Clip.id,
        Clip.video_id,
        Clip.start,
        Clip.end,
        Video.duration,
        Root.path,
        File.relative_path,
    )
    .join(Video, Clip.video_id == Video.id)
    .join(File, File.video_id == Video.id)
    .join(Root, File.root_id == Root.id)
    .where(Clip.id.in_(bindparam("ids", expanding=True)))
)


def video_id_of(session: Session, fingerprint: str) -> int | None:
    """The id of the video with this content."""
    return session.scalar(select(Video.id).where(Video.fingerprint == fingerprint))


def any_video(session: Session) -> bool:
    """Whether there is a video at all."""
    return session.scalar(select(Video.id).limit(1)) is not None


def lookalikes_of(session: Session, sample: str) -> tuple[SampleMatch, ...]:
    """The videos with this sample, oldest first, and where they lie."""
    alike = or_(Video.sample == sample, Video.fingerprint == sample)
    videos = session.scalars(select(Video).where(alike).order_by(Video.id)).all()
    roots = roots_by_id(session) if videos else {}
    places: dict[int, list[FileLocation]] = {video.id: [] for video in videos}
    for row in session.scalars(select(File).where(File.video_id.in_(places)).order_by(File.id)):
        root = roots[row.root_id]
        path = Path(joined(root, row.relative_path))
        places[row.video_id or 0].append(FileLocation(Path(root), path, row.size, row.mtime_ns))
    return tuple(
        SampleMatch(
            video.id,
            None if video.sample is None else video.fingerprint,
            video.damage is None,
            tuple(places[video.id]),
        )
        for video in videos
    )


def put_fingerprint(session: Session, video_id: int, *, fingerprint: str, sample: str) -> None:
    """Say what the fingerprint of a video is; its places go over to one that has it already."""
    same = video_id_of(session, fingerprint)
    if same not in (None, video_id):
        session.execute(update(File).where(File.video_id == video_id).values(video_id=same))
        drop_unplaced(session, [video_id])
        return
    values = {"fingerprint": fingerprint, "sample": sample}
    session.execute(update(Video).where(Video.id == video_id).values(values))


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
        sample=video.sample,
    )
    session.add(row)
    session.flush()
    values = [
        {"video_id": row.id, "start": span.start, "end": span.end, "vector": blob}
        for span, blob in zip(clips, blobs, strict=True)
    ]
    session.execute(insert(Clip), values)
    return row.id


class NearestClips:
    """The clips nearest to a vector, best first; what they are is read when they are looked at.

    Attributes:
        scores: (N,) cosines.
    """

    def __init__(
        self,
        session: Session,
        *,
        ids: NDArray[np.int64],
        scores: NDArray[np.float32],
        path_glob: str | None,
        folder: Path,
    ) -> None:
        self.scores = scores
        self._session = session
        self._ids: list[int] = ids.tolist()
        self._folder = folder
        self._fits = None if path_glob is None else path_matcher(path_glob)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, some: slice) -> list[ClipMatch]:
        """What the catalog says of some of them.

        A video that lies at several places is shown at the first of those that fit the glob, else
        at the first of all.

        Raises:
            CatalogDamagedError: a clip is of a video that lies nowhere.
        """
        ids = self._ids[some]
        spans: dict[int, tuple[int, float, float, float]] = {}
        files: dict[int, set[str]] = {}
        for clip_id, video_id, start, end, duration, root, relative in self._rows(ids):
            spans[clip_id] = video_id, start, end, duration
            files.setdefault(video_id, set()).add(joined(root, relative))
        for clip_id in ids:
            if clip_id not in spans:
                raise CatalogDamagedError(
                    f"the catalog in {self._folder} is damaged: clip {clip_id} is of a video that"
                    " lies nowhere; `vsearch verify --repair` takes it out"
                )
        places = {video_id: self._places(pathnames) for video_id, pathnames in files.items()}
        return [
            ClipMatch(clip_id, video_id, score, start, end, duration, *places[video_id])
            for clip_id, score in zip(ids, self.scores[some].tolist(), strict=True)
            for video_id, start, end, duration in (spans[clip_id],)
        ]

    def _rows(self, ids: Sequence[int]) -> Iterator[Any]:
        """A row for each place of each clip."""
        connection = self._session.connection()
        for some in in_batches(ids):
            yield from connection.execute(_CLIPS_AND_PLACES, {"ids": some}).all()

    def _places(self, pathnames: Collection[str]) -> tuple[Path, tuple[Path, ...]]:
        """Where a video is shown, and its other places."""
        paths = sorted(map(Path, pathnames))
        shown = paths[0] if self._fits is None else next(filter(self._fits, paths), paths[0])
        return shown, tuple(path for path in paths if path is not shown)
