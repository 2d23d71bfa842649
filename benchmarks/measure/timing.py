"""Timing of several functions in turns.

Machines are shared and noisy: a time alone says little, the ratio of two times measured in the
same minutes says more. So every round runs all functions, and ratios are computed round by round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one function, one number per round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median of the rounds, in seconds."""
        return statistics.median(self.seconds)

    @property
    def figure(self) -> Figure:
        """Median and extremes, in milliseconds."""
        return figure_of([1000 * second for second in self.seconds], unit="ms")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured quantity: median, lowest and highest value of the rounds."""

    median: float
    low: float
    high: float
    unit: str = "×"

    def __str__(self) -> str:
        low, high = _rounded(self.low), _rounded(self.high)
        return f"{_rounded(self.median)} {self.unit} ({low} to {high})"


def figure_of(values: list[float], *, unit: str) -> Figure:
    """Compute median and extremes of at least one value."""
    return Figure(statistics.median(values), min(values), max(values), unit)


def side_by_side(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warm_ups: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time all functions in each of `rounds` rounds, in an order that rotates from round to round.

    `clock` returns seconds: `time.perf_counter` wall time, `time.process_time` the CPU time of all
    threads of this process. `warm_ups` rounds before are not counted.

    Raises:
        ValueError: no function or no round.
    """
    if not ways or rounds < 1:
        raise ValueError(f"{len(ways)} ways in {rounds} rounds: there is nothing to measure")
    taken: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(-warm_ups, rounds):
        for name in names:
            begin = clock()
            ways[name]()
            if number >= 0:
                taken[name].append(clock() - begin)
        names = names[1:] + names[:1]
    return {name: Timing(tuple(seconds)) for name, seconds in taken.items()}


def ratio(numerator: Timing, denominator: Timing) -> Figure:
    """Compute the ratio of two timings, round by round.

    Raises:
        ValueError: the numbers of rounds differ.
    """
    pairs = zip(numerator.seconds, denominator.seconds, strict=True)
    return figure_of([above / below for above, below in pairs], unit="×")


def _rounded(value: float) -> str:
    """Format with three significant digits, without an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
