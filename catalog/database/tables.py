"""The tables: content (videos, clips) apart from the files that hold it (roots, files).

Partial videos are videos of which not all clips have vectors yet; mounts are mount points;
background is what is known of all clips together; tags name stretches of videos; subtitles
are what is said in them, in cues.

Ids are never used twice, so that an index built from them can be caught up by their difference.
No number that comes from outside is too large for a column.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from catalog.database.columns import LargeNumber, MessageText, PathText, RealNumber, WholeNumber

METADATA = MetaData()


def _on_sqlite(paths: UniqueConstraint) -> UniqueConstraint:
    """A constraint on paths, which PostgreSQL has in another form: see its `schema`."""
    return paths.ddl_if(dialect="sqlite")


# One row: the catalog's identity, a count of its changes, and what made its vectors.
META = Table(
    "meta",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("schema_version", WholeNumber, nullable=False),
    Column("catalog_uuid", Text, nullable=False),
    Column("generation", LargeNumber, nullable=False),
    Column("snapshot_digest", Text),
    Column("model", MessageText),
    Column("revision", Text),
    Column("model_digest", Text),
    Column("dimension", WholeNumber, key="dim"),
    Column("frames_per_clip", WholeNumber),
    Column("window", RealNumber),
    Column("stride", RealNumber),
    CheckConstraint("id = 1", name="one_row"),
)

# Folders that were indexed. Files are relative to them, so a folder can be moved in one row.
ROOTS = Table(
    "roots",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("path", PathText, nullable=False),
    _on_sqlite(UniqueConstraint("path")),
    sqlite_autoincrement=True,
)

# Content. `fingerprint` is made from all bytes of a file; `sample` from a few of them: it finds the
# videos that a file may hold. Until the bytes of a video have been read, `fingerprint` is the
# sample, and `sample` is null.
VIDEOS = Table(
    "videos",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("duration", RealNumber, nullable=False),
    Column("width", WholeNumber, nullable=False),
    Column("height", WholeNumber, nullable=False),
    Column("frame_rate", RealNumber, nullable=False),
    Column("codec", MessageText, nullable=False),
    Column("container", MessageText, nullable=False),
    Column("damage", MessageText),
    Column("sample", Text, index=True),
    Column("captured", RealNumber),
    Column("captured_from", Text),
    Column("camera", MessageText),
    Column("subtitles_read", WholeNumber),
    sqlite_autoincrement=True,
)

# A file holds a video, or it could not be indexed and has an error.
FILES = Table(
    "files",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("root_id", WholeNumber, ForeignKey("roots.id"), nullable=False),
    Column("relative_path", PathText, nullable=False),
    Column("size", LargeNumber, nullable=False),
    Column("mtime_ns", LargeNumber, nullable=False),
    Column("video_id", WholeNumber, ForeignKey("videos.id"), index=True),
    Column("error", MessageText),
    _on_sqlite(UniqueConstraint("root_id", "relative_path")),
    CheckConstraint("(video_id IS NULL) <> (error IS NULL)", name="video_or_error"),
    sqlite_autoincrement=True,
)

# Clips with their vectors, written together with their video and deleted together with it.
CLIPS = Table(
    "clips",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column(
        "video_id",
        WholeNumber,
        ForeignKey("videos.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("start", RealNumber, nullable=False),
    Column("end", RealNumber, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    # Times without vectors: to find the clips of a stretch reads a fiftieth of the bytes.
    Index("ix_clips_times", "video_id", "start", "end"),
    sqlite_autoincrement=True,
)

# Vectors of the frames of videos, for videos that have them: `vectors` holds those of frames that
# follow each other every `step` seconds from `start` on (see `catalog.frame_vectors`).
FRAMES = Table(
    "frames",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("video_id", WholeNumber, ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("start", RealNumber, nullable=False),
    Column("step", RealNumber, nullable=False),
    Column("vectors", LargeBinary, nullable=False),
    UniqueConstraint("video_id", "start"),
)

# Stretches of videos under a name, with the centred score of their best clip and its confidence.
TAGS = Table(
    "tags",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("name", MessageText, nullable=False, index=True),
    Column(
        "video_id",
        WholeNumber,
        ForeignKey("videos.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("start", RealNumber, nullable=False),
    Column("end", RealNumber, nullable=False),
    Column("confidence", Text, nullable=False),
    Column("score", RealNumber, nullable=False),
)

# Subtitles: streams inside of a video belong to it, files beside a video to the file that holds it,
# by their names. What could not be read has an error.
SUBTITLES = Table(
    "subtitles",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("video_id", WholeNumber, ForeignKey("videos.id", ondelete="CASCADE")),
    Column("stream", WholeNumber),
    Column("file_id", WholeNumber, ForeignKey("files.id", ondelete="CASCADE")),
    Column("name", PathText),
    Column("size", LargeNumber),
    Column("mtime_ns", LargeNumber),
    Column("language", MessageText),
    Column("error", MessageText),
    UniqueConstraint("video_id", "stream"),
    UniqueConstraint("file_id", "name"),
    CheckConstraint("(video_id IS NULL) <> (file_id IS NULL)", name="video_or_file"),
)

# Their text, in order of the ids; `words` are those to look for, where they are not the text. The
# index of the words is made in `catalog.database.sqlite.full_text`.
CUES = Table(
    "cues",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column(
        "subtitle_id",
        WholeNumber,
        ForeignKey("subtitles.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("start", RealNumber, nullable=False),
    Column("end", RealNumber, nullable=False),
    Column("text", MessageText, nullable=False),
    Column("words", MessageText),
)

# Videos of which not all clips have vectors yet, at the path where they were last seen.
PARTIALS = Table(
    "partials",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("root_id", WholeNumber, ForeignKey("roots.id"), nullable=False),
    Column("relative_path", PathText, nullable=False),
    Column("duration", RealNumber, nullable=False),
    Column("damage", MessageText),
    Column("sample", Text),
)

# Clips of partial videos, with their vectors and those of their frames; no query searches them.
PARTIAL_CLIPS = Table(
    "partial_clips",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column(
        "partial_id", WholeNumber, ForeignKey("partials.id", ondelete="CASCADE"), nullable=False
    ),
    Column("start", RealNumber, nullable=False),
    Column("end", RealNumber, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Column("frames", LargeBinary),
    UniqueConstraint("partial_id", "start"),
)

# At most one row: what the clips of a library have in common, and what they score by chance. It is
# derived from clips and model, and made anew where it is missing.
BACKGROUND = Table(
    "background",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("bank", Text, nullable=False),
    Column("generation", LargeNumber, nullable=False),
    Column("newest", WholeNumber, nullable=False),
    Column("clips", WholeNumber, nullable=False),
    Column("drawn_from", WholeNumber, nullable=False),
    Column("changed", WholeNumber, nullable=False),
    Column("most", RealNumber, nullable=False),
    Column("mean_text", LargeBinary, nullable=False),
    Column("mean_clip", LargeBinary, nullable=False),
    Column("maxima", LargeBinary, nullable=False),
    Column("best_clips", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    CheckConstraint("id = 1", name="one_background"),
)

# Folders that were mount points when they were seen: an empty one may only be unmounted.
MOUNTS = Table(
    "mounts",
    METADATA,
    Column("id", WholeNumber, primary_key=True),
    Column("path", PathText, nullable=False),
    _on_sqlite(UniqueConstraint("path")),
)
