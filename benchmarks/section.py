"""What a benchmark says: a title, how it was measured, and one row for each figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import Figure

_MET = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured, with its unit where the figure has none.
        figure: the result; a text where there is no number, such as why it cannot be had here.
        bar: what the figure is held against, in words; empty where it is told for information.
        met: whether it comes up to the bar; None where there is no bar, or no figure.
        note: what one has to know to read it.
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
        title: what it is about.
        setting: sizes, threads, rounds: what was measured and how, in sentences.
        rows: the figures.
        notes: what else was seen, one sentence or more each.
    """

    title: str
    setting: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def as_markdown(section: Section) -> str:
    """The section with its table."""
    lines = [f"### {section.title}", "", section.setting, ""]
    lines += ["| measured | figure | bar | met | |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.what} | {_figure(row.figure)} | {row.bar} | {_MET[row.met]} | {row.note} |"
        for row in section.rows
    ]
    lines += ["", *(f"- {note}" for note in section.notes)]
    return "\n".join(lines).rstrip() + "\n"


def write_section(section: Section, *, path: Path) -> None:
    """Write the section for `read_section`."""
    path.write_text(json.dumps(asdict(section)), encoding="utf-8")


def read_section(path: Path) -> Section:
    """The section that another process measured."""
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
