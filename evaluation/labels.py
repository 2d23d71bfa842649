"""Labels: sentences, and where in which videos they are true."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

NOTHING = "nothing"
"""In place of a video: the sentence is true of nothing in the library."""


@dataclass(frozen=True, slots=True)
class Label:
    """A sentence, and one place where it is true.

    Attributes:
        line: its line in the file, from 1.
        video: a path, the end of one, or a name without its suffix; None: true of nothing.
        span: `[start, end)` in seconds; None: all of the video.
    """

    line: int
    sentence: str
    video: str | None
    span: tuple[float, float] | None = None


def read_seconds(text: str | float) -> float:
    """Seconds from a number or a clock time: 83, 83.5, 1:23.5, 1:02:03.

    Raises:
        ValueError: it is neither, or below zero; the message is a part of a sentence.
    """
    wrong = ValueError(f"{text!r} is no time; give seconds, or a clock time such as 1:23.5")
    parts = text.strip().split(":") if isinstance(text, str) else [text]
    try:
        *larger, seconds = (float(part) for part in parts)
    except (ValueError, TypeError):
        raise wrong from None
    if len(parts) > 3 or not all(math.isfinite(part) and part >= 0 for part in (*larger, seconds)):
        raise wrong
    if larger and seconds >= 60:
        raise wrong
    minutes = 0.0
    for part in larger:
        minutes = 60 * minutes + part
    return 60 * minutes + seconds


def require_span(start: float, end: float) -> tuple[float, float]:
    """The span, if it is one.

    Raises:
        ValueError: it does not end after its start; the message is a part of a sentence.
    """
    if end <= start:
        raise ValueError(
            f"the moment ends at {end:g} s, and begins at {start:g} s; give an end after the start"
        )
    return start, end


def by_sentence(labels: Iterable[Label]) -> dict[str, list[Label]]:
    """The labels of each sentence, both in the order of the file."""
    found: dict[str, list[Label]] = {}
    for label in labels:
        found.setdefault(label.sentence, []).append(label)
    return found
