"""Questions: labels whose videos were found in a catalog, one question a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catalog import IndexedVideo, composed
from evaluation.labels import Label, by_sentence


@dataclass(frozen=True, slots=True)
class Place:
    """A place where a sentence is true: `[start, end)` of a video in seconds, or all of it.

    `path` is the first file with the video.
    """

    video_id: int
    path: Path
    span: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence, and the places where it is true; none if it is true of nothing.

    Attributes:
        line: its first line in the file.
        within: the one video that is asked; None: all of them.
    """

    line: int
    sentence: str
    places: tuple[Place, ...]
    within: Path | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that cannot be asked of this catalog, and the reason in one sentence."""

    line: int
    reason: str


def questions_of(
    labels: Iterable[Label], videos: Sequence[IndexedVideo], *, given_video: bool = False
) -> tuple[tuple[Question, ...], tuple[LeftOut, ...]]:
    """The questions that these videos can answer, and the lines that are left out.

    A moment that ends after its video ends with it. With `given_video` each sentence is asked once
    for each of its videos, within that video alone; sentences that are true of nothing are left
    out.
    """
    names = _Names(videos)
    left_out: list[LeftOut] = []
    questions: list[Question] = []
    for sentence, its in by_sentence(labels).items():
        places: dict[int, list[Place]] = {}
        lines: dict[int, int] = {}
        for label in its:
            try:
                video = names.find(label)
                place = _place(label, video) if video else None
            except ValueError as error:
                left_out.append(LeftOut(label.line, str(error)))
                continue
            if place:
                places.setdefault(place.video_id, []).append(place)
                lines.setdefault(place.video_id, label.line)
        if given_video:
            questions += [
                Question(lines[video_id], sentence, tuple(same), same[0].path)
                for video_id, same in places.items()
            ]
        elif places or its[0].video is None:
            every = tuple(place for same in places.values() for place in same)
            line = min(lines.values(), default=its[0].line)
            questions.append(Question(line, sentence, every))
    return tuple(questions), tuple(left_out)


def _place(label: Label, video: IndexedVideo) -> Place:
    if label.span is None:
        return Place(video.video_id, video.paths[0], None)
    start, end = label.span
    if start >= video.duration:
        raise ValueError(
            f"the moment begins at {start:g} s, after the end of {label.video} ({video.duration:g}"
            " s); correct its times"
        )
    return Place(video.video_id, video.paths[0], (start, min(end, video.duration)))


class _Names:
    """The videos of a catalog by the names that a label may give them."""

    def __init__(self, videos: Iterable[IndexedVideo]) -> None:
        self._called: dict[str, list[tuple[str, IndexedVideo]]] = {}
        for video in videos:
            for path in video.paths:
                for spelled in _spellings(path):
                    name = spelled.rpartition("/")[2]
                    self._called.setdefault(name, []).append((spelled, video))

    def find(self, label: Label) -> IndexedVideo | None:
        """The video of a label; None if it is true of nothing.

        Raises:
            ValueError: there is none of that name, or several; the message is a sentence.
        """
        if label.video is None:
            return None
        text = composed(PurePosixPath(label.video).as_posix())
        found = {
            video.video_id: video
            for spelled, video in self._called.get(text.rpartition("/")[2], ())
            if spelled == text or spelled.endswith(f"/{text}")
        }
        if not found:
            raise ValueError(
                f"no indexed video is called {label.video}; index it, or correct its name"
            )
        if len(found) > 1:
            raise ValueError(f"{len(found)} videos are called {label.video}; give more of the path")
        return next(iter(found.values()))


def _spellings(path: Path) -> Iterator[str]:
    """A path with the suffix of its file and without."""
    text = composed(path.as_posix())
    yield text
    if path.suffix:
        yield text.removesuffix(composed(path.suffix))
