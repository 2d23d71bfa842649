"""Moments that were found: as JSON holds them, in an answer or in a file."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine.names import shown
from vsearch.errors import MomentFileError
from vsearch.messages import beginning

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 256 << 20  # a larger file was not meant
_LONGEST = 1e9  # seconds
_LISTS = ("hits", "basket", "items")  # of an answer, of the page's basket, of an exported list
_SENTENCES = ("sentence", "label", "question")  # of an exported list, of a tag, of the basket


@dataclass(frozen=True, slots=True)
class FoundMoment:
    """A moment `[start, end)` of a file, in seconds on the file's clock, and what it was found for.

    A start is rounded down to a millisecond, an end to the nearest. `parts` are the moments of the
    steps, where one thing is to follow another. What an answer does not tell is None.
    """

    path: Path
    start: float
    end: float
    sentence: str
    confidence: str | None = None
    score: float | None = None
    clip_id: int | None = None
    parts: tuple[FoundMoment, ...] = ()


def read_moments(path: Path | None) -> tuple[FoundMoment, ...]:
    """The moments in a file, or in stdin, in their order.

    The file holds what `vsearch query --json`, `vsearch tag --json` or `vsearch export` wrote, the
    lines of `vsearch query --queries`, or the page's basket.

    Raises:
        MomentFileError: it cannot be read, is nothing of that, or holds no moment.
    """
    named = "stdin" if path is None else shown(path)
    found: list[FoundMoment] = []
    for number, document in _documents(_text(path, named=named), named=named):
        try:
            found += moments_in(document)
        except (ValueError, KeyError, TypeError) as error:
            where = f"{named}, line {number}" if number else named
            said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise MomentFileError(
                f"{where}: this is no moment ({beginning(said)}); give what `vsearch query --json`"
                " printed"
            ) from error
    if not found:
        raise MomentFileError(f"{named} holds no moment; give an answer that has some")
    return tuple(found)


def moments_in(document: Any) -> list[FoundMoment]:
    """The moments of an answer, of a basket, or of one line of tags, as JSON holds them.

    Raises ValueError, KeyError or TypeError for what is none of these.
    """
    if not isinstance(document, dict):
        raise TypeError("it is no JSON object")
    name = next((name for name in _LISTS if name in document), None)
    if name is None and "error" in document:  # a line of `vsearch query --queries`
        return []
    asked = str(document.get("query", ""))
    steps = [_step_text(step) for step in document.get("asked", {}).get("steps", ())]
    listed = [document] if name is None else document[name]
    return [_moment(one, asked=asked, steps=steps) for one in listed]


def _moment(one: Any, *, asked: str, steps: list[str]) -> FoundMoment:
    path, start, end = str(one["path"]), _number(one["start"]), _number(one["end"])
    if not path or "\0" in path:
        raise ValueError("its path is empty, or no path")
    if not 0 <= start <= end <= _LONGEST:
        raise ValueError(f"it lasts from {start:g} to {end:g} s")
    parts = one.get("parts", ())
    texts = steps if len(steps) == len(parts) else [asked] * len(parts)
    clip, score = one.get("clip_id", one.get("clip")), one.get("score")
    confidence = one.get("confidence")
    return FoundMoment(
        Path(path).absolute(),
        start,
        end,
        sentence=next((str(one[name]) for name in _SENTENCES if name in one), asked),
        confidence=None if confidence is None else str(confidence),
        score=None if score is None else _number(score),
        clip_id=None if clip is None else int(clip),
        parts=tuple(
            _moment(part, asked=text, steps=[]) for part, text in zip(parts, texts, strict=True)
        ),
    )


def _step_text(step: Any) -> str:
    """The sentences of a step in one line."""
    return " + ".join(str(one["text"]) for one in step["sentences"] if one["weight"] > 0)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _text(path: Path | None, *, named: str) -> str:
    try:
        if path is not None:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        elif sys.stdin is None:
            raise MomentFileError("there is no stdin to read moments from: it is closed")
        else:
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    except OSError as error:
        raise MomentFileError(f"{named} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise MomentFileError(f"{named} is larger than {_MOST_BYTES >> 20} MiB; give fewer moments")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MomentFileError(f"{named} is not UTF-8; save the file as UTF-8 text") from error


def _documents(text: str, *, named: str) -> Iterator[tuple[int, Any]]:
    """The JSON of the whole text, with 0, or of its lines, with their numbers."""
    whole = _parsed(text)
    if whole is not None:
        yield 0, whole
        return
    for number, line in enumerate(text.splitlines(), start=1):
        document = _parsed(line)
        if document is not None:
            yield number, document
        elif line.strip():
            raise MomentFileError(
                f"{named}, line {number}: it is no JSON; give what `vsearch query --json` printed"
            )


def _parsed(text: str) -> Any:
    """What the JSON says; None for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
