"""A fault of a catalog with the way to mend it, and the ways there are."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from catalog.database.tables import CLIPS, FILES, PARTIALS, VIDEOS
from catalog.store.files import delete_orphan_videos, in_batches, paths_of_videos

_NAMED = 3
READ_AGAIN = "removed; the next `vsearch index` reads these films again"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, wherever it was met: what it is, and how to mend it all.

    `mended` says what `mend` does, once it is done.
    """

    what: str
    mended: str
    mend: Callable[[Connection], None]


def named(things: Sequence[object]) -> str:
    """The first few of these, and how many more there are."""
    shown = ", ".join(str(thing) for thing in things[:_NAMED])
    return f"{shown} and {len(things) - _NAMED} more" if len(things) > _NAMED else shown


def videos_named(connection: Connection, video_ids: Collection[int]) -> str:
    """Where the first few of these videos lie, and how many more there are."""
    ids = sorted(video_ids)
    places = paths_of_videos(connection, ids[:_NAMED])
    shown = [str(places[number][0]) if number in places else f"video {number}" for number in ids]
    return named(shown)


def drop_videos(connection: Connection, video_ids: Collection[int]) -> None:
    """Delete these videos with their clips, and every file row that holds one of them."""
    for some in in_batches(sorted(video_ids)):
        for doomed in (
            delete(FILES).where(FILES.c.video_id.in_(some)),
            delete(CLIPS).where(CLIPS.c.video_id.in_(some)),
            delete(VIDEOS).where(VIDEOS.c.id.in_(some)),
        ):
            connection.execute(doomed)


def drop_files(connection: Connection, file_ids: Collection[int]) -> None:
    """Delete these file rows, and the videos that lie nowhere else."""
    held: set[int] = set()
    for some in in_batches(sorted(file_ids)):
        videos = select(FILES.c.video_id).where(FILES.c.id.in_(some), FILES.c.video_id.is_not(None))
        held.update(number for number in connection.scalars(videos) if number is not None)
        connection.execute(delete(FILES).where(FILES.c.id.in_(some)))
    delete_orphan_videos(connection, sorted(held))


def remove_partials(connection: Connection, draft_ids: Collection[int]) -> None:
    """Delete these drafts with their clips."""
    for some in in_batches(sorted(draft_ids)):
        doomed = delete(PARTIALS).where(PARTIALS.c.id.in_(some))
        connection.execute(doomed)
