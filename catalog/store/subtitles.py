"""Subtitles: streams inside of videos and files beside them, written with their cues.

A subtitle file belongs to the file of a video, whatever that holds: where that file is moved,
forgotten or removed in the catalog, its subtitles are, too.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from catalog.database.database import insert_row
from catalog.database.tables import CUES, FILES, SUBTITLES, VIDEOS
from catalog.database.words import indexed
from catalog.records import (
    Cue,
    FileProblem,
    SubtitleFile,
    SubtitleState,
    SubtitleTrack,
    VideoDetails,
)
from catalog.store.files import in_batches, rows_at, rows_under
from catalog.store.roots import absolute_text, joined, roots_by_id

_BESIDE = FILES.join(SUBTITLES, SUBTITLES.c.file_id == FILES.c.id)


def set_tracks(connection: Connection, video_id: int, tracks: Iterable[SubtitleTrack]) -> None:
    """Set the text streams of a video, and note that they were read."""
    connection.execute(delete(SUBTITLES).where(SUBTITLES.c.video_id == video_id))
    for track in tracks:
        row = {"video_id": video_id, "stream": track.stream, "language": track.language}
        _add_cues(connection, insert_row(connection, SUBTITLES, row), track.cues)
    read = update(VIDEOS).where(VIDEOS.c.id == video_id)
    connection.execute(read.values(subtitles_read=1))


def without_details(connection: Connection) -> frozenset[int]:
    """The ids of the videos whose capture time or text streams were never read."""
    missing = or_(VIDEOS.c.captured_from.is_(None), VIDEOS.c.subtitles_read.is_(None))
    return frozenset(connection.scalars(select(VIDEOS.c.id).where(missing)))


def set_details(connection: Connection, found: Mapping[int, VideoDetails]) -> None:
    """Set the details of videos, by their ids; one without a video is no error."""
    there: set[int] = set()
    for some in in_batches(sorted(found)):
        there.update(connection.scalars(select(VIDEOS.c.id).where(VIDEOS.c.id.in_(some))))
    for video_id in sorted(there):
        details = found[video_id]
        video = update(VIDEOS).where(VIDEOS.c.id == video_id)
        connection.execute(
            video.values(
                captured=details.captured,
                captured_from=details.captured_from,
                camera=details.camera,
            )
        )
        set_tracks(connection, video_id, details.subtitles)


def states_beside(
    connection: Connection, paths: Iterable[Path]
) -> dict[str, dict[str, SubtitleState]]:
    """The subtitle files of each video file that is one of `paths` or below one, by their names."""
    columns = (SUBTITLES.c.name, SUBTITLES.c.size, SUBTITLES.c.mtime_ns, SUBTITLES.c.error)
    found: dict[str, dict[str, SubtitleState]] = {}
    for path, name, *state in rows_under(connection, paths, columns, among=_BESIDE):
        found.setdefault(path, {})[name] = SubtitleState(*state)
    return found


def set_files(connection: Connection, found: Iterable[SubtitleFile]) -> None:
    """Set what subtitle files hold now, for each of the videos beside them that is known."""
    for subtitles in found:
        row = {
            "name": subtitles.path.name,
            "size": subtitles.size,
            "mtime_ns": subtitles.mtime_ns,
            "language": subtitles.language,
            "error": subtitles.error,
        }
        of_videos = rows_at(connection, [absolute_text(path) for path in subtitles.beside])
        for file in of_videos.values():
            _remove(connection, file.id, [subtitles.path.name])
            added = insert_row(connection, SUBTITLES, {"file_id": file.id} | row)
            _add_cues(connection, added, subtitles.cues)


def remove_files(connection: Connection, gone: Mapping[Path, Collection[str]]) -> None:
    """Remove subtitle files by their names, for each file of a video that they lay beside."""
    names = {absolute_text(path): gone[path] for path in gone}
    for path, file in rows_at(connection, [*names]).items():
        _remove(connection, file.id, names[path])


def count(connection: Connection) -> int:
    """The number of cues."""
    return connection.scalar(select(func.count()).select_from(CUES)) or 0


def failures(connection: Connection) -> tuple[FileProblem, ...]:
    """The subtitle files that could not be read, in order of their paths."""
    roots = roots_by_id(connection)
    columns = select(FILES.c.root_id, FILES.c.relative_path, SUBTITLES.c.name, SUBTITLES.c.error)
    rows = connection.execute(columns.select_from(_BESIDE).where(SUBTITLES.c.error.is_not(None)))
    # One that lies beside two videos is one file.
    problems = {
        Path(joined(roots[root], relative)).with_name(name): error
        for root, relative, name, error in rows
    }
    return tuple(FileProblem(path, problems[path]) for path in sorted(problems))


def _add_cues(connection: Connection, subtitle_id: int, cues: Iterable[Cue]) -> None:
    values = []
    for cue in cues:
        words = indexed(cue.text)
        values.append(
            {
                "subtitle_id": subtitle_id,
                "start": cue.start,
                "end": cue.end,
                "text": cue.text,
                "words": None if words == cue.text else words,
            }
        )
    if values:
        connection.execute(insert(CUES), values)


def _remove(connection: Connection, file_id: int, names: Collection[str]) -> None:
    gone = SUBTITLES.c.file_id == file_id, SUBTITLES.c.name.in_(names)
    connection.execute(delete(SUBTITLES).where(*gone))
