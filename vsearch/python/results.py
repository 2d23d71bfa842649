"""Results for programs, as frozen values. Times are seconds of a video, dates are aware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from vsearch.services.player import playable

if TYPE_CHECKING:
    from catalog import CatalogStatus, IndexedVideo
    from search import Hit, Said, SearchResult
    from vsearch.services.answers.classify import Classification as Classified

Confidence = Literal["strong", "likely", "weak", "none"]


@dataclass(frozen=True, slots=True)
class SaidWords:
    """What is said from `start` to `end`, by the subtitles in `source`: a file, or a stream."""

    text: str
    language: str | None
    source: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment `[start, end)` of a video of `duration`.

    Attributes:
        path: the video; `also` are other files with the same content.
        peak: the second that shows it best.
        score: the cosine of its best clip; BM25 where only words were asked for.
        confidence: how sure it is; None where that cannot be told, as with an example.
        rank: its place in the answer, from 1.
        clip_id: its best clip in the catalog, for `vsearch cut --clips`.
        video_id: the video in the catalog.
        captured: when the video was recorded; `captured_from` is the source of that time.
        said: the words near it, where words were asked for.
        duplicates: moments of other videos that show the same.
        parts: the moments of all steps, where one thing was to follow another.
    """

    path: Path
    start: float
    end: float
    peak: float
    duration: float
    score: float
    confidence: Confidence | None
    rank: int
    clip_id: int
    video_id: int
    captured: datetime
    captured_from: str
    also: tuple[Path, ...] = ()
    said: SaidWords | None = None
    duplicates: tuple[Moment, ...] = ()
    parts: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer(Sequence[Moment]):
    """The answer to a question: a sequence of its moments, best first or in the order asked for.

    Attributes:
        moments: those of the sequence.
        convincing: whether any moment is; if none is, only `all_=True` shows the nearest.
        query: what was asked, in one line.
        notes: sentences about what is amiss with the question, such as an end that was cut off.
        model: the model that answered.
        took_ms: the time of the search in milliseconds.
    """

    moments: tuple[Moment, ...]
    convincing: bool
    query: str
    notes: tuple[str, ...]
    model: str
    took_ms: float

    def __len__(self) -> int:
        return len(self.moments)

    @overload
    def __getitem__(self, index: int) -> Moment: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Moment, ...]: ...
    def __getitem__(self, index: int | slice) -> Moment | tuple[Moment, ...]:
        return self.moments[index]


@dataclass(frozen=True, slots=True)
class LabelProbability:
    """A label and its probability; `notes` say what is amiss with its text."""

    label: str
    probability: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Classification:
    """Labels of a video, most probable first; together their probabilities make 1."""

    path: Path
    labels: tuple[LabelProbability, ...]
    model: str
    took_ms: float


@dataclass(frozen=True, slots=True)
class Video:
    """A video of the catalog, of `duration` seconds.

    Attributes:
        path: a file that holds it; `also` are further ones.
        captured: when it was recorded; None where that is not known.
        clips: the number of its clips.
        video_id: its id in the catalog, which no other video ever gets.
    """

    path: Path
    duration: float
    captured: datetime | None
    clips: int
    video_id: int
    also: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that could not be indexed, or only in part, and the reason."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """The contents of a catalog.

    Attributes:
        catalog: its folder, or the URL of its database, without the password.
        model: the model that made its vectors; None before the first index run.
        files: those that hold a video; copies of one count as one of `videos`.
        video_seconds: the length of all videos.
        generation: a counter that grows with each change that can change an answer.
        roots: the folders that were indexed.
        failed: files that could not be indexed.
        damaged: files of which a part could not be read.
    """

    catalog: str
    model: str | None
    videos: int
    files: int
    clips: int
    video_seconds: float
    generation: int
    roots: tuple[Path, ...]
    failed: tuple[FailedFile, ...] = field(repr=False)
    damaged: tuple[FailedFile, ...] = field(repr=False)


def moment_of(hit: Hit) -> Moment:
    """A hit as a moment, in the milliseconds that `vsearch query --json` has."""
    return Moment(
        path=hit.path,
        start=playable(hit.start),
        end=round(hit.end, 3),
        peak=round(hit.peak, 3),
        duration=round(hit.duration, 3),
        score=round(hit.score, 6),
        confidence=None if hit.confidence is None else hit.confidence.value,
        rank=hit.rank,
        clip_id=hit.clip_id,
        video_id=hit.video_id,
        captured=_local(hit.captured),
        captured_from=hit.captured_from,
        also=hit.other_paths,
        said=None if hit.said is None else _words_of(hit.said),
        duplicates=tuple(map(moment_of, hit.duplicates)),
        parts=tuple(map(moment_of, hit.parts)),
    )


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).astimezone()


def _words_of(said: Said) -> SaidWords:
    return SaidWords(
        text=said.text,
        language=said.language,
        source=said.source,
        start=playable(said.start),
        end=round(said.end, 3),
    )


def answer_of(result: SearchResult, *, everything: bool) -> Answer:
    """The result of a search; with `everything`, also moments with nothing convincing."""
    return Answer(
        moments=tuple(map(moment_of, result.hits if everything else result.convincing)),
        convincing=bool(result.convincing),
        query=result.query,
        notes=result.notes,
        model=result.model,
        took_ms=round(result.took_ms, 1),
    )


def classification_of(found: Classified) -> Classification:
    """The labels of a video."""
    return Classification(
        path=found.path,
        labels=tuple(
            LabelProbability(label, round(probability, 6), tuple(found.notes.get(label, ())))
            for label, probability in found.labels
        ),
        model=found.model,
        took_ms=round(found.took_ms, 1),
    )


def video_of(found: IndexedVideo) -> Video:
    """An indexed video."""
    return Video(
        path=found.paths[0],
        duration=round(found.duration, 3),
        captured=None if found.captured is None else _local(found.captured),
        clips=found.clips,
        video_id=found.video_id,
        also=found.paths[1:],
    )


def status_of(found: CatalogStatus) -> Status:
    """The contents of a catalog."""
    return Status(
        catalog=str(found.address),
        model=found.provenance.model if found.provenance else None,
        videos=found.videos,
        files=found.files,
        clips=found.clips,
        video_seconds=round(found.video_seconds, 3),
        generation=found.generation,
        roots=found.roots,
        failed=tuple(FailedFile(one.path, one.reason) for one in found.failures),
        damaged=tuple(FailedFile(one.path, one.reason) for one in found.damaged),
    )
