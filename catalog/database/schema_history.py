"""The tables as they stood in each schema version. What has landed is never edited.

`catalog.tables` says what the tables are today; a migration must not depend on that.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

_ALL = MetaData()

META = Table(
    "meta",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("catalog_uuid", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("snapshot_digest", Text),
    Column("model", Text),
    Column("revision", Text),
    Column("weights_digest", Text),
    Column("dimension", Integer),
    Column("frames_per_clip", Integer),
    Column("window", Double),
    Column("stride", Double),
    CheckConstraint("id = 1", name="one_row"),
)

_ROOTS = Table(
    "roots",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

_VIDEOS = Table(
    "videos",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("duration", Double, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frame_rate", Double, nullable=False),
    Column("codec", Text, nullable=False),
    Column("container", Text, nullable=False),
    sqlite_autoincrement=True,
)

_FILES = Table(
    "files",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("relative_path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("video_id", Integer, ForeignKey("videos.id"), index=True),
    Column("error", Text),
    UniqueConstraint("root_id", "relative_path"),
    CheckConstraint("(video_id IS NULL) <> (error IS NULL)", name="video_or_error"),
    sqlite_autoincrement=True,
)

_CLIPS = Table(
    "clips",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column(
        "video_id", Integer, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("start", Double, nullable=False),
    Column("end", Double, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

_DRAFTS = Table(
    "drafts",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("relative_path", Text, nullable=False),
    Column("duration", Double, nullable=False),
    Column("damage", Text),
)

_DRAFT_CLIPS = Table(
    "draft_clips",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column("draft_id", Integer, ForeignKey("drafts.id", ondelete="CASCADE"), nullable=False),
    Column("start", Double, nullable=False),
    Column("end", Double, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    UniqueConstraint("draft_id", "start"),
)

_MOUNTS = Table(
    "mounts",
    _ALL,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
)

MADE_IN_1 = (META, _ROOTS, _VIDEOS, _FILES, _CLIPS)
MADE_IN_2 = (_DRAFTS, _DRAFT_CLIPS, _MOUNTS)
