"""A file of labels: a name a line, in other words or not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from machine.names import shown
from search import Sentence, Step
from vsearch.errors import LabelFileError
from vsearch.messages import beginning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_BYTES = 4_000_000  # a larger file was not meant
_NAME_ENDS, _OR, _COMMENT, _WITHOUT = ": ", "|", "#", "!"


def read_label_file(path: Path | None) -> dict[str, Step]:
    """What the labels of a file, or of stdin, stand for, by their names and in their order.

    A line is `a dog`, or `dog: a dog | a puppy running`: the name, and sentences for it. Blank
    lines and those that begin with # are passed over.

    Raises:
        LabelFileError: it cannot be read, is no text, holds no label, or one twice.
    """
    named = "stdin" if path is None else shown(path)
    found: dict[str, Step] = {}
    lines: dict[str, int] = {}
    for number, line in _lines(_text(path, named=named)):
        try:
            name, step = _label(line)
        except ValueError as error:
            raise LabelFileError(f"{named}, line {number}: {error}") from error
        first = lines.setdefault(name.casefold(), number)
        if first != number:
            raise LabelFileError(
                f"{named}, line {number}: the label {beginning(name)} is in line {first} already;"
                " give each once, with | between its sentences"
            )
        found[name] = step
    if not found:
        raise LabelFileError(f"{named} holds no label; write one a line, such as: a dog")
    return found


def _text(path: Path | None, *, named: str) -> str:
    try:
        if path is not None:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        elif sys.stdin is None:
            raise LabelFileError("there is no stdin to read labels from: it is closed")
        else:
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    except OSError as error:
        raise LabelFileError(f"{named} cannot be read: {error.strerror}") from error
    if len(content) <= _MOST_BYTES and b"\0" not in content:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise LabelFileError(
                f"{named}, line {line}: it is not UTF-8; save the file as UTF-8 text"
            ) from error
    raise LabelFileError(f"{named} is no list of labels: give a text file with one a line")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold a label, with their numbers."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith(_COMMENT):
            yield number, stripped


def _label(line: str) -> tuple[str, Step]:
    """The name of a line, and what it stands for."""
    name, ends, rest = line.partition(_NAME_ENDS)
    sentences = tuple(part.strip() for part in (rest if ends else line).split(_OR))
    name = name.strip() if ends else sentences[0]
    if not name or not all(sentences):
        raise ValueError("something is empty; write it as in: dog: a dog | a puppy running")
    if name.startswith(_WITHOUT):
        raise ValueError(f"a label cannot begin with {_WITHOUT}, which means without in --tag")
    return name, Step(tuple(map(Sentence, sentences)))
