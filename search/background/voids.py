"""Pair voids: directions that are true of nothing, to compare the best clip of a question with.

A void is half of one sentence of the bank and half of another. What the library's best clip scores
for some hundred of them is what it scores by chance: it depends on the model, on the number of
clips and on how much they differ, and so no scale has to be chosen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.background.centring import Vectors, unit

VOIDS = 300
_SEED = 11
_TOP = 0.95


def pair_voids(bank: Vectors, mean: Vectors) -> Vectors:
    """Unit vectors (V, D) of random pairs of a bank's sentences (K, D) less their mean (D,)."""
    draw = np.random.default_rng(_SEED)
    first = draw.integers(len(bank), size=VOIDS)
    second = (first + draw.integers(1, len(bank), size=VOIDS)) % len(bank)
    return unit((bank[first] - mean) + (bank[second] - mean))


@dataclass(frozen=True, slots=True)
class ByChance:
    """What the best clip of a library scores for voids: the median, and what few of them exceed."""

    median: float
    top: float

    @classmethod
    def of(cls, maxima: NDArray[np.float32]) -> "ByChance":
        """Of the maxima (V,) of c over the clips, one for each void."""
        # As numpy.median and numpy.percentile, whose first call takes longer than all the rest.
        places = np.linspace(0.0, 1.0, len(maxima))
        median, top = np.interp((0.5, _TOP), places, np.sort(maxima)).tolist()
        return cls(median, top)

    @property
    def spread(self) -> float:
        """From the median to the top; never 0."""
        return max(self.top - self.median, 1e-6)

    def score_at(self, standing: float) -> float:
        """The centred score that stands so high."""
        return self.median + standing * self.spread


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a clip with a centred score stands among the voids."""

    score: float
    chance: ByChance

    @property
    def value(self) -> float:
        """x: 0 at the median of the voids, 1 at what few of them exceed."""
        return (self.score - self.chance.median) / self.chance.spread
