"""Pools: the nearest clips of a question."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog import ClipMatch


@dataclass(frozen=True, slots=True)
class Pool:
    """The nearest clips of a question, with the scores by which they rank.

    Attributes:
        clips: N clips.
        cosines: theirs, by their ids.
        vectors: (N, D) float32, theirs; None where only cosines count.
    """

    clips: Sequence[ClipMatch]
    cosines: dict[int, float]
    vectors: NDArray[np.float32] | None = None
