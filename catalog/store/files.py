"""Files: the rows of absolute paths, found and changed, and videos that no file holds any more.

A file has exactly one row, whichever root it was found through: a row is looked up through every
root above the path before a new one is made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from catalog.database.tables import CLIPS, FILES, TAGS, VIDEOS
from catalog.records import (
    NO_VIDEO,
    DescribedVideo,
    FileLocation,
    FileProblem,
    FileState,
    IndexedVideo,
    VideoFiles,
    VideoRecord,
)
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

_NO_LONGER_HELD = ~exists().where(FILES.c.video_id == VIDEOS.c.id)


class KnownFile(NamedTuple):
    """The row of a file."""

    id: int
    root_id: int
    path: str
    video_id: int | None


def in_batches(values: Sequence[_T], *, size: int = _VALUES_PER_QUERY) -> Iterator[Sequence[_T]]:
    """Parts of `values` that fit into one statement."""
    for first in range(0, len(values), size):
        yield values[first : first + size]


def states_under(connection: Connection, paths: Iterable[Path]) -> dict[str, FileState]:
    """The state of each file that is one of `paths` or below one, by its absolute path as text."""
    columns = (FILES.c.size, FILES.c.mtime_ns, FILES.c.video_id, FILES.c.error)
    return {path: FileState(*row) for path, *row in rows_under(connection, paths, columns)}


def files_under(connection: Connection, paths: Iterable[Path]) -> list[KnownFile]:
    """The row of each file that is one of `paths` or below one, in order of the ids."""
    columns = (FILES.c.id, FILES.c.root_id, FILES.c.video_id)
    rows = rows_under(connection, paths, columns)
    return sorted(
        KnownFile(file_id, root_id, path, video) for path, file_id, root_id, video in rows
    )


def rows_under(
    connection: Connection,
    paths: Iterable[Path],
    columns: Sequence[ColumnElement[Any]],
    *,
    among: FromClause = FILES,
) -> Iterator[tuple[Any, ...]]:
    """The absolute path and these columns of each file that is one of `paths` or below one.

    `among` is the table of files, perhaps joined with others.
    """
    roots = roots_by_id(connection)
    wanted = frozenset(absolute_text(path) for path in paths)
    every_term = (term for path in wanted for term in terms_under(path, roots))
    terms = list(islice(every_term, _TERMS_PER_QUERY + 1))
    narrowed = or_(false(), *terms) if len(terms) <= _TERMS_PER_QUERY else true()
    above = {root_id: joined(root, "") for root_id, root in roots.items()}
    whole = {root_id for root_id, root in roots.items() if lies_under(root, wanted)}
    named = select(FILES.c.root_id, FILES.c.relative_path, *columns)
    query = named.select_from(among).where(narrowed)
    for root_id, relative, *row in connection.execute(query):
        path = above[root_id] + relative
        if root_id in whole or lies_under(path, wanted):
            yield path, *row


def paths_of_videos(connection: Connection, video_ids: Sequence[int]) -> dict[int, list[Path]]:
    """The paths of each of these videos, in order."""
    roots = roots_by_id(connection)
    every = select(FILES.c.video_id, FILES.c.root_id, FILES.c.relative_path)
    found: dict[int, list[Path]] = {}
    for some in in_batches(video_ids):
        for video_id, root_id, relative in connection.execute(
            every.where(FILES.c.video_id.in_(some))
        ):
            found.setdefault(video_id, []).append(Path(joined(roots[root_id], relative)))
    for paths in found.values():
        paths.sort()
    return found


def video_files(connection: Connection, video_id: int) -> VideoFiles | None:
    """A video and the state of the files that hold it, by path; None if there are none."""
    video = connection.execute(select(VIDEOS).where(VIDEOS.c.id == video_id)).one_or_none()
    roots = roots_by_id(connection)
    rows = connection.execute(select(FILES).where(FILES.c.video_id == video_id))
    held_by = [
        FileLocation(
            Path(roots[row.root_id]),
            Path(joined(roots[row.root_id], row.relative_path)),
            row.size,
            row.mtime_ns,
        )
        for row in rows
    ]
    if video is None or not held_by:
        return None
    held_by.sort(key=lambda location: location.path)
    return VideoFiles(video_id, video.duration, video.container, tuple(held_by))


def indexed_videos(
    connection: Connection,
    *,
    under: Path | None = None,
    after: int = 0,
    limit: int | None = None,
) -> tuple[IndexedVideo, ...]:
    """The videos that a file holds, in order of the ids.

    Only those with a file at or below `under`, and with ids above `after`; `limit` at most.
    """
    if under is None:
        every = select(VIDEOS.c.id).where(VIDEOS.c.id > after, ~_NO_LONGER_HELD)
        ids = [*connection.scalars(every.order_by(VIDEOS.c.id).limit(limit))]
    else:
        below = rows_under(connection, [under], (FILES.c.video_id,))
        ids = sorted({video for _, video in below if video is not None and video > after})[:limit]
    return tuple(video for some in in_batches(ids) for video in _with_files(connection, some))


def _with_files(connection: Connection, ids: Sequence[int]) -> Iterator[IndexedVideo]:
    columns = VIDEOS.c.id, VIDEOS.c.duration, VIDEOS.c.captured
    rows = connection.execute(select(*columns).where(VIDEOS.c.id.in_(ids)).order_by(VIDEOS.c.id))
    counted = select(CLIPS.c.video_id, func.count()).where(CLIPS.c.video_id.in_(ids))
    clips = dict(map(tuple, connection.execute(counted.group_by(CLIPS.c.video_id))))
    paths = paths_of_videos(connection, ids)
    for row in rows.all():
        yield IndexedVideo(
            row.id, row.duration, tuple(paths[row.id]), row.captured, clips.get(row.id, 0)
        )


def described_video(connection: Connection, video_id: int) -> DescribedVideo | None:
    """All that is known of a video but its clips and its words; None without files."""
    held = video_files(connection, video_id)
    if held is None:
        return None
    row = connection.execute(select(VIDEOS).where(VIDEOS.c.id == video_id)).one()
    counted = select(func.count()).select_from(CLIPS).where(CLIPS.c.video_id == video_id)
    return DescribedVideo(
        video_id,
        VideoRecord(
            row.fingerprint,
            row.duration,
            row.width,
            row.height,
            row.frame_rate,
            row.codec,
            row.container,
            damage=row.damage,
            sample=row.sample,
            captured=row.captured,
            captured_from=row.captured_from,
            camera=row.camera,
        ),
        held.locations,
        clips=connection.scalar(counted) or 0,
        tags=tuple(
            connection.scalars(
                select(TAGS.c.name).where(TAGS.c.video_id == video_id).distinct().order_by("name")
            )
        ),
    )


def failures(connection: Connection) -> tuple[FileProblem, ...]:
    """The files that failed last time, in order of their paths; not those that are no videos."""
    roots = roots_by_id(connection)
    columns = select(FILES.c.root_id, FILES.c.relative_path, FILES.c.error)
    rows = connection.execute(columns.where(FILES.c.error.is_not(None)))
    found = sorted(
        (Path(joined(roots[root], relative)), error)
        for root, relative, error in rows
        if not error.startswith(NO_VIDEO)
    )
    return tuple(FileProblem(path, error) for path, error in found)


def set_content(connection: Connection, content_of: Mapping[FileLocation, int | str]) -> None:
    """Set what files hold now: a video, by its id, or an error.

    Videos that only these files held before are deleted, once all files hold their new content: the
    files may have swapped their names.

    Raises:
        ValueError: a path is not below its root.
    """
    known = rows_at(connection, [absolute_text(location.path) for location in content_of])
    new: dict[str, dict[str, Any]] = {}
    changed: dict[str, dict[str, Any]] = {}
    for location, content in content_of.items():
        path, root = absolute_text(location.path), absolute_text(location.root)
        if not is_below(path, root):
            raise ValueError(f"{location.path} does not lie below {location.root}")
        video_id, error = (content, None) if isinstance(content, int) else (None, content)
        state = {
            "size": location.size,
            "mtime_ns": location.mtime_ns,
            "video_id": video_id,
            "error": error,
        }
        if path in known:
            changed[path] = {"known_id": known[path].id, **state}
        else:
            at = {"root_id": root_at(connection, root), "relative_path": relative_to(path, root)}
            new[path] = at | state
    if changed:
        connection.execute(
            update(FILES).where(FILES.c.id == bindparam("known_id")), [*changed.values()]
        )
    if new:
        connection.execute(insert(FILES), [*new.values()])
    _delete_orphans(connection, known.values())


def remove_files(connection: Connection, paths: Iterable[Path]) -> int:
    """Delete the rows of these very files and the videos that no other file holds; how many."""
    known = rows_at(connection, [absolute_text(path) for path in paths]).values()
    delete_files(connection, known)
    return len(known)


def delete_files(connection: Connection, files: Iterable[KnownFile]) -> tuple[int, int]:
    """Delete these rows and the videos that no other file holds: counts of videos and clips."""
    doomed = list(files)
    for some in in_batches([file.id for file in doomed]):
        connection.execute(delete(FILES).where(FILES.c.id.in_(some)))
    return _delete_orphans(connection, doomed)


def _delete_orphans(connection: Connection, files: Iterable[KnownFile]) -> tuple[int, int]:
    held = {file.video_id for file in files if file.video_id is not None}
    return delete_orphan_videos(connection, sorted(held))


def delete_orphan_videos(connection: Connection, video_ids: Sequence[int]) -> tuple[int, int]:
    """Delete those of these videos, with their clips, that no file holds: how many of each."""
    videos = clips = 0
    for some in in_batches(video_ids):
        orphans = select(VIDEOS.c.id).where(VIDEOS.c.id.in_(some), _NO_LONGER_HELD)
        ids = connection.scalars(orphans).all()
        if not ids:
            continue
        counted = select(func.count()).select_from(CLIPS).where(CLIPS.c.video_id.in_(ids))
        videos, clips = videos + len(ids), clips + (connection.scalar(counted) or 0)
        connection.execute(delete(VIDEOS).where(VIDEOS.c.id.in_(ids)))
    return videos, clips


def rows_at(connection: Connection, paths: Sequence[str]) -> dict[str, KnownFile]:
    """The rows of these very files, as far as they are known, by their absolute paths."""
    rows: dict[str, KnownFile] = {}
    for root_id, root in roots_by_id(connection).items():
        below = [relative_to(path, root) for path in paths if is_below(path, root)]
        for some in in_batches(below):
            query = select(FILES.c.id, FILES.c.relative_path, FILES.c.video_id).where(
                FILES.c.root_id == root_id, FILES.c.relative_path.in_(some)
            )
            for file_id, relative, video_id in connection.execute(query):
                path = joined(root, relative)
                rows[path] = KnownFile(file_id, root_id, path, video_id)
    return rows
