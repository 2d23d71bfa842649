"""Listing of the videos of a catalog, page by page, and what is known of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog import UnknownPathError
from machine.file_state import size_and_time
from machine.names import shown
from machine.presence import is_regular_file
from vsearch.errors import UnknownVideoError
from vsearch.services.library.known_paths import known_as

if TYPE_CHECKING:
    from pathlib import Path

    from catalog import Catalog, DescribedVideo, FileLocation, FileProblem, IndexedVideo

MOST_VIDEOS = 1000
"""The videos of one page, at most."""

LARGEST_ID = 2**63 - 1
"""The largest id of a video or clip that a catalog can hold."""


@dataclass(frozen=True, slots=True)
class VideoPage:
    """Some videos in order of their ids; `after` is to be given for the next page, if any."""

    videos: tuple[IndexedVideo, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a video, and whether it is there as it was indexed.

    `state` is `there`, `changed` or `gone`.
    """

    location: FileLocation
    state: str


@dataclass(frozen=True, slots=True)
class ListedVideo:
    """A video with the states of its files, and the subtitle files beside them that failed."""

    video: DescribedVideo
    files: tuple[ListedFile, ...]
    failed_subtitles: tuple[FileProblem, ...]


def list_videos(
    catalog: Catalog, *, folder: Path | None = None, after: int = 0, limit: int = 100
) -> VideoPage:
    """The videos with ids above `after`, in order of the ids, `limit` at most.

    Ids grow in the order in which videos were indexed and are never used again, so that no page
    repeats or misses a video that stays, whatever is indexed and removed meanwhile. With `folder`,
    an absolute path, only videos that have a file there or below.

    Raises:
        UnknownPathError: nothing is known at or below the folder.
    """
    found = catalog.details.listed(under=folder, after=after, limit=limit + 1)
    if folder is not None and not found:
        under = known_as(catalog, folder)
        if not catalog.known_files([under]):
            raise UnknownPathError(
                f"nothing is known at or below {shown(folder)}; give a folder that is indexed, or "
                "one below it"
            )
        found = catalog.details.listed(under=under, after=after, limit=limit + 1)
    page = found[:limit]
    return VideoPage(page, page[-1].video_id if len(found) > limit else None)


def describe_video(catalog: Catalog, video_id: int) -> ListedVideo:
    """What is known of a video, and which of its files are there.

    Raises:
        UnknownVideoError: the catalog has no such video.
    """
    video = catalog.details.of_video(video_id)
    if video is None:
        raise UnknownVideoError(
            f"the catalog has no video {video_id}; the list of videos has the ids"
        )
    places = [location.path for location in video.locations]
    return ListedVideo(
        video,
        tuple(ListedFile(one, _state_of(one)) for one in video.locations),
        catalog.details.failed_subtitles(places),
    )


def _state_of(location: FileLocation) -> str:
    if not is_regular_file(location.path):
        return "gone"
    try:
        same = size_and_time(location.path.stat()) == (location.size, location.mtime_ns)
    except OSError:
        return "gone"
    return "there" if same else "changed"
