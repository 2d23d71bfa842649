"""The normal form of a question: everything that was asked, as frozen values."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from catalog import EVERY_VIDEO, VideoFilter
from machine.clock_text import clock_text
from search.errors import EmptyQueryError, InvalidLimitError, InvalidSequenceError

LESS = 0.5
"""The weight of a sentence that is not wanted, where none is given."""

WITHIN = 20.0
"""The time in seconds in which a step has to follow, where none is given."""

MOST_STEPS = 10


class Sort(StrEnum):
    """The order of an answer's moments; the times are those of recording."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its weight: above 0 it is wanted, below 0 it is not."""

    text: str
    weight: float = 1.0

    def __str__(self) -> str:
        """The sentence, and its weight where that is not the usual one."""
        usual = 1.0 if self.weight > 0 else LESS
        factor = abs(self.weight) / usual
        return self.text if factor == 1.0 else f"{self.text}^{factor:.6g}"


@dataclass(frozen=True, slots=True)
class Example:
    """A file that shows what is wanted: more like it.

    Attributes:
        path: of a picture or video, as it was given.
        time: the moment of the video, in seconds; None: all of it.
        weight: above 0, beside that of sentences.
    """

    path: Path
    time: float | None = None
    weight: float = 1.0

    def __str__(self) -> str:
        """The file and the moment, and the weight where that is not the usual one."""
        moment = "" if self.time is None else f"@{_moment_text(self.time)}"
        factor = "" if self.weight == 1.0 else f"^{self.weight:.6g}"
        return f"like {self.path}{moment}{factor}"


def _moment_text(seconds: float) -> str:
    """As it can be given again: `1:23`, `1:02:03.5`."""
    whole, rest = divmod(round(seconds, 3), 1.0)
    return clock_text(whole) + (f"{rest:.3g}".removeprefix("0") if rest else "")


@dataclass(frozen=True, slots=True)
class Step:
    """What one moment is to show: all that is wanted, and not the rest."""

    sentences: tuple[Sentence, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the sentences, as a model reads them."""
        return tuple(sentence.text.strip() for sentence in self.sentences)

    @property
    def wants_something(self) -> bool:
        """Whether a sentence or an example says what is wanted."""
        return bool(self.examples) or any(sentence.weight > 0 for sentence in self.sentences)

    def __str__(self) -> str:
        """All of it in one line: `a dog + like beach.mp4@01:23, not: a cat`."""
        wanted = [one for one in self.sentences if one.weight > 0]
        return " + ".join(map(str, (*wanted, *self.examples))) + "".join(
            f", not: {one}" for one in self.sentences if one.weight < 0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question in its normal form.

    Attributes:
        steps: what is to be seen, one after the other in one video; mostly it is one moment.
        within: the time in seconds after a step's end until which the next has to start.
        limit: maximum number of moments.
        videos: only moments of videos that meet this filter compete.
        said: words of subtitles. With sentences, only moments near them compete; without any, the
            moments are those at which they are said.
        sort: the order of the moments (see `search.arrangement`).
        per_video: maximum number of moments of one video; 0: no maximum.
        fold: moments of several videos that show the same are one, with its duplicates.
    """

    steps: tuple[Step, ...]
    within: float = WITHIN
    limit: int = 10
    videos: VideoFilter = EVERY_VIDEO
    said: str | None = None
    sort: Sort = Sort.RELEVANCE
    per_video: int = 0
    fold: bool = False

    @classmethod
    def of(cls, text: str, *, limit: int = 10, videos: VideoFilter = EVERY_VIDEO) -> Self:
        """The question that a single sentence asks."""
        return cls(steps=(Step((Sentence(text),)),), limit=limit, videos=videos)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of all sentences."""
        return tuple(text for step in self.steps for text in step.texts)

    @property
    def by_vectors(self) -> bool:
        """Whether sentences or examples are asked, and not only words that are said."""
        return any(step != Step() for step in self.steps)

    def __str__(self) -> str:
        """What is asked in one line, without filters."""
        seen = ", then ".join(str(step) for step in self.steps if step != Step())
        said = "" if self.said is None else f"said: {self.said}"
        return ", ".join(part for part in (seen, said) if part)

    def require_answerable(self) -> None:
        """Check what no answer can be given to.

        Raises:
            EmptyQueryError: a sentence is empty, or none is wanted.
            InvalidSequenceError: there are too many steps, or no time between them.
            InvalidLimitError: the limit is below one moment, or that of a video below 0.
        """
        if not all(text.strip() for text in self.texts):
            raise EmptyQueryError("the query is empty; describe in words what to look for")
        only_said = self.said is not None and not self.by_vectors
        if not only_said and not all(step.wants_something for step in self.steps):
            raise EmptyQueryError(
                "the query says only what is not wanted; describe what to look for, too"
            )
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise InvalidSequenceError(
                f"the query has {len(self.steps)} steps; ask for 1 to {MOST_STEPS}"
            )
        if not self.within > 0:
            raise InvalidSequenceError(
                f"the time between two steps is {self.within:g} s; give more than 0 s"
            )
        if self.limit < 1:
            raise InvalidLimitError(f"the limit is {self.limit}; ask for at least 1 moment")
        if self.per_video < 0:
            raise InvalidLimitError(
                f"the limit for one video is {self.per_video}; give at least 1, or 0 for none"
            )
