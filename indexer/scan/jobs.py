"""Jobs for the decode pool: what scanning hands on of a file that has to be read."""

from dataclasses import dataclass, field
from typing import TypeAlias

from catalog import ClipSpan, FileLocation
from indexer.scan.fingerprint import Content, Sample
from indexer.scan.walk import FoundFile


@dataclass(frozen=True, slots=True)
class VideoJob:
    """File to be decoded, or only read for its fingerprint, and its sample when its turn came.

    `content` is known where the file was read for its fingerprint before. `ready` are clips that an
    earlier run has embedded already; they count as long as the file has the fingerprint `ready_of`,
    and lasts `ready_duration` seconds, to the digit.
    """

    file: FoundFile
    sample: Sample
    fingerprint_only: bool = False
    content: Content | None = field(default=None, compare=False)
    ready: frozenset[ClipSpan] = field(default=frozenset(), compare=False)
    ready_of: str = field(default="", compare=False)
    ready_duration: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class DetailsJob:
    """Unchanged file of a video that was indexed before its details were read."""

    file: FoundFile
    video_id: int


@dataclass(frozen=True, slots=True)
class SubtitleJob:
    """Subtitle file to be read, and the files of videos `beside` it; their pathnames are sorted."""

    file: FoundFile
    beside: tuple[str, ...]
    language: str | None


Job: TypeAlias = VideoJob | DetailsJob | SubtitleJob


def location_of(file: FoundFile, sample: Sample) -> FileLocation:
    """Location of a file in its state before it was read: the next run sees a later change."""
    return FileLocation(root=file.root, path=file.path, size=sample.size, mtime_ns=sample.mtime_ns)
