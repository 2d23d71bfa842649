"""The tables of the benchmark, as Markdown: means over the libraries, and their spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.answers.asked import Outcomes
from benchmarks.answers.sentences import KINDS
from evaluation.measures import LEVELS, MEASURES
from evaluation.outcome import Outcome

ByLibrary = Mapping[int, Mapping[str, Outcomes]]
"""By seed of the library and name of the distortion."""

_TITLES = {
    "recall@1": "R@1",
    "recall@1_iou_0.5": "R@1 IoU .5",
    "recall@1_iou_0.7": "R@1 IoU .7",
    "mean_iou": "mean IoU",
    "boundary_error_median": "ends, median s",
    "boundary_error_mean": "ends, mean s",
    "ndcg@10": "nDCG@10",
    "found_iou_0.7": "found at IoU .7",
}
_MEASURES = {measure.name: measure for measure in MEASURES}


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a heading, as Markdown."""
    lines = [f"#### {title}", "", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def moments_table(found: ByLibrary, *, kind: str, measures: Sequence[str]) -> str:
    """Figures of sentences of one kind: a row for each setting and distortion."""
    rows = [
        [
            setting,
            distortion,
            *(
                mean_and_spread(
                    [
                        figure(name, outcomes[distortion][setting][kind])
                        for outcomes in found.values()
                    ]
                )
                for name in measures
            ),
        ]
        for distortion, by_setting in next(iter(found.values())).items()
        for setting in by_setting
    ]
    asked = sum(len(_first(outcomes)[kind]) for outcomes in found.values())
    title = f"Sentences {KINDS[kind]} ({asked} sentences)"
    return table(title, ["setting", "vectors", *(_TITLES[name] for name in measures)], rows)


def figure(name: str, outcomes: Sequence[Outcome]) -> float:
    """The figure of a measure over these outcomes."""
    measure = _MEASURES[name]
    return float(measure.over(measure.values(outcomes).reshape(1, -1))[0])


def mean_and_spread(values: Sequence[float]) -> str:
    """The mean of these figures and their standard deviation."""
    return f"{_short(float(np.mean(values)))} ± {_short(float(np.std(values)))}"


def confidence_table(found: ByLibrary, *, setting: str) -> str:
    """The share of each kind of sentence at each level, over all libraries."""
    header = ["sentences", "vectors", *LEVELS]
    rows = []
    for distortion in next(iter(found.values())):
        for kind, words in KINDS.items():
            every = [o for outcomes in found.values() for o in outcomes[distortion][setting][kind]]
            groups: dict[str, Callable[[Outcome], bool]] = {words: lambda _: True}
            if every[0].rank is not None:
                groups = {
                    f"{words}, first hit right": lambda one: one.rank == 1,
                    f"{words}, first hit wrong": lambda one: one.rank != 1,
                }
            for group, belongs in groups.items():
                levels = [one.confidence for one in every if belongs(one)]
                shares = [levels.count(level) / max(1, len(levels)) for level in LEVELS]
                rows.append([f"{group} ({len(levels)})", distortion, *map(_short, shares)])
    return table(f"Confidence, setting {setting}", header, rows)


def _first(outcomes: Mapping[str, Outcomes]) -> Mapping[str, Sequence[Outcome]]:
    return next(iter(next(iter(outcomes.values())).values()))


def _short(value: float) -> str:
    """As .123, 1.00 or 12.3."""
    return f"{value:.3f}".lstrip("0") if abs(value) < 1 else f"{value:.2f}"
