"""The figures of an evaluation, for people and programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from evaluation.measures import LEVELS, MEASURES
from evaluation.run import worst_first
from machine.clock_text import clock_text
from machine.names import shown
from vsearch.show.output import console, count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from evaluation.measures import Estimate
    from evaluation.outcome import Outcome
    from evaluation.questions import Place
    from vsearch.services.answers.evaluation import Evaluation

_TITLES = {
    "recall@1": "right moment first (R@1)",
    "recall@5": "among the first 5 (R@5)",
    "recall@10": "among the first 10 (R@10)",
    "median_rank": "median rank",
    "mrr": "mean of 1 / rank (MRR)",
    "ndcg@10": "nDCG@10",
    "recall@1_iou_0.3": "first at IoU ≥ 0.3",
    "recall@1_iou_0.5": "first at IoU ≥ 0.5",
    "recall@1_iou_0.7": "first at IoU ≥ 0.7",
    "found_iou_0.7": "all found at IoU ≥ 0.7",
    "mean_iou": "mean IoU",
    "boundary_error_median": "error of an end, median, s",
    "boundary_error_mean": "error of an end, mean, s",
    **{f"true_{level}": f"true of a video: {level}" for level in LEVELS},
    **{f"nothing_{level}": f"true of nothing: {level}" for level in LEVELS},
}
_TITLE_WIDTH = max(map(len, _TITLES.values()))
_MOST_LETTERS = 60


def evaluation_json(found: Evaluation, *, worst: int) -> dict[str, Any]:
    """The figures of each setting with their intervals; null where a rank is beyond all."""
    outcomes = _last(found)
    return {
        "file": str(found.file),
        "model": found.model,
        "videos": found.videos,
        "sentences": len(outcomes),
        "sentences_true_of_nothing": _true_of_nothing(outcomes),
        "results": [
            {
                "setting": name,
                "median_ms": round(_median_ms(found.outcomes[name]), 1),
                "figures": _estimates_json(figures),
                **(
                    {"difference_to_first": _estimates_json(found.differences[name])}
                    if name in found.differences
                    else {}
                ),
            }
            for name, figures in found.figures.items()
        ],
        "left_out": [{"line": one.line, "reason": one.reason} for one in found.left_out],
        "took_seconds": round(found.took_seconds, 1),
        **(
            {"worst": [_outcome_json(one) for one in worst_first(outcomes)[:worst]]}
            if worst
            else {}
        ),
    }


def _estimates_json(figures: Mapping[str, Estimate]) -> dict[str, Any]:
    return {
        name: {key: _number(getattr(one, key)) for key in ("value", "low", "high")}
        for name, one in figures.items()
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)


def _outcome_json(one: Outcome) -> dict[str, Any]:
    first = one.first
    return {
        "line": one.question.line,
        "sentence": one.question.sentence,
        "rank": _number(one.rank),
        "iou": _number(one.iou),
        "confidence": one.confidence,
        "truth": [_place_json(place) for place in one.question.places],
        "first": first
        and {
            "path": str(first.path),
            "start": round(first.start, 3),
            "end": round(first.end, 3),
            "score": round(first.score, 6),
        },
    }


def _place_json(place: Place) -> dict[str, Any]:
    start, end = place.span or (None, None)
    return {"path": str(place.path), "start": start, "end": end}


def print_evaluation(found: Evaluation, *, worst: int) -> None:
    """A line for each measure, a column for each setting; then the worst answers."""
    page = console()
    outcomes = _last(found)
    nothing = _true_of_nothing(outcomes)
    others = f", {nothing:,} of them true of nothing" if nothing else ""
    page.print(
        f"{shown(found.file)}: {count(len(outcomes), 'sentence')}{others}, asked of"
        f" {count(found.videos, 'video')} by {shown(found.model)}\n"
    )
    columns = [*found.figures.items(), *_difference_columns(found)]
    page.print(_row("", [name for name, _ in columns]), style="bold")
    for measure in MEASURES:
        cells = [_cell(its.get(measure.name), signed="−" in name) for name, its in columns]
        if any(cells):
            page.print(_row(_TITLES[measure.name], cells))
    times = [f"{_median_ms(its):.0f}" for its in found.outcomes.values()]
    page.print(_row("a search, median, ms", times), style="dim")
    page.print("\nin brackets: 95 % of draws of as many sentences", style="dim")
    if worst:
        page.print("\nworst answers", style="bold")
        for one in worst_first(outcomes)[:worst]:
            page.print(_worst_line(one))


def _difference_columns(found: Evaluation) -> list[tuple[str, Mapping[str, Estimate]]]:
    first = next(iter(found.figures))
    return [(f"{name} − {first}", its) for name, its in found.differences.items()]


def _row(title: str, cells: Sequence[str]) -> str:
    return f"{title:{_TITLE_WIDTH}}  " + "  ".join(f"{cell:26}" for cell in cells).rstrip()


def _cell(one: Estimate | None, *, signed: bool) -> str:
    if one is None:
        return ""
    sign = "+" if signed else ""
    value, low, high = (
        "> 100" if math.isinf(number) else "?" if math.isnan(number) else f"{number:{sign}.3f}"
        for number in (one.value, one.low, one.high)
    )
    return f"{value} ({low} to {high})"


def _worst_line(one: Outcome) -> str:
    sentence = one.question.sentence
    quoted = sentence if len(sentence) <= _MOST_LETTERS else f"{sentence[:_MOST_LETTERS]}…"
    facts = []
    if one.rank is not None:
        facts.append("not found" if math.isinf(one.rank) else f"rank {one.rank:g}")
    if one.iou is not None and one.rank == 1:
        facts.append(f"IoU {one.iou:.2f}")
    if one.confidence:
        facts.append(one.confidence)
    truth = ", ".join(_moment_text(p.path, p.span) for p in one.question.places) or "nothing"
    first = one.first
    got = _moment_text(first.path, (first.start, first.end)) if first else "nothing"
    return f"line {one.question.line}: “{shown(quoted)}”, {', '.join(facts)}: {got}; true: {truth}"


def _moment_text(path: Path, span: tuple[float, float] | None) -> str:
    name = shown(path.name)
    return f"{name} {clock_text(span[0])}–{clock_text(span[1], up=True)}" if span else name


def _last(found: Evaluation) -> tuple[Outcome, ...]:
    """The outcomes of the last setting: the newest, where settings are compared."""
    return list(found.outcomes.values())[-1]


def _true_of_nothing(outcomes: Sequence[Outcome]) -> int:
    return sum(not one.question.places for one in outcomes)


def _median_ms(outcomes: Sequence[Outcome]) -> float:
    return sorted(one.took_ms for one in outcomes)[len(outcomes) // 2]
