"""The tables: content (videos, clips) apart from the places where it lies (roots, files).

Drafts are clips of films that are not finished; mounts are folders where other disks appear.

Ids are never used twice, so that an index built from them can be caught up by their difference.
"""

from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from catalog.database.columns import LargeNumber, MessageText, PathText, RealNumber, WholeNumber

_IDS_NEVER_REUSED = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """What all tables share: no number that comes from outside is too large for a column."""

    type_annotation_map: ClassVar = {int: WholeNumber, float: RealNumber}


class Meta(Base):
    """One row: what this catalog is, how often it was written to, what made its vectors."""

    __tablename__ = "meta"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    schema_version: Mapped[int]
    catalog_uuid: Mapped[str] = mapped_column(Text)
    generation: Mapped[int] = mapped_column(LargeNumber)
    snapshot_digest: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(MessageText)
    revision: Mapped[str | None] = mapped_column(Text)
    weights_digest: Mapped[str | None] = mapped_column(Text)
    dimension: Mapped[int | None]
    frames_per_clip: Mapped[int | None]
    window: Mapped[float | None]
    stride: Mapped[float | None]


class Root(Base):
    """A folder that was given to be indexed; files are relative to it, so it can be re-based."""

    __tablename__ = "roots"
    __table_args__ = _IDS_NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(PathText, unique=True)


class Video(Base):
    """Content, known by its fingerprint, which is told from all bytes.

    `sample` is told from a few of them, and leads to videos that a file may hold. Of a video that
    was indexed when there was nothing else (schema 2), it is the fingerprint, and `sample` is null.
    """

    __tablename__ = "videos"
    __table_args__ = _IDS_NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text, unique=True)
    duration: Mapped[float]
    width: Mapped[int]
    height: Mapped[int]
    frame_rate: Mapped[float]
    codec: Mapped[str] = mapped_column(MessageText)
    container: Mapped[str] = mapped_column(MessageText)
    damage: Mapped[str | None] = mapped_column(MessageText)
    sample: Mapped[str | None] = mapped_column(Text, index=True)


class File(Base):
    """A place: it holds a video, or it failed."""

    __tablename__ = "files"
    __table_args__ = (
        UniqueConstraint("root_id", "relative_path"),
        CheckConstraint("(video_id IS NULL) <> (error IS NULL)", name="video_or_error"),
        _IDS_NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"))
    relative_path: Mapped[str] = mapped_column(PathText)
    size: Mapped[int] = mapped_column(LargeNumber)
    mtime_ns: Mapped[int] = mapped_column(LargeNumber)
    video_id: Mapped[int | None] = mapped_column(ForeignKey("videos.id"), index=True)
    error: Mapped[str | None] = mapped_column(MessageText)


class Clip(Base):
    """A stretch of a video with its vector, written together and removed together."""

    __tablename__ = "clips"
    __table_args__ = _IDS_NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"), index=True)
    start: Mapped[float]
    end: Mapped[float]
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class DraftVideo(Base):
    """A film whose clips do not all have vectors yet, where it was met last."""

    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text, unique=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id"))
    relative_path: Mapped[str] = mapped_column(PathText)
    duration: Mapped[float]
    damage: Mapped[str | None] = mapped_column(MessageText)
    sample: Mapped[str | None] = mapped_column(Text)


class DraftClip(Base):
    """A stretch of an unfinished film with its vector; nothing searches it."""

    __tablename__ = "draft_clips"
    __table_args__ = (UniqueConstraint("draft_id", "start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"))
    start: Mapped[float]
    end: Mapped[float]
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class Mount(Base):
    """A folder that was a mount point when it was seen: an empty one may only be unmounted."""

    __tablename__ = "mounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(PathText, unique=True)
