"""Events of an index run.

Order: Walking now and then; one LibraryWalked; any number of ReadingDetails; then, for each file
that is not merely unchanged, an optional VideoStarted, any number of ClipsEmbedded and exactly one
FileDone; perhaps more ReadingDetails. Events of several files interleave. WaitingForOthers may come
between any two, when their number changes.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias


class Outcome(Enum):
    """Outcome of a file; the values are the names of the counts in IndexReport."""

    INDEXED = "indexed"
    UNCHANGED = "unchanged"  # it was touched, its content is the same
    MOVED = "moved"
    BY_OTHERS = "by_others"  # another run on the same catalog has indexed it meanwhile
    FAILED = "failed"
    NO_VIDEO = "no_video"  # something else, in spite of its name


@dataclass(frozen=True, slots=True)
class Walking:
    """Walk in progress; `files` were found so far."""

    files: int


@dataclass(frozen=True, slots=True)
class LibraryWalked:
    """End of the walk: `files` were found; `waiting` of them must be opened, or are unreadable.

    `waiting_bytes` is the size of those together.
    """

    files: int
    waiting: int
    waiting_bytes: int


@dataclass(frozen=True, slots=True)
class ReadingDetails:
    """Reading of details and subtitles: `done` of `files`, which are not among those that wait."""

    done: int
    files: int


@dataclass(frozen=True, slots=True)
class VideoStarted:
    """Start of decoding a video of `duration` seconds and `size` bytes.

    `resumed` seconds of it are embedded already, by an earlier run.
    """

    path: Path
    size: int
    duration: float
    resumed: float = 0.0


@dataclass(frozen=True, slots=True)
class ClipsEmbedded:
    """Embedded clips of a video: `clips` so far, which reach `video_seconds` into it."""

    path: Path
    clips: int
    video_seconds: float


@dataclass(frozen=True, slots=True)
class WaitingForOthers:
    """Nothing left but `files` that other runs on the same catalog are at; 0: no longer so."""

    files: int


@dataclass(frozen=True, slots=True)
class FileDone:
    """End of the work on a file; `size` is that of LibraryWalked, in bytes.

    `clips` and `video_seconds` are 0 unless it was indexed. `error` is set when it failed or is no
    video, `damage` when it was indexed as far as it can be read.
    """

    path: Path
    size: int
    outcome: Outcome
    clips: int = 0
    video_seconds: float = 0.0
    error: str | None = None
    damage: str | None = None


Event: TypeAlias = (
    Walking
    | LibraryWalked
    | ReadingDetails
    | VideoStarted
    | ClipsEmbedded
    | WaitingForOthers
    | FileDone
)
