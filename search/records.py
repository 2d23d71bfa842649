"""The results of a search, as frozen values. Times are seconds of a video."""

from dataclasses import dataclass
from pathlib import Path

from catalog import FILE_TIME
from search.asking.asked import Asked
from search.background.voids import Standing
from search.confidence import Confidence


@dataclass(frozen=True, slots=True)
class Said:
    """What is said from `start` to `end` (seconds) of a video, and where that is written.

    `source` is the path of a subtitle file, or the stream inside of the video.
    """

    text: str
    language: str | None
    source: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A moment `[start, end)` of a video of `duration`; score and id are those of its best clip.

    `confidence` and the `standing` that it follows from are None where nothing tells them.
    `duplicates` are moments of other videos that show the same, best first, with the same rank.
    Where one thing is to follow another, `parts` are the moments of all; score, peak and confidence
    are those of the part that is the least sure.
    """

    rank: int  # from 1
    score: float  # a cosine; BM25 where only words were asked for
    path: Path
    start: float
    end: float
    peak: float  # the second that shows it best, for a still image
    duration: float
    clip_id: int
    video_id: int  # in the catalog, for the addresses of films on the page
    other_paths: tuple[Path, ...]  # other files with the same video
    confidence: Confidence | None = None
    standing: Standing | None = None
    captured: float = 0.0  # when it was recorded, in seconds since 1970 (UTC)
    captured_from: str = FILE_TIME  # the source of that time
    said: Said | None = None  # where words were asked for: those near it that hold them
    duplicates: tuple["Hit", ...] = ()
    parts: tuple["Hit", ...] = ()


@dataclass(frozen=True, slots=True)
class VideoCurve:
    """The curve of a step over a whole video: how much of it there is at each of `times`.

    `times` are seconds, ascending. A height of 0 is ordinary in the library. Where not `of_frames`,
    the points are clips, and the times are their middles.
    """

    path: Path
    of_frames: bool
    times: tuple[float, ...]
    heights: tuple[float, ...]
    step: int = 1  # its number in the question


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to a question in the order that was asked for; what is not convincing comes last.

    `curves` are those of the videos of the hits, each once, if they were asked for.
    `notes` are sentences about problems of the query: its end was cut off, or the model probably
    cannot understand it.
    """

    asked: Asked
    model: str
    took_ms: float
    hits: tuple[Hit, ...]
    notes: tuple[str, ...] = ()
    curves: tuple[VideoCurve, ...] = ()

    @property
    def query(self) -> str:
        """What was asked in one line, without filters."""
        return str(self.asked)

    @property
    def convincing(self) -> tuple[Hit, ...]:
        """The hits but for those of which it is known that nothing is convincing about them."""
        return tuple(hit for hit in self.hits if hit.confidence is not Confidence.NONE)
