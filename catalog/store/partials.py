"""Partial videos: clips of interrupted videos, kept so that the next run need not decode again.

A partial video belongs to content, as a video does; the path where it was last seen is stored, so
that it is removed when that file is forgotten or holds something else. There are only a few.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from catalog.database.columns import unpack_vectors
from catalog.database.database import insert_row
from catalog.database.tables import PARTIAL_CLIPS, PARTIALS
from catalog.frame_vectors import QuantisedVectors
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


def find(connection: Connection, content: str, *, dim: int) -> PartialVideo | None:
    """The partial video with this fingerprint, or the newest with this sample.

    Raises:
        ValueError: a stored vector has the wrong length.
    """
    row = _row_of(connection, content)
    if row is None:
        return None
    clips = connection.execute(
        select(PARTIAL_CLIPS)
        .where(PARTIAL_CLIPS.c.partial_id == row.id)
        .order_by(PARTIAL_CLIPS.c.start)
    ).all()
    return PartialVideo(
        fingerprint=row.fingerprint,
        duration=row.duration,
        spans=tuple(ClipSpan(clip.start, clip.end) for clip in clips),
        vectors=unpack_vectors([clip.vector for clip in clips], dim=dim),
        frames=tuple(
            None if clip.frames is None else QuantisedVectors.from_bytes(clip.frames, dim=dim)
            for clip in clips
        ),
        damage=row.damage,
    )


def put(
    connection: Connection,
    fingerprint: str,
    *,
    sample: str | None,
    location: FileLocation,
    duration: float,
    damage: str | None,
) -> int:
    """The id of the partial video of this content, in this file and of this duration (seconds).

    One of another duration is replaced, and other partial videos of the file are removed. A note of
    damage stays until there is a newer one.
    """
    path, root = absolute_text(location.path), absolute_text(location.root)
    if not is_below(path, root):
        raise ValueError(f"{location.path} does not lie below {location.root}")
    row = _row_of(connection, fingerprint)
    if row is not None and row.duration != duration:
        _delete(connection, {row.id})
        row = None
    kept = None if row is None else row.id
    others = {number for number, at in _paths_by_id(connection).items() if at == path} - {kept}
    _delete(connection, others)
    values = {
        "root_id": root_at(connection, root),
        "relative_path": relative_to(path, root),
        "sample": sample,
        "damage": damage or (None if row is None else row.damage),
    }
    if row is not None:
        connection.execute(update(PARTIALS).where(PARTIALS.c.id == row.id).values(values))
        return int(row.id)
    content = {"fingerprint": fingerprint, "duration": duration}
    return insert_row(connection, PARTIALS, content | values)


def extend(
    connection: Connection,
    partial_id: int,
    *,
    clips: Sequence[ClipSpan],
    blobs: Sequence[bytes],
    frames: Sequence[QuantisedVectors | None] | None,
) -> None:
    """Add clips with their stored vectors and their frames; clips that are there are left out."""
    starts = select(PARTIAL_CLIPS.c.start).where(PARTIAL_CLIPS.c.partial_id == partial_id)
    there = set(connection.scalars(starts))
    values = [
        {
            "partial_id": partial_id,
            "start": span.start,
            "end": span.end,
            "vector": blob,
            "frames": None if of_clip is None else of_clip.to_bytes(),
        }
        for span, blob, of_clip in zip(clips, blobs, frames or [None] * len(clips), strict=True)
        if span.start not in there
    ]
    if values:
        connection.execute(insert(PARTIAL_CLIPS), values)


def count(connection: Connection) -> int:
    """The number of partial videos."""
    return connection.scalar(select(func.count()).select_from(PARTIALS)) or 0


def paths_under(connection: Connection, paths: Iterable[Path]) -> dict[int, str]:
    """The path of each partial video, by its id, that is one of `paths` or below one."""
    wanted = frozenset(absolute_text(path) for path in paths)
    found = _paths_by_id(connection).items()
    return {number: path for number, path in found if lies_under(path, wanted)}


def move(connection: Connection, paths: Mapping[int, str]) -> None:
    """Set the paths of these partial videos, by their ids."""
    here = _paths_by_id(connection)
    for number, path in paths.items():
        if here[number] != path:
            root_id, relative = home_of(connection, path)
            moved = update(PARTIALS).where(PARTIALS.c.id == number)
            connection.execute(moved.values(root_id=root_id, relative_path=relative))


def remove(connection: Connection, content: str) -> None:
    """Delete the partial video of this content, if there is one; see `find`."""
    row = _row_of(connection, content)
    if row is not None:
        _delete(connection, {row.id})


def remove_at(connection: Connection, paths: Iterable[Path], *, but: str | None = None) -> None:
    """Delete the partial videos of these very files, except one with the sample `but`."""
    there = _paths_by_id(connection)
    if there:  # almost never, and there may be very many paths
        gone = {absolute_text(path) for path in paths}
        row = None if but is None else _row_of(connection, but)
        spared = None if row is None else row.id
        _delete(connection, {number for number, at in there.items() if at in gone} - {spared})


def remove_under(connection: Connection, paths: Iterable[Path]) -> int:
    """Delete the partial videos of files that are one of `paths` or below one; how many."""
    gone = paths_under(connection, paths)
    _delete(connection, gone)
    return len(gone)


def _row_of(connection: Connection, content: str) -> Row[Any] | None:
    fits = or_(PARTIALS.c.fingerprint == content, PARTIALS.c.sample == content)
    newest_first = select(PARTIALS).where(fits).order_by(PARTIALS.c.id.desc())
    return connection.execute(newest_first).first()


def _paths_by_id(connection: Connection) -> dict[int, str]:
    columns = select(PARTIALS.c.id, PARTIALS.c.root_id, PARTIALS.c.relative_path)
    rows = connection.execute(columns).all()
    roots = roots_by_id(connection) if rows else {}
    return {number: joined(roots[root], relative) for number, root, relative in rows}


def _delete(connection: Connection, partial_ids: Collection[int | None]) -> None:
    if partial_ids:
        connection.execute(delete(PARTIALS).where(PARTIALS.c.id.in_([*partial_ids])))
