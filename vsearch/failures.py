"""Files that are not in the index, or only in part: each with its reason, many as a few lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from machine.names import shown
from vsearch.output import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

MANY = 20  # files that are listed one by one, whatever their reasons
FEW = 3  # files with one reason that are listed one by one among many
MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of one file."""

    path: Path
    text: str


def remark_lines(remarks: Iterable[Remark]) -> tuple[str, ...]:
    """A line for each file; of very many, one for each reason, with a count and an example."""
    every = tuple(remarks)
    if len(every) <= MANY:
        return tuple(map(_line, every))
    lines = tuple(line for group in _by_reason(every) for line in _group_lines(group))
    if len(lines) <= MOST_LINES:
        return lines
    left_out = count(len(lines) - MOST_LINES, "more line")
    return (*lines[:MOST_LINES], f"… and {left_out}; `vsearch status --json` tells all")


def _by_reason(remarks: Sequence[Remark]) -> list[list[Remark]]:
    """Reasons that differ in numbers alone are one; the most frequent comes first."""
    groups: dict[str, list[Remark]] = {}
    for remark in remarks:
        groups.setdefault(re.sub(r"\d+", "0", remark.text), []).append(remark)
    return sorted(groups.values(), key=len, reverse=True)


def _group_lines(group: Sequence[Remark]) -> Iterator[str]:
    if len(group) <= FEW:
        yield from map(_line, group)
    else:
        yield f"{count(len(group), 'file')}, such as {_line(group[0])}"


def _line(remark: Remark) -> str:
    return f"{shown(remark.path)}: {shown(remark.text)}"
