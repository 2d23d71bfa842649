"""The frozen values that cross the catalog's border. Times are seconds in a film."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# How the reason begins why a file is not in the catalog that is no video at all: no failure.
NO_VIDEO = "is no video: "


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made the vectors of a catalog.

    Vectors may be compared only when the weights, the frames per clip, the window and the stride
    agree. `model` and `revision` are names for the weights: the same weights under another name
    (a local copy of a published checkpoint) make the same vectors.
    """

    model: str
    revision: str | None
    weights_digest: str
    dimension: int
    frames_per_clip: int
    window: float  # seconds
    stride: float  # seconds

    def agrees_with(self, other: "Provenance") -> bool:
        """Whether vectors made under both may live in one catalog."""
        return self._essence() == other._essence()

    def _essence(self) -> tuple[str, int, int, float, float]:
        return (
            self.weights_digest,
            self.dimension,
            self.frames_per_clip,
            self.window,
            self.stride,
        )


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """A stretch `[start, end)` of a film, in seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FileLocation:
    """A place where content lies: `path` is a file somewhere under the folder `root`.

    Both are absolute. `size` is in bytes; `mtime_ns`, nanoseconds within 64 bits, is only compared.
    """

    root: Path
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FileState:
    """What the catalog knows of a file: it holds a video, or it failed last time with `error`."""

    size: int
    mtime_ns: int
    video_id: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """Content, independent of where it lies."""

    fingerprint: str
    duration: float  # seconds
    width: int
    height: int
    frame_rate: float
    codec: str
    container: str
    damage: str | None = None  # what of it could not be read, in one sentence; None if it is sound
    sample: str | None = (
        None  # leads to it from a few bytes of a file; see `Catalog.sample_matches`
    )


@dataclass(frozen=True, slots=True)
class SampleMatch:
    """A video that a file may hold, as a sample of both agrees.

    `fingerprint` is None for one of which never more than the sample was taken. `sound` is whether
    all of it could be read.
    """

    video_id: int
    fingerprint: str | None
    sound: bool
    locations: tuple[FileLocation, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PartialVideo:
    """The clips of an unfinished film that have vectors already, in order of their starts."""

    fingerprint: str
    duration: float  # seconds
    spans: tuple[ClipSpan, ...]
    vectors: NDArray[np.float32]  # (N, D), of unit length
    damage: str | None  # what of it could not be read so far, in one sentence


@dataclass(frozen=True, slots=True)
class ClipMatch:
    """A clip near a query. `score` is a cosine in [-1, 1]; `other_paths` are further copies."""

    clip_id: int
    video_id: int
    score: float
    start: float
    end: float
    duration: float  # of the whole film
    path: Path
    other_paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file or folder, and what is wrong with it, in one sentence."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out of a catalog."""

    files: int  # places, failures included
    videos: int  # content that lies nowhere any more
    clips: int


@dataclass(frozen=True, slots=True)
class Relocated:
    """What a relocation did."""

    files: int  # places that are known elsewhere now, failures included
    found: int  # those of them that are there on disk


@dataclass(frozen=True, slots=True)
class CatalogStatus:
    """What is in a catalog, counted in one moment."""

    folder: Path
    catalog_uuid: str  # another one for a catalog made anew in the same folder
    provenance: Provenance | None
    videos: int
    files: int  # places that hold a video; failures are counted apart
    clips: int
    video_seconds: float
    database_bytes: int
    snapshot_bytes: int
    failures: tuple[FileProblem, ...]
    generation: int
    schema_version: int
    damaged: tuple[FileProblem, ...] = ()
    partials: int = 0  # videos whose embedding was interrupted
    roots: tuple[Path, ...] = ()  # the folders that all files lie below


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a catalog that is not as it should be, each half in one sentence."""

    what: str
    mended: str | None  # what a repair did about it; None: it stands


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a whole catalog found, and how much there was to check."""

    problems: tuple[Problem, ...]
    files: int  # places, failures included
    videos: int
    clips: int

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong any more."""
        return all(problem.mended is not None for problem in self.problems)
