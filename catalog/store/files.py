"""Places: which file rows stand for which absolute paths, and content that has lost its last one.

A file has exactly one row, whichever root it was found through: a row is looked up through every
root above the path before a new one is made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import delete, exists, false, or_, select, true
from sqlalchemy.orm import Session

from catalog.database.tables import File, Video
from catalog.records import NO_VIDEO, FileLocation, FileState
from catalog.store.roots import (
    absolute_text,
    is_below,
    joined,
    lies_under,
    relative_to,
    root_at,
    roots_by_id,
    terms_under,
)

_TERMS_PER_QUERY = 200  # SQLite limits the depth of an expression to 1000
_VALUES_PER_QUERY = 10_000  # and the parameters of a statement to 32766
_T = TypeVar("_T")

# Nothing that such statements change is read as an object afterwards: look-ups ask for columns.
WITHOUT_SYNC = {"synchronize_session": False}
_STATE = [
    File.__table__.c[name]
    for name in ("root_id", "relative_path", "size", "mtime_ns", "video_id", "error")
]


def in_batches(values: Sequence[_T], *, size: int = _VALUES_PER_QUERY) -> Iterator[Sequence[_T]]:
    """Stretches of `values` that fit into one statement."""
    for first in range(0, len(values), size):
        yield values[first : first + size]


def states_under(session: Session, paths: Iterable[Path]) -> dict[str, FileState]:
    """Every file that is one of `paths` or lies below one, by the text of its absolute path."""
    roots = roots_by_id(session)
    wanted = frozenset(absolute_text(path) for path in paths)
    every_term = (term for path in wanted for term in terms_under(path, roots))
    terms = list(islice(every_term, _TERMS_PER_QUERY + 1))
    narrowed = or_(false(), *terms) if len(terms) <= _TERMS_PER_QUERY else true()
    above = {root_id: joined(root, "") for root_id, root in roots.items()}
    whole = {root_id for root_id, root in roots.items() if lies_under(root, wanted)}
    found = {}
    # Past the ORM, which looks at every row once more: a library has very many.
    rows = session.connection().execute(select(*_STATE).where(narrowed)).all()
    for root_id, relative, size, mtime_ns, video_id, error in rows:
        pathname = above[root_id] + relative
        if root_id in whole or lies_under(pathname, wanted):
            found[pathname] = FileState(size, mtime_ns, video_id, error)
    return found


def videos_with_paths(session: Session, *, video_ids: Sequence[int]) -> dict[int, list[Path]]:
    """Where each of these videos lies, its paths in order."""
    roots = roots_by_id(session)
    every = select(Video.id, File.root_id, File.relative_path).join(File, File.video_id == Video.id)
    found: dict[int, list[Path]] = {}
    for some in in_batches(video_ids):
        rows = session.connection().execute(every.where(Video.id.in_(some)))
        for video_id, root_id, relative in rows:
            found.setdefault(video_id, []).append(Path(joined(roots[root_id], relative)))
    for paths in found.values():
        paths.sort()
    return found


def failures(session: Session) -> list[tuple[Path, str]]:
    """Files that failed last time, with the reason, in order of their paths.

    What is no video has not failed.
    """
    roots = roots_by_id(session)
    rows = session.execute(
        select(File.root_id, File.relative_path, File.error).where(File.error.is_not(None))
    )
    return sorted(
        (Path(joined(roots[root], relative)), error)
        for root, relative, error in rows
        if error is not None and not error.startswith(NO_VIDEO)
    )


def put(session: Session, held: Mapping[FileLocation, int | str]) -> None:
    """Say what places hold now: a video, by its id, or an error.

    Videos that only these places held before go, once all places hold what they hold now: files may
    have changed names with each other.

    Raises:
        ValueError: a path is not a file below its root.
    """
    rows = _rows_at(session, [absolute_text(place.path) for place in held])
    displaced = {row.video_id for row in rows.values() if row.video_id is not None}
    for place, content in held.items():
        path, root = absolute_text(place.path), absolute_text(place.root)
        if not is_below(path, root):
            raise ValueError(f"{place.path} does not lie below {place.root}")
        if path not in rows:
            rows[path] = File(root_id=root_at(session, root), relative_path=relative_to(path, root))
            session.add(rows[path])
        row = rows[path]
        row.size, row.mtime_ns = place.size, place.mtime_ns
        row.video_id, row.error = (content, None) if isinstance(content, int) else (None, content)
    session.flush()
    drop_unplaced(session, sorted(displaced))


def forget(session: Session, paths: Iterable[Path]) -> int:
    """Delete the rows of these files and the videos that lie nowhere else; how many rows."""
    rows = _rows_at(session, [absolute_text(path) for path in paths]).values()
    videos = {row.video_id for row in rows if row.video_id is not None}
    for some in in_batches([row.id for row in rows]):
        gone = delete(File).where(File.id.in_(some))
        session.execute(gone, execution_options=WITHOUT_SYNC)
    drop_unplaced(session, sorted(videos))
    return len(rows)


def drop_unplaced(session: Session, video_ids: Sequence[int]) -> None:
    """Delete those of these videos, with their clips and vectors, that lie nowhere any more."""
    placed = exists().where(File.video_id == Video.id)
    for some in in_batches(video_ids):
        gone = delete(Video).where(Video.id.in_(some), ~placed)
        session.execute(gone, execution_options=WITHOUT_SYNC)


def _rows_at(session: Session, paths: Sequence[str]) -> dict[str, File]:
    rows: dict[str, File] = {}
    for root_id, root in roots_by_id(session).items():
        below = [relative_to(path, root) for path in paths if is_below(path, root)]
        for some in in_batches(below):
            query = select(File).where(File.root_id == root_id, File.relative_path.in_(some))
            rows |= {joined(root, row.relative_path): row for row in session.scalars(query)}
    return rows
