"""Details reader: what videos tell beside their pictures, and subtitle files.

Runs in a process of its own, as the clip reader does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import Cue, SubtitleFile, SubtitleTrack, VideoDetails
from indexer.decode.messages import End, Message, VideoChanged, VideoUnreadable
from indexer.errors import reason
from indexer.scan.jobs import Job, SubtitleJob
from indexer.scan.missing import UNREAD_SIZE
from indexer.scan.walk import FoundFile
from machine.file_state import size_and_time

if TYPE_CHECKING:
    import media


@dataclass(frozen=True, slots=True)
class DetailsReader:
    """Details reader: each job ends with its one message."""

    preload: tuple[str, ...] = ("media",)
    seconds_of_clip: float = 0.0

    def read(self, job: Job) -> Iterator[Message]:
        """Read a file; what goes wrong in it ends with VideoUnreadable."""
        yield read_details(job)


def read_details(job: Job) -> End:
    """Read the details of a video, or a subtitle file.

    A subtitle file without subtitles has an error, and is no failure.
    """
    try:
        found = _subtitles(job) if isinstance(job, SubtitleJob) else _details(job)
        return found if _is_unchanged(job.file) else VideoChanged()
    except MemoryError:
        return VideoUnreadable("reading it takes more memory than one file is allowed")
    except Exception as error:
        from media import MediaError

        if isinstance(error, MediaError):
            return VideoUnreadable(str(error))
        if isinstance(error, OSError):
            return VideoUnreadable(reason(error), unread=True)
        return VideoUnreadable(f"reading failed unexpectedly ({type(error).__name__}: {error})")


def tracks_of(found: "tuple[media.SubtitleTrack, ...]") -> tuple[SubtitleTrack, ...]:
    """Text streams as the catalog stores them."""
    return tuple(SubtitleTrack(one.stream, one.language, _cues(one.cues)) for one in found)


def _details(job: Job) -> VideoDetails:
    from media import read_details as read

    found = read(job.file.path)
    capture = found.capture
    return VideoDetails(capture.time, capture.source, capture.camera, tracks_of(found.subtitles))


def _subtitles(job: SubtitleJob) -> SubtitleFile:
    from media import MediaError, UnreadableError, read_sidecar

    size, cues, error = job.file.size, tuple[Cue, ...](), None
    try:
        cues = _cues(read_sidecar(job.file.path))
    except UnreadableError as refusal:  # by the system, perhaps not the next time
        size, error = UNREAD_SIZE, str(refusal)
    except MediaError as refusal:
        error = str(refusal)
    beside = tuple(map(Path, job.beside))
    return SubtitleFile(job.file.path, size, job.file.mtime_ns, beside, job.language, cues, error)


def _cues(cues: "tuple[media.Cue, ...]") -> tuple[Cue, ...]:
    return tuple(Cue(cue.start, cue.end, cue.text) for cue in cues)


def _is_unchanged(file: FoundFile) -> bool:
    return size_and_time(file.path.stat()) == (file.size, file.mtime_ns)
