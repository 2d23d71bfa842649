"""Ways of doing the same thing, timed in turns.

Machines are shared and noisy: what one way takes says little, what it takes beside another in the
same minutes says more. So every round runs all the ways, and ratios are taken round by round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that one way took, one number a round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round, in seconds."""
        return statistics.median(self.seconds)

    @property
    def figure(self) -> Figure:
        """Median and extremes, in milliseconds."""
        return figure_of([1000 * second for second in self.seconds], unit="ms")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured quantity: the median of the rounds, the lowest and the highest of them."""

    median: float
    low: float
    high: float
    unit: str = "×"

    def __str__(self) -> str:
        low, high = _rounded(self.low), _rounded(self.high)
        return f"{_rounded(self.median)} {self.unit} ({low} to {high})"


def figure_of(values: list[float], *, unit: str) -> Figure:
    """Median and extremes of at least one value."""
    return Figure(statistics.median(values), min(values), max(values), unit)


def side_by_side(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warm_ups: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time all ways in each of `rounds`, in an order that turns round after round.

    `clock` tells seconds: `time.perf_counter` those on the wall, `time.process_time` those that all
    threads of this process were given. What `warm_ups` rounds take is not counted.

    Raises:
        ValueError: there is nothing to measure.
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
    """How many times longer one way took than the other, round by round.

    Raises:
        ValueError: they were not timed in the same number of rounds.
    """
    pairs = zip(numerator.seconds, denominator.seconds, strict=True)
    return figure_of([above / below for above, below in pairs], unit="×")


def _rounded(value: float) -> str:
    """Three digits that mean something, never an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
