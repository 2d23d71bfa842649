"""Reading a file of labels: CSV or JSON lines of vsearch's own, or a published layout."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evaluation.errors import LabelsError
from evaluation.labels import NOTHING, Label, by_sentence, read_seconds, require_span
from evaluation.published import (
    CHARADES_LINE,
    read_charades,
    read_didemo,
    read_msrvtt,
    read_qvhighlights,
)

COLUMNS = ("sentence", "video", "start", "end")
_DELIMITERS = ",;\t"
_BLANK = " \t\r\n\ufeff"


def read_labels(path: Path) -> tuple[Label, ...]:
    """The labels of a file, in its order; rows that are not filled in yet are passed over.

    The layout is recognised by its content: a CSV file with the columns `COLUMNS`, or JSON lines
    with these keys (or `spans`, a list of [start, end], for the last two), or the files that are
    published with MSR-VTT 1k-A, DiDeMo, QVHighlights and Charades-STA.

    Raises:
        LabelsError: the file cannot be read, or a line of it is not as it should be.
    """
    try:
        labels = tuple(_labels_in(_text_of(path)))
        _refuse_contradictions(labels)
    except ValueError as error:
        raise LabelsError(f"{path}{error}") from error
    if not labels:
        raise LabelsError(
            f"{path} has no sentence yet; fill in its column sentence, in English, and run again"
        )
    return labels


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabelsError(f"{path} cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f", line {line}: it is not UTF-8; save the file as UTF-8") from error
    if not text.strip(_BLANK):
        raise ValueError(
            " is empty; `vsearch eval FILE --template` writes a file to fill in to a new FILE"
        )
    return text


def _labels_in(text: str) -> Iterator[Label]:
    begin = text.lstrip()
    if begin.startswith("["):
        return _json_array(text)
    if begin.startswith("{"):
        return _json_lines(text)
    if CHARADES_LINE.match(begin.partition("\n")[0]):
        return _charades_lines(text)
    return _csv_rows(text)


def _json_array(text: str) -> Iterator[Label]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise ValueError(f", line {line}: it is no JSON; check brackets and quotes") from error
    for number, entry in enumerate(entries, start=1):
        with _Place(f"entry {number}"):
            yield from read_didemo(entry, line=number)


def _json_lines(text: str) -> Iterator[Label]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        with _Place(f"line {number}"):
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError("it is no JSON; give one object a line") from error
            if not isinstance(entry, dict):
                raise ValueError("it is no JSON object; give one a line")  # noqa: TRY004
            if "query" in entry:
                yield from read_qvhighlights(entry, line=number)
            else:
                yield from _own_object(entry, line=number)


def _own_object(entry: dict[str, Any], *, line: int) -> Iterator[Label]:
    if missing := [key for key in COLUMNS[:2] if key not in entry]:
        raise ValueError(
            f"it lacks {' and '.join(missing)}; an object has the keys sentence and video, and"
            " start and end, or spans, where moments are known"
        )
    if not all(isinstance(entry[key], str) for key in COLUMNS[:2]):
        raise ValueError("sentence and video are texts in quotes")
    spans = entry.get("spans")
    if spans is None:
        ends = [entry.get(key) for key in COLUMNS[2:]]
        spans = [ends] if any(end is not None for end in ends) else [(None, None)]
    if not isinstance(spans, list) or not all(
        isinstance(span, list | tuple) and len(span) == 2 for span in spans
    ):
        raise ValueError("spans is not a list of [start, end] in seconds")
    for start, end in spans:
        label = _own_label(entry["sentence"], entry["video"], start, end, line=line)
        if label:
            yield label


def _charades_lines(text: str) -> Iterator[Label]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            with _Place(f"line {number}"):
                yield read_charades(line, line=number)


def _csv_rows(text: str) -> Iterator[Label]:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    while True:
        with _Place(f"line {line}"):
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise ValueError(f"it is no CSV ({error}); check its quotes") from error
            if cells is None:
                return
            if header is None:
                header = _header([cell.strip().casefold() for cell in cells])
            elif any(cell.strip() for cell in cells):
                yield from _csv_row(header, cells, line=line)
        line = reader.line_num + 1


def _header(names: list[str]) -> list[str]:
    if {"sentence", "video_id"} <= set(names):
        return names
    wanted = COLUMNS[:2] if not {"start", "end"} & set(names) else COLUMNS
    if missing := [name for name in wanted if name not in names]:
        raise ValueError(
            f"the columns are {', '.join(filter(None, names)) or 'without names'}, and"
            f" {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not among them;"
            " name the columns sentence, video, start and end"
        )
    return names


def _csv_row(header: list[str], cells: list[str], *, line: int) -> Iterator[Label]:
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        raise ValueError(
            f"it has {len(cells)} cells under {len(header)} columns; put a text that holds a"
            ' comma in quotes: "a man, a dog"'
        )
    row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    if "video" not in header:
        yield read_msrvtt(row, line=line)
        return
    sentence, video, start, end = (row.get(name, "") for name in COLUMNS)
    label = _own_label(sentence, video, start or None, end or None, line=line)
    if label:
        yield label


def _own_label(
    sentence: str, video: str, start: str | float | None, end: str | float | None, *, line: int
) -> Label | None:
    """The label; None as long as it has no sentence, as in a template."""
    sentence, video = sentence.strip(), video.strip()
    if not sentence:
        if start is not None or end is not None:
            raise ValueError("it has a moment and no sentence; say what is to be seen there")
        return None
    if not video:
        raise ValueError(f"it names no video; give one, or {NOTHING}, if none shows it")
    if (start is None) != (end is None):
        raise ValueError("it has only one of start and end; give both, or neither")
    if start is None or end is None:
        return Label(line, sentence, None if video == NOTHING else video)
    if video == NOTHING:
        raise ValueError(f"the video is {NOTHING}, and yet there is a moment; leave one out")
    return Label(line, sentence, video, require_span(read_seconds(start), read_seconds(end)))


def _refuse_contradictions(labels: tuple[Label, ...]) -> None:
    for sentence, its in by_sentence(labels).items():
        nowhere = [label.line for label in its if label.video is None]
        if nowhere and len(nowhere) < len(its):
            other = next(label.line for label in its if label.video is not None)
            raise ValueError(
                f", line {max(nowhere[0], other)}: “{sentence}” is true of {NOTHING} in line"
                f" {nowhere[0]}, and of a video in line {other}; remove one of the two"
            )


class _Place:
    """A block that reads one line: a ValueError in it gets the line in front of its message."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ValueError) and not re.match(r", (?:line|entry) ", str(error)):
            raise ValueError(f", {self._place}: {error}") from error
