"""Evaluation of the answers of a catalog, by a file of labels."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from evaluation.errors import NothingToAskError
from evaluation.label_file import read_labels
from evaluation.measures import Estimate, estimate
from evaluation.outcome import Outcome
from evaluation.questions import LeftOut, questions_of
from evaluation.run import ask_all
from evaluation.template import write_template
from search import NothingIndexedError, settings_named
from vsearch.services.answers.search import searchers_of
from vsearch.services.models import open_catalog, with_flags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from catalog import IndexedVideo
    from vsearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answers of a catalog, measured.

    Attributes:
        file: the file of labels.
        model: the model that made the catalog.
        videos: number of videos in the catalog.
        outcomes: of each question, by setting.
        figures: by setting and name of the measure.
        differences: to the first setting, by setting and name of the measure.
        left_out: lines of the file that could not be asked.
        without_frames: videos without frame vectors, whose moments are less exact.
        took_seconds: of everything.
    """

    file: Path
    model: str
    videos: int
    outcomes: Mapping[str, tuple[Outcome, ...]]
    figures: Mapping[str, Mapping[str, Estimate]]
    differences: Mapping[str, Mapping[str, Estimate]]
    left_out: tuple[LeftOut, ...]
    without_frames: int
    took_seconds: float


def evaluate(
    file: Path,
    *,
    settings: Settings,
    compare: Sequence[str],
    given_video: bool,
    on_progress: Callable[[int, int], None],
) -> Evaluation:
    """Ask the sentences of a file under each of the named settings, and measure the answers.

    Raises LabelsError, NothingToAskError, UnknownSettingError, and what a search raises.
    """
    begin = time.perf_counter()
    named = {name: settings_named(name) for name in compare}
    labels = read_labels(file)
    with open_catalog(settings) as catalog:
        videos = catalog.videos()
        made_by = catalog.provenance
        without_frames = catalog.status().without_frames
        if made_by is None or not videos:
            raise _nothing_indexed(settings)
        questions, left_out = questions_of(labels, videos, given_video=given_video)
        if not questions:
            raise NothingToAskError(_why_nothing(file, left_out))
        outcomes = ask_all(
            questions,
            searchers_of(catalog, settings, named=named),
            video_ids=_ids_by_path(videos),
            on_progress=on_progress,
        )
    figures, differences = estimate(outcomes)
    return Evaluation(
        file=file,
        model=made_by.model,
        videos=len(videos),
        outcomes=outcomes,
        figures=figures,
        differences=differences,
        left_out=left_out,
        without_frames=without_frames,
        took_seconds=time.perf_counter() - begin,
    )


def make_template(file: Path, *, settings: Settings) -> int:
    """Write a file of labels to fill in, with videos of the catalog; the number of videos.

    Raises LabelsError, NothingIndexedError.
    """
    with open_catalog(settings) as catalog:
        videos = catalog.videos()
    if not videos:
        raise _nothing_indexed(settings)
    return write_template(file, videos)


def plot_to(path: Path, *, settings: Settings) -> Callable[[Mapping[str, Sequence[Outcome]]], None]:
    """What draws outcomes to this file. Raises PlotError, before and while drawing."""
    from evaluation.plot import require_plot_path, write_plot

    return partial(
        write_plot, require_plot_path(path), cache=settings.home / "cache" / "matplotlib"
    )


def _ids_by_path(videos: Sequence[IndexedVideo]) -> dict[Path, int]:
    return {path: video.video_id for video in videos for path in video.paths}


def _why_nothing(file: Path, left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return f"{file} has no sentence that is true of a video, and --given-video needs one"
    first = left_out[0]
    others = f" (and {len(left_out) - 1} others)" if len(left_out) > 1 else ""
    return f"{file} has no line that can be asked; line {first.line}{others}: {first.reason}"


def _nothing_indexed(settings: Settings) -> NothingIndexedError:
    advice = (
        f"the catalog in {settings.catalog} holds no videos yet; add some with `vsearch index PATH`"
    )
    return NothingIndexedError(with_flags(advice, settings=settings))
