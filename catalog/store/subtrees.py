"""Everything at or below some paths: found, and forgotten."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, exists, func, or_, select, true
from sqlalchemy.orm import Session

from catalog.database.tables import Clip, DraftVideo, File, Root, Video
from catalog.records import Removed
from catalog.store import mounts, partials
from catalog.store.files import WITHOUT_SYNC, drop_unplaced, in_batches
from catalog.store.roots import absolute_text, joined, lies_under, roots_by_id, terms_under

_TERMS_PER_QUERY = 200  # SQLite limits the depth of an expression to 1000


class KnownFile(NamedTuple):
    """A row that stands for a file."""

    id: int
    root_id: int
    path: str
    video_id: int | None


def files_under(session: Session, paths: Iterable[Path]) -> list[KnownFile]:
    """Every row whose file is one of `paths` or lies below one."""
    roots = roots_by_id(session)
    wanted = frozenset(absolute_text(path) for path in paths)
    every_term = (term for path in wanted for term in terms_under(path, roots))
    terms = list(islice(every_term, _TERMS_PER_QUERY + 1))
    if not terms:
        return []
    narrowed = or_(*terms) if len(terms) <= _TERMS_PER_QUERY else true()
    columns = select(File.id, File.root_id, File.relative_path, File.video_id)
    rows = session.execute(columns.where(narrowed).order_by(File.id))
    files = (
        KnownFile(number, root_id, joined(roots[root_id], relative), video_id)
        for number, root_id, relative, video_id in rows
    )
    return [file for file in files if lies_under(file.path, wanted)]


def forget(session: Session, paths: Sequence[Path]) -> Removed:
    """Delete all that is known at or below these paths, and the videos that lie nowhere else."""
    files = files_under(session, paths)
    videos, clips = delete_files(session, files)
    partials.drop_under(session, paths)
    mounts.drop_under(session, paths)
    delete_unused_roots(session)
    return Removed(files=len(files), videos=videos, clips=clips)


def delete_files(session: Session, files: Iterable[KnownFile]) -> tuple[int, int]:
    """Delete these rows and the videos that lie nowhere else: how many videos, how many clips."""
    doomed = list(files)
    for some in in_batches([file.id for file in doomed]):
        gone = delete(File).where(File.id.in_(some))
        session.execute(gone, execution_options=WITHOUT_SYNC)
    unplaced = _unplaced(session, sorted({file.video_id for file in doomed if file.video_id}))
    clips = 0
    for some in in_batches(unplaced):
        held = select(func.count()).select_from(Clip).where(Clip.video_id.in_(some))
        clips += session.scalar(held) or 0
    drop_unplaced(session, unplaced)
    return len(unplaced), clips


def delete_unused_roots(session: Session) -> None:
    """Delete the roots that nothing is relative to any more."""
    by_files = exists().where(File.root_id == Root.id)
    by_drafts = exists().where(DraftVideo.root_id == Root.id)
    unused = delete(Root).where(~by_files, ~by_drafts)
    session.execute(unused, execution_options=WITHOUT_SYNC)


def _unplaced(session: Session, video_ids: Sequence[int]) -> list[int]:
    placed = exists().where(File.video_id == Video.id)
    found: list[int] = []
    for some in in_batches(video_ids):
        found.extend(session.scalars(select(Video.id).where(Video.id.in_(some), ~placed)))
    return found
