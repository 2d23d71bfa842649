"""Measures: figures over many outcomes, with intervals from the bootstrap.

The bootstrap draws as many sentences as there are, with repetition, `RESAMPLES` times, and computes
each figure anew (Efron, 1979). An interval reaches from the 2.5 % to the 97.5 % quantile. Settings
are compared on the same draws: what is hard for both cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.outcome import Outcome

RESAMPLES = 1000
LEVELS = ("strong", "likely", "weak", "none")
"""Levels of confidence; the last one: the answer is nothing convincing."""

_SEED = 0
_VALUES_AT_ONCE = 2_000_000
_QUANTILES = (0.025, 0.975)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: `value_of` an outcome, NaN where it has no meaning, averaged or by the median."""

    name: str
    value_of: Callable[[Outcome], float | tuple[float, float]]
    by_median: bool = False
    unit: str = ""

    def values(self, outcomes: Sequence[Outcome]) -> Values:
        """(n, 1) or (n, 2) float64: the values of n outcomes."""
        return np.array([self.value_of(one) for one in outcomes], float).reshape(len(outcomes), -1)

    def over(self, values: Values) -> Values:
        """The figure of each row of (R, m) values: (R,); NaN where none has a meaning."""
        known = np.count_nonzero(~np.isnan(values), axis=1)
        with np.errstate(invalid="ignore"):
            if not self.by_median:
                return np.asarray(np.nansum(values, axis=1) / known)
            ranked = np.sort(values, axis=1)  # NaN last
            rows = np.arange(len(values))
            middle = [ranked[rows, np.maximum(at, 0)] for at in ((known - 1) // 2, known // 2)]
            return np.where(known > 0, (middle[0] + middle[1]) / 2, np.nan)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval, which holds 95 % of the figures of other draws of sentences."""

    value: float
    low: float
    high: float


def _share(one: Outcome, *, holds: bool, of: float | None) -> float:
    return float("nan") if one.rank is None or of is None else float(holds)


def _recall(depth: int) -> Callable[[Outcome], float]:
    return lambda one: _share(one, holds=(one.rank or 0) <= depth, of=one.rank)


def _recall_at_iou(least: float) -> Callable[[Outcome], float]:
    return lambda one: _share(one, holds=(one.iou or 0) >= least, of=one.iou)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _share_at(level: str, *, true: bool) -> Callable[[Outcome], float]:
    def value_of(one: Outcome) -> float:
        fits = one.confidence is not None and (one.rank is not None) == true
        return float(one.confidence == level) if fits else float("nan")

    return value_of


MEASURES: tuple[Measure, ...] = (
    Measure("recall@1", _recall(1)),
    Measure("recall@5", _recall(5)),
    Measure("recall@10", _recall(10)),
    Measure("median_rank", lambda one: _or_nan(one.rank), by_median=True),
    Measure("mrr", lambda one: _or_nan(one.rank and 1 / one.rank)),
    Measure("ndcg@10", lambda one: _or_nan(one.ndcg)),
    Measure("recall@1_iou_0.3", _recall_at_iou(0.3)),
    Measure("recall@1_iou_0.5", _recall_at_iou(0.5)),
    Measure("recall@1_iou_0.7", _recall_at_iou(0.7)),
    Measure("found_iou_0.7", lambda one: _or_nan(one.found)),
    Measure("mean_iou", lambda one: _or_nan(one.iou)),
    Measure(
        "boundary_error_median",
        lambda one: one.boundary_errors or (float("nan"),) * 2,
        by_median=True,
        unit="s",
    ),
    Measure(
        "boundary_error_mean", lambda one: one.boundary_errors or (float("nan"),) * 2, unit="s"
    ),
    *(
        Measure(f"{group}_{level}", _share_at(level, true=group == "true"))
        for group in ("true", "nothing")
        for level in LEVELS
    ),
)


def estimate(
    outcomes: Mapping[str, Sequence[Outcome]],
) -> tuple[dict[str, dict[str, Estimate]], dict[str, dict[str, Estimate]]]:
    """The figures of each setting, and their differences to those of the first setting.

    Args:
        outcomes: by setting, of the same questions in the same order.

    Returns:
        By setting and name of the measure. Measures without a meaning for these questions are left
        out.
    """
    first, *others = outcomes
    count = len(outcomes[first])
    draws = np.random.default_rng(_SEED).integers(0, count, (RESAMPLES, count))
    figures: dict[str, dict[str, Estimate]] = {name: {} for name in outcomes}
    differences: dict[str, dict[str, Estimate]] = {name: {} for name in others}
    for measure in MEASURES:
        drawn = {
            name: _Drawn.of(measure, values=values, draws=draws)
            for name, its in outcomes.items()
            if not np.isnan(values := measure.values(its)).all()
        }
        for name, its in drawn.items():
            figures[name][measure.name] = its.estimate()
            if name != first and first in drawn:
                differences[name][measure.name] = its.minus(drawn[first]).estimate()
    return figures, differences


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A figure, and the figures of the draws (R,) float64."""

    value: float
    drawn: Values

    @classmethod
    def of(cls, measure: Measure, *, values: Values, draws: NDArray[np.int64]) -> _Drawn:
        few = max(1, _VALUES_AT_ONCE // values.size)
        parts = [draws[begin : begin + few] for begin in range(0, len(draws), few)]
        drawn = [measure.over(values[part].reshape(len(part), -1)) for part in parts]
        return cls(float(measure.over(values.reshape(1, -1))[0]), np.concatenate(drawn))

    def minus(self, other: _Drawn) -> _Drawn:
        with np.errstate(invalid="ignore"):  # infinite ranks: their difference is unknown
            return _Drawn(float(np.subtract(self.value, other.value)), self.drawn - other.drawn)

    def estimate(self) -> Estimate:
        known = np.sort(self.drawn[~np.isnan(self.drawn)])
        if not known.size:
            return Estimate(self.value, self.value, self.value)
        # Without interpolation: between a rank and an infinite one there is none.
        low, high = (float(known[round(q * (len(known) - 1))]) for q in _QUANTILES)
        return Estimate(self.value, low, high)
