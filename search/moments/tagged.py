"""Stretches that a question leaves out because of their tags."""

from collections.abc import Iterable

from catalog import ClipMatch, LibraryVectors, VideoFilter
from search.moments.curve import Stretch


def tagged_stretches(
    library: LibraryVectors, clips: Iterable[ClipMatch], *, videos: VideoFilter
) -> dict[int, list[Stretch]]:
    """The stretches with an unwanted tag in the videos of clips, by the id of the video.

    A clip that meets the filter may reach into one, and its moment may lie there.

    Raises:
        UnknownTagError: nothing has one of the tags.
    """
    found: dict[int, list[Stretch]] = {}
    if videos.without_tags:
        of_clips = {clip.video_id for clip in clips}
        for video_id, start, end in library.tagged(videos.without_tags, of_clips):
            found.setdefault(video_id, []).append(Stretch(start, end, start))
    return found
