"""Recognition of the known video in a file, without reading all of it."""

from collections.abc import Sequence

from catalog import FileLocation, SampleMatch
from indexer.scan.fingerprint import read_sample
from indexer.scan.jobs import VideoJob
from indexer.scan.missing import UNREAD_SIZE
from indexer.scan.walk import FoundFile
from machine.file_state import size_and_time


def moved_video(place: FileLocation, lookalikes: Sequence[SampleMatch]) -> int | None:
    """Id of the one sound video whose file was most likely moved here.

    That is so where a known place had the same sample, size and time of the last change, to the
    nanosecond, and no longer has them. Reading a whole library because it was renamed would take
    days. A damaged video has to be proven: somebody may have repaired it.
    """
    left = [
        video
        for video in lookalikes
        if any(_has_left(before, now=place) for before in video.locations)
    ]
    return left[0].video_id if len(left) == 1 and left[0].sound else None


def _has_left(before: FileLocation, *, now: FileLocation) -> bool:
    same = (before.size, before.mtime_ns) == (now.size, now.mtime_ns)
    return same and before.path != now.path and _looks_changed(before)


def _looks_changed(place: FileLocation) -> bool:
    """Whether the place is empty or has other content; False where the system gives no answer."""
    try:
        state = place.path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return size_and_time(state) != (place.size, place.mtime_ns)


def witness_of(video: SampleMatch, *, sample: str) -> VideoJob | None:
    """Job that reads the fingerprint of a video, at a place that has not changed since."""
    for place in video.locations:
        if place.size == UNREAD_SIZE or not is_unchanged(place):
            continue
        try:
            read = read_sample(place.path)
        except OSError:
            continue
        if read.digest == sample:
            file = FoundFile(place.root, str(place.path), place.size, place.mtime_ns)
            return VideoJob(file, read, fingerprint_only=True)
    return None


def is_unchanged(place: FileLocation) -> bool:
    """Whether the file still has the size and time of `place`."""
    try:
        state = place.path.stat()
    except OSError:
        return False
    return size_and_time(state) == (place.size, place.mtime_ns)
