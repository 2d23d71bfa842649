"""The frozen values that a search returns. Times are seconds in a film."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Hit:
    """One moment `[start, end)` of a film of `duration`; score and clip are its best clip's."""

    rank: int  # from 1
    score: float  # a cosine
    path: Path
    start: float
    end: float
    peak: float  # the middle of the best clip: the instant that shows the moment
    duration: float
    clip_id: int
    other_paths: tuple[Path, ...]  # further places of the same content


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one sentence, best moment first.

    `notes` say in sentences what is amiss with the question: that its end was cut off, or that it
    is likely to mean nothing to the model.
    """

    query: str
    model: str
    took_ms: float
    hits: tuple[Hit, ...]
    notes: tuple[str, ...] = ()
