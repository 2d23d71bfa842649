"""A fault of a catalog with the way to mend it, and the ways there are."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.database.tables import Clip, DraftVideo, File, Video
from catalog.store.files import WITHOUT_SYNC, drop_unplaced, in_batches, videos_with_paths

_NAMED = 3
READ_AGAIN = "removed; the next `vsearch index` reads these films again"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, wherever it was met: what it is, and how to mend it all.

    `mended` says what `mend` does, once it is done.
    """

    what: str
    mended: str
    mend: Callable[[Session], None]


def named(things: Sequence[object]) -> str:
    """The first few of these, and how many more there are."""
    shown = ", ".join(str(thing) for thing in things[:_NAMED])
    return f"{shown} and {len(things) - _NAMED} more" if len(things) > _NAMED else shown


def videos_named(session: Session, video_ids: Collection[int]) -> str:
    """Where the first few of these videos lie, and how many more there are."""
    ids = sorted(video_ids)
    places = videos_with_paths(session, video_ids=ids[:_NAMED])
    shown = [str(places[number][0]) if number in places else f"video {number}" for number in ids]
    return named(shown)


def drop_videos(session: Session, video_ids: Collection[int]) -> None:
    """Delete these videos with their clips, and every file row that holds one of them."""
    for some in in_batches(sorted(video_ids)):
        for doomed in (
            delete(File).where(File.video_id.in_(some)),
            delete(Clip).where(Clip.video_id.in_(some)),
            delete(Video).where(Video.id.in_(some)),
        ):
            session.execute(doomed, execution_options=WITHOUT_SYNC)


def drop_files(session: Session, file_ids: Collection[int]) -> None:
    """Delete these file rows, and the videos that lie nowhere else."""
    held: set[int] = set()
    for some in in_batches(sorted(file_ids)):
        videos = select(File.video_id).where(File.id.in_(some), File.video_id.is_not(None))
        held.update(number for number in session.scalars(videos) if number is not None)
        session.execute(delete(File).where(File.id.in_(some)), execution_options=WITHOUT_SYNC)
    drop_unplaced(session, sorted(held))


def remove_partials(session: Session, draft_ids: Collection[int]) -> None:
    """Delete these drafts with their clips."""
    for some in in_batches(sorted(draft_ids)):
        doomed = delete(DraftVideo).where(DraftVideo.id.in_(some))
        session.execute(doomed, execution_options=WITHOUT_SYNC)
