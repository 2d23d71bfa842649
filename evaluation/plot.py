"""The plot of an evaluation: recall by rank, errors of the ends, confidence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.errors import PlotError
from evaluation.measures import LEVELS
from evaluation.outcome import DEPTH, Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES = (13.0, 4.0)
_DOTS_PER_INCH = 120
_MOST_SECONDS = 10.0
_RANKS = (1, 5, 10, 50, 100)

Outcomes = Mapping[str, Sequence[Outcome]]
_PNG_BEGINNING = b"\x89PNG\r\n\x1a\n"


def require_plot_path(path: Path) -> Path:
    """Check before a long run that a plot can be written there; the path.

    Raises:
        PlotError: its folder does not exist, or something else than a PNG has its name.
    """
    if not path.parent.is_dir():
        raise PlotError(f"{path} cannot be written: there is no folder {path.parent}; make it")
    if path.is_dir():
        raise PlotError(f"{path} is a folder; give the name of a file for the plot")
    if path.exists() and not _is_png(path):
        raise PlotError(f"{path} exists and is no PNG; give the name of a new file for the plot")
    return path


def _is_png(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_PNG_BEGINNING)) in (_PNG_BEGINNING, b"")


def write_plot(path: Path, outcomes: Outcomes, *, cache: Path) -> None:
    """Write the plot as PNG: one line for each setting.

    Args:
        path: the file.
        outcomes: by setting.
        cache: a folder for what Matplotlib keeps.

    Raises:
        PlotError: it cannot be written.
    """
    os.environ["MPLCONFIGDIR"] = str(cache)
    # Matplotlib would read settings from the current folder, which may be hostile.
    with _standing_in(Path(__file__).parent):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    ranks, errors, levels = figure.subplots(1, 3)
    _draw_recall(ranks, outcomes)
    _draw_errors(errors, outcomes)
    _draw_confidence(levels, outcomes)
    try:
        figure.savefig(path, format="png", dpi=_DOTS_PER_INCH)
    except OSError as error:
        raise PlotError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _standing_in(folder: Path) -> Iterator[None]:
    """Another current folder for the block; one that was deleted meanwhile is found again, too."""
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def _draw_recall(axes: Axes, outcomes: Outcomes) -> None:
    axes.set(title="Right moment among the first", xlabel="rank", ylabel="share of sentences")
    depths = np.arange(1, DEPTH + 1)
    for name, its in outcomes.items():
        ranks = np.array([one.rank for one in its if one.rank is not None])
        if ranks.size:
            shares = (ranks[:, None] <= depths).mean(axis=0)
            axes.step(depths, shares, where="post", label=name)
    axes.set(xscale="log", xlim=(1, DEPTH), ylim=(0, 1.02))
    axes.set_xticks(_RANKS, list(map(str, _RANKS)))
    _finish(axes, without="no sentence that is true of a video")


def _draw_errors(axes: Axes, outcomes: Outcomes) -> None:
    axes.set(
        title="Errors of start and end, right first hits",
        xlabel="at most so many seconds",
        ylabel="share of starts and ends",
    )
    for name, its in outcomes.items():
        errors = np.sort([e for one in its if one.boundary_errors for e in one.boundary_errors])
        if errors.size:
            shares = np.arange(errors.size + 1) / errors.size
            axes.step(np.concatenate([[0.0], errors]), shares, where="post", label=name)
    axes.set(xlim=(0, _MOST_SECONDS), ylim=(0, 1.02))
    _finish(axes, without="no sentence with times")


def _draw_confidence(axes: Axes, outcomes: Outcomes) -> None:
    axes.set(title="Confidence", xlabel="level of the answer", ylabel="share of sentences")
    groups = {
        f"{name}, {group}": [
            one.confidence for one in its if one.confidence and (one.rank is not None) == true
        ]
        for name, its in outcomes.items()
        for group, true in (("true", True), ("nothing", False))
    }
    groups = {name: levels for name, levels in groups.items() if levels}
    width = 0.8 / max(1, len(groups))
    for number, (name, levels) in enumerate(groups.items()):
        shares = [levels.count(level) / len(levels) for level in LEVELS]
        axes.bar(np.arange(len(LEVELS)) + number * width, shares, width, label=name)
    axes.set_xticks(np.arange(len(LEVELS)) + 0.4 - width / 2, LEVELS)
    axes.set(ylim=(0, 1.02))
    _finish(axes, without="no setting tells a confidence")


def _finish(axes: Axes, *, without: str) -> None:
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize="small")
    else:
        axes.text(0.5, 0.5, without, transform=axes.transAxes, ha="center")
