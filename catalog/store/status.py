"""The contents of a catalog, counted in one transaction."""

from pathlib import Path

from sqlalchemy import Connection, func, select

from catalog.database.database import Database
from catalog.database.meta import read_meta
from catalog.database.tables import CLIPS, FILES, VIDEOS
from catalog.folder import SNAPSHOT_NAME, file_bytes
from catalog.records import CatalogStatus, FileProblem
from catalog.store import files, partials, subtitles, tags
from catalog.store.clips import any_video
from catalog.store.frames import without_frames
from catalog.store.roots import roots_by_id


def read_status(connection: Connection, database: Database) -> CatalogStatus:
    """Count rows and bytes, and list the files that failed or are damaged."""
    meta = read_meta(connection)
    holding = select(func.count()).select_from(FILES).where(FILES.c.video_id.is_not(None))
    return CatalogStatus(
        address=database.address,
        catalog_uuid=meta.catalog_uuid,
        provenance=meta.provenance,
        videos=connection.scalar(select(func.count()).select_from(VIDEOS)) or 0,
        files=connection.scalar(holding) or 0,
        clips=connection.scalar(select(func.count()).select_from(CLIPS)) or 0,
        video_seconds=connection.scalar(select(func.sum(VIDEOS.c.duration))) or 0.0,
        database_bytes=database.bytes_on_disk(connection),
        snapshot_bytes=file_bytes(database.folder / SNAPSHOT_NAME),
        failures=files.failures(connection),
        generation=meta.generation,
        schema_version=meta.schema_version,
        damaged=_damaged(connection),
        partials=partials.count(connection),
        without_frames=len(without_frames(connection)),
        tags=tags.count_names(connection),
        cues=subtitles.count(connection),
        subtitle_failures=subtitles.failures(connection),
        roots=tuple(Path(path) for path in sorted(roots_by_id(connection).values())),
    )


def has_vectors(connection: Connection) -> bool:
    """Whether there are any that new vectors must agree with: of videos, or of partial ones."""
    return any_video(connection) or partials.count(connection) > 0


def _damaged(connection: Connection) -> tuple[FileProblem, ...]:
    noted = select(VIDEOS.c.id, VIDEOS.c.damage).where(VIDEOS.c.damage.is_not(None))
    notes = {row.id: row.damage for row in connection.execute(noted)}
    paths_of = files.paths_of_videos(connection, sorted(notes))
    every = [(path, notes[video]) for video, paths in paths_of.items() for path in paths]
    return tuple(FileProblem(path, note) for path, note in sorted(every))
