"""Files that are not in the index, or only in part: each with its reason, many as a few lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from machine.names import shown
from vsearch.show.output import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from catalog import FileProblem

MANY = 20  # files that are listed one by one, whatever their reasons
FEW = 3  # files with one reason that are listed one by one among many
MOST_LINES = 50


def problem_lines(problems: Iterable[FileProblem]) -> tuple[str, ...]:
    """A line for each file; of very many, one for each reason, with a count and an example."""
    every = tuple(problems)
    if len(every) <= MANY:
        return tuple(map(_line, every))
    lines = tuple(line for group in _by_reason(every) for line in _group_lines(group))
    if len(lines) <= MOST_LINES:
        return lines
    left_out = count(len(lines) - MOST_LINES, "more line")
    return (*lines[:MOST_LINES], f"… and {left_out}; `vsearch status --json` tells all")


def _by_reason(problems: Sequence[FileProblem]) -> list[list[FileProblem]]:
    """Reasons that differ in numbers alone are one; the most frequent comes first."""
    groups: dict[str, list[FileProblem]] = {}
    for problem in problems:
        groups.setdefault(re.sub(r"\d+", "0", problem.reason), []).append(problem)
    return sorted(groups.values(), key=len, reverse=True)


def _group_lines(group: Sequence[FileProblem]) -> Iterator[str]:
    if len(group) <= FEW:
        yield from map(_line, group)
    else:
        yield f"{count(len(group), 'file')}, such as {_line(group[0])}"


def _line(problem: FileProblem) -> str:
    return f"{shown(problem.path)}: {shown(problem.reason)}"
