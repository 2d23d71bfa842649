"""Drafts: clips of films that are not finished, kept so that the next run need not decode again.

A draft belongs to content, like a video; it remembers where that was met last, so that it goes when
the place is forgotten or holds something else. There are only a few at any time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from catalog.database.columns import unpack_vectors
from catalog.database.tables import DraftClip, DraftVideo
from catalog.records import ClipSpan, FileLocation, PartialVideo
from catalog.store.roots import (
    absolute_text,
    home_of,
    is_below,
    joined,
    lies_under,
    relative_to,
    root_at,
    roots_by_id,
)


def find(session: Session, content: str, *, dimension: int) -> PartialVideo | None:
    """The draft of the content with this fingerprint, or the newest with this sample.

    Raises:
        ValueError: a stored vector has the wrong length.
    """
    row = _row_of(session, content)
    if row is None:
        return None
    columns = select(DraftClip.start, DraftClip.end, DraftClip.vector)
    clips = session.execute(
        columns.where(DraftClip.draft_id == row.id).order_by(DraftClip.start)
    ).all()
    return PartialVideo(
        fingerprint=row.fingerprint,
        duration=row.duration,
        spans=tuple(ClipSpan(start, end) for start, end, _ in clips),
        vectors=unpack_vectors([vector for _, _, vector in clips], dimension=dimension),
        damage=row.damage,
    )


def put(
    session: Session,
    fingerprint: str,
    *,
    sample: str | None,
    location: FileLocation,
    duration: float,
    damage: str | None,
) -> int:
    """The id of the draft of this content, which lies at this place and is so long.

    A draft of another length is replaced, and what else was unfinished at the place goes. A note of
    damage stays until there is a newer one.
    """
    path, root = absolute_text(location.path), absolute_text(location.root)
    if not is_below(path, root):
        raise ValueError(f"{location.path} does not lie below {location.root}")
    row = _row_of(session, fingerprint) or DraftVideo(fingerprint=fingerprint, duration=duration)
    others = {number for number, at in _paths_by_id(session).items() if at == path} - {row.id}
    _delete(session, others)
    if row.duration != duration:
        session.execute(delete(DraftClip).where(DraftClip.draft_id == row.id))
        row.duration, row.damage = duration, None
    row.root_id, row.relative_path = root_at(session, root), relative_to(path, root)
    row.damage, row.sample = damage or row.damage, sample
    session.add(row)
    session.flush()
    return row.id


def extend(
    session: Session, draft_id: int, *, clips: Sequence[ClipSpan], blobs: Sequence[bytes]
) -> None:
    """Add clips with their stored vectors; those that the draft has already are passed over."""
    held = set(session.scalars(select(DraftClip.start).where(DraftClip.draft_id == draft_id)))
    values = [
        {"draft_id": draft_id, "start": span.start, "end": span.end, "vector": blob}
        for span, blob in zip(clips, blobs, strict=True)
        if span.start not in held
    ]
    if values:
        session.execute(insert(DraftClip), values)


def count(session: Session) -> int:
    """How many films are unfinished."""
    return session.scalar(select(func.count()).select_from(DraftVideo)) or 0


def paths_under(session: Session, paths: Iterable[Path]) -> dict[int, str]:
    """The drafts of all files that are one of `paths` or lie below one: each id with its path."""
    wanted = frozenset(absolute_text(path) for path in paths)
    found = _paths_by_id(session).items()
    return {number: path for number, path in found if lies_under(path, wanted)}


def move(session: Session, paths: Mapping[int, str]) -> None:
    """Say where the films of these drafts lie now."""
    here = _paths_by_id(session)
    for number, path in paths.items():
        if here[number] != path:
            row = session.get_one(DraftVideo, number)
            row.root_id, row.relative_path = home_of(session, path)
    session.flush()


def drop(session: Session, content: str) -> None:
    """Delete the draft of this content, if there is one; see `find`."""
    row = _row_of(session, content)
    if row is not None:
        _delete(session, {row.id})


def drop_at(session: Session, paths: Iterable[Path], *, but: str | None = None) -> None:
    """Delete the drafts of these very files, but those with this sample."""
    held = _paths_by_id(session)
    if held:  # almost never, and there may be very many paths
        gone = {absolute_text(path) for path in paths}
        row = None if but is None else _row_of(session, but)
        spared = None if row is None else row.id
        _delete(session, {number for number, at in held.items() if at in gone} - {spared})


def drop_under(session: Session, paths: Iterable[Path]) -> int:
    """Delete the drafts of all files that are one of `paths` or lie below one; how many."""
    gone = paths_under(session, paths)
    _delete(session, gone)
    return len(gone)


def _row_of(session: Session, content: str) -> DraftVideo | None:
    fits = or_(DraftVideo.fingerprint == content, DraftVideo.sample == content)
    return session.scalars(select(DraftVideo).where(fits).order_by(DraftVideo.id.desc())).first()


def _paths_by_id(session: Session) -> dict[int, str]:
    columns = select(DraftVideo.id, DraftVideo.root_id, DraftVideo.relative_path)
    rows = session.execute(columns).all()
    roots = roots_by_id(session) if rows else {}
    return {number: joined(roots[root], relative) for number, root, relative in rows}


def _delete(session: Session, draft_ids: Collection[int]) -> None:
    if draft_ids:
        doomed = delete(DraftVideo).where(DraftVideo.id.in_(sorted(draft_ids)))
        session.execute(doomed, execution_options={"synchronize_session": False})
