"""What is in a catalog, counted in one moment."""

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.database.database import Database
from catalog.database.tables import Clip, File, Meta, Video
from catalog.folder import SNAPSHOT_NAME, file_bytes
from catalog.records import CatalogStatus, FileProblem
from catalog.store import files, partials
from catalog.store.provenance import stored_provenance
from catalog.store.roots import roots_by_id


def status_of(session: Session, *, meta: Meta, database: Database) -> CatalogStatus:
    """Counts, sizes, what failed and what is damaged."""
    held = select(func.count()).select_from(File).where(File.video_id.is_not(None))
    return CatalogStatus(
        folder=database.folder,
        catalog_uuid=meta.catalog_uuid,
        provenance=stored_provenance(meta),
        videos=session.scalar(select(func.count()).select_from(Video)) or 0,
        files=session.scalar(held) or 0,
        clips=session.scalar(select(func.count()).select_from(Clip)) or 0,
        video_seconds=session.scalar(select(func.sum(Video.duration))) or 0.0,
        database_bytes=database.bytes_on_disk(),
        snapshot_bytes=file_bytes(database.folder / SNAPSHOT_NAME),
        failures=tuple(FileProblem(*found) for found in files.failures(session)),
        generation=meta.generation,
        schema_version=meta.schema_version,
        damaged=_damaged(session),
        partials=partials.count(session),
        roots=tuple(Path(path) for path in sorted(roots_by_id(session).values())),
    )


def _damaged(session: Session) -> tuple[FileProblem, ...]:
    found = select(Video.id, Video.damage).where(Video.damage.is_not(None))
    notes = {video_id: note or "" for video_id, note in session.execute(found)}
    places_of = files.videos_with_paths(session, video_ids=sorted(notes))
    everywhere = [(path, notes[video]) for video, paths in places_of.items() for path in paths]
    return tuple(FileProblem(path, note) for path, note in sorted(everywhere))
