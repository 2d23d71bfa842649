"""Results of a benchmark: a title, the conditions, and one row for each figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure.timing import Figure

_MET = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: the measured quantity, with its unit if the figure has none.
        figure: the result; a text if there is no number, such as the reason why it is missing.
        bar: the required value, in words; empty if there is none.
        met: whether the figure reaches the bar; None without a bar or a figure.
        note: explanation of the figure.
    """

    what: str
    figure: Figure | float | str
    bar: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The results of one benchmark.

    Attributes:
        title: the subject.
        setting: conditions (sizes, threads, rounds), in sentences.
        rows: the figures.
        notes: further observations, one sentence or more each.
    """

    title: str
    setting: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def as_markdown(section: Section) -> str:
    """Format the section with its table as Markdown."""
    lines = [f"### {section.title}", "", section.setting, ""]
    lines += ["| measured | figure | bar | met | |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.what} | {_figure(row.figure)} | {row.bar} | {_MET[row.met]} | {row.note} |"
        for row in section.rows
    ]
    lines += ["", *(f"- {note}" for note in section.notes)]
    return "\n".join(lines).rstrip() + "\n"


def write_section(section: Section, *, path: Path) -> None:
    """Write the section as JSON, for `read_section`."""
    path.write_text(json.dumps(asdict(section)), encoding="utf-8")


def read_section(path: Path) -> Section:
    """Read a section written by `write_section` in another process."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Section(
        title=content["title"],
        setting=content["setting"],
        rows=_rows(content["rows"]),
        notes=tuple(content["notes"]),
    )


def _rows(rows: Sequence[dict[str, Any]]) -> tuple[Row, ...]:
    figures = [row["figure"] for row in rows]
    return tuple(
        Row(**{**row, "figure": Figure(**figure) if isinstance(figure, dict) else figure})
        for row, figure in zip(rows, figures, strict=True)
    )


def _figure(figure: Figure | float | str) -> str:
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)
