"""The frozen values that cross the catalog's border. Times are seconds in a video."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.address import Address
from catalog.frame_vectors import QuantisedVectors
from catalog.provenance import Provenance

# The beginning of the error of a file that is no video at all: it does not count as a failure.
NO_VIDEO = "is no video: "


FILE_TIME = "file time"
"""The source of a capture time that only the files themselves tell."""


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """The interval `[start, end)` of a video, in seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FileLocation:
    """A file at an absolute `path` below the absolute folder `root`, and its state.

    `size` is in bytes; `mtime_ns`, nanoseconds within 64 bits, is only compared.
    """

    root: Path
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as the catalog knows it: it holds a video, or it failed last time with `error`."""

    size: int
    mtime_ns: int
    video_id: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Cue:
    """Text that is displayed from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """The cues of a text stream inside of a video, in order of their starts."""

    stream: int  # its number in the file
    language: str | None
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class SubtitleFile:
    """A subtitle file and the files of videos that it lies `beside`, by their absolute paths.

    `error` is why its cues could not be read, in a few words.
    """

    path: Path
    size: int
    mtime_ns: int
    beside: tuple[Path, ...]
    language: str | None = None
    cues: tuple[Cue, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SubtitleState:
    """A subtitle file as the catalog knows it."""

    size: int
    mtime_ns: int
    error: str | None


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """What a video tells beside its pictures; see `VideoRecord`."""

    captured: float | None
    captured_from: str
    camera: str | None
    subtitles: tuple[SubtitleTrack, ...]


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """The content of a video, independent of the files that hold it."""

    fingerprint: str
    duration: float  # seconds
    width: int
    height: int
    frame_rate: float
    codec: str
    container: str
    damage: str | None = None  # the part that could not be read, in one sentence; None: no damage
    sample: str | None = None  # made from a few bytes of a file; see `Catalog.sample_matches`
    captured: float | None = None  # when it was recorded, in seconds since 1970 (UTC)
    captured_from: str | None = None  # the source of that time; None: not read yet
    camera: str | None = None  # make and model
    subtitles: tuple[SubtitleTrack, ...] | None = None  # None: not read yet


@dataclass(frozen=True, slots=True)
class IndexedVideo:
    """A video of the catalog, and the files that hold it: at least one, in alphabetical order."""

    video_id: int
    duration: float  # seconds
    paths: tuple[Path, ...]
    captured: float | None = None  # see VideoRecord
    clips: int = 0


@dataclass(frozen=True, slots=True)
class VideoFiles:
    """A video of the catalog with the state of the files that hold it: at least one, by path.

    `duration` is in seconds, `container` FFmpeg's name.
    """

    video_id: int
    duration: float
    container: str
    locations: tuple[FileLocation, ...]


@dataclass(frozen=True, slots=True)
class DescribedVideo:
    """A video of the catalog, and the files that hold it: at least one, by path.

    `clips` counts its clips; `tags` are the names that moments of it have; the record is without
    subtitles.
    """

    video_id: int
    record: VideoRecord
    locations: tuple[FileLocation, ...]
    clips: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleMatch:
    """A video that a file may hold, as the samples of both are equal.

    `fingerprint` is None for a video of which only the sample is known. `sound` is whether all of
    it could be read.
    """

    video_id: int
    fingerprint: str | None
    sound: bool
    locations: tuple[FileLocation, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PartialVideo:
    """The clips with vectors of a video whose embedding was interrupted, in order of their starts.

    Attributes:
        vectors: (N, D) float32 of unit length, one for each of the N spans.
        frames: for each span the vectors of its T frames, or None where they were not kept.
        damage: the part that could not be read so far, in one sentence.
    """

    fingerprint: str
    duration: float  # seconds
    spans: tuple[ClipSpan, ...]
    vectors: NDArray[np.float32]
    frames: tuple[QuantisedVectors | None, ...]
    damage: str | None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.spans):
            raise ValueError(f"{len(self.spans)} clips with vectors {self.vectors.shape}")
        if len(self.frames) != len(self.spans):
            raise ValueError(f"{len(self.spans)} clips with the frames of {len(self.frames)}")


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What an answer stands against: the means of sentences and clips, and scores by chance.

    Attributes:
        bank: names the sentences and the model that it was made with.
        generation: the catalog's when it was made; as long as that is the same, it is up to date.
        newest: the highest id of the clips that were taken in.
        clips: their number.
        drawn_from: the number of clips when their mean was taken.
        changed: the number of clips that came or went since then.
        mean_text: (D,) float32, the mean of the sentences.
        most: the largest share of it that is taken from a question.
        mean_clip: (D,) float32, the mean of the library.
        maxima: (V,) float32, the best score of any clip for each of V voids.
        best_clips: (V,) int64, the ids of these clips.
    """

    bank: str
    generation: int
    newest: int
    clips: int
    drawn_from: int
    changed: int
    mean_text: NDArray[np.float32]
    most: float
    mean_clip: NDArray[np.float32]
    maxima: NDArray[np.float32]
    best_clips: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClipMatch:
    """A clip near a query.

    `score` is a cosine in [-1, 1]. `paths` are the files with its video, in alphabetical order, at
    least one; where there is a filter, those that do not meet it are `other_paths`. `captured` is
    when the video was recorded, in seconds since 1970 (UTC), by `captured_from`: see `VideoRecord`,
    or "file time", the oldest of its files.
    """

    clip_id: int
    video_id: int
    score: float
    start: float
    end: float
    duration: float  # of the whole video
    paths: tuple[Path, ...]
    other_paths: tuple[Path, ...]
    captured: float = 0.0
    captured_from: str = FILE_TIME

    @property
    def path(self) -> Path:
        """The first of the paths."""
        return self.paths[0]


@dataclass(frozen=True, slots=True)
class Tag:
    """A name for the stretch `[start, end)` of a video.

    `score` is the centred score of its best clip, `confidence` the word for it.
    """

    name: str
    video_id: int
    start: float
    end: float
    confidence: str
    score: float


@dataclass(frozen=True, slots=True)
class TagCount:
    """Counts of all stretches under one name; `seconds` is the sum of their lengths."""

    name: str
    videos: int
    moments: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CueMatch:
    """A cue that holds the words that were asked for, or two consecutive ones that do together.

    Attributes:
        clip_id: the id of the clip at its middle.
        score: BM25; higher is better.
        source: the path of the subtitle file, or the stream inside of the video.
        duration, paths, other_paths, captured, captured_from: of the video; see `ClipMatch`.
    """

    video_id: int
    clip_id: int
    score: float
    start: float
    end: float
    text: str
    language: str | None
    source: str
    duration: float
    paths: tuple[Path, ...]
    other_paths: tuple[Path, ...]
    captured: float = 0.0
    captured_from: str = FILE_TIME


@dataclass(frozen=True, slots=True, eq=False)
class CueSpans:
    """When words are said: N intervals, in no order.

    Attributes:
        video_ids: (N,) int64.
        starts: (N,) float64, in seconds.
        ends: (N,) float64, in seconds.
    """

    video_ids: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that could not be read, or not in full, and the reason in one sentence."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Removed:
    """Counts of what was removed from a catalog."""

    files: int  # failures included
    videos: int  # content that no file holds any more
    clips: int


@dataclass(frozen=True, slots=True)
class Relocated:
    """Counts of a relocation."""

    files: int  # files that are known at other paths now, failures included
    found: int  # those of them that exist on disk


@dataclass(frozen=True, slots=True)
class CatalogStatus:
    """The contents of a catalog, counted in one transaction."""

    address: Address
    catalog_uuid: str  # another one for a catalog made anew in the same place
    provenance: Provenance | None
    videos: int
    files: int  # files that hold a video; failures are counted apart
    clips: int
    video_seconds: float
    database_bytes: int
    snapshot_bytes: int
    failures: tuple[FileProblem, ...]
    generation: int
    schema_version: int
    damaged: tuple[FileProblem, ...] = ()
    partials: int = 0  # videos whose embedding was interrupted
    without_frames: int = 0  # videos that have no frame vectors
    tags: int = 0  # names of stretches, each counted once
    cues: int = 0  # of subtitles
    subtitle_failures: tuple[FileProblem, ...] = ()
    roots: tuple[Path, ...] = ()  # the folders that all files are below


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a catalog, and its repair.

    Attributes:
        what: the problem, in one sentence.
        repaired: the effect of the repair, in one sentence; None if there was no repair.
    """

    what: str
    repaired: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """The problems that a check of a whole catalog found, and the numbers of what it checked."""

    problems: tuple[Problem, ...]
    files: int  # failures included
    videos: int
    clips: int

    @property
    def sound(self) -> bool:
        """Whether all problems are repaired."""
        return all(problem.repaired is not None for problem in self.problems)
