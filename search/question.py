"""A question: the vector of a sentence, and how it scores clips."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from catalog import Background
from search.background.centring import TextCentre, centred_clips
from search.background.voids import ByChance


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A sentence as it is asked.

    Attributes:
        vector: (D,) float32 of unit length, the sentence's.
        direction: (D,) float32 of unit length: the same, or centred. An index is asked with it.
        mean_clip: (D,) float32, the mean of the library; None where clips are not centred.
        centre: the centre of the bank; None where the sentence is not centred.
        chance: what a library's best clip scores by chance; None where clips are not centred.
        ordinary: the product of `direction` with what is ordinary in the library; None: not known.
    """

    vector: NDArray[np.float32]
    direction: NDArray[np.float32]
    mean_clip: NDArray[np.float32] | None = None
    centre: TextCentre | None = None
    chance: ByChance | None = None
    ordinary: float | None = None

    @classmethod
    def plain(cls, vector: NDArray[np.float32], background: Background | None = None) -> Self:
        """A question that scores clips by their cosines."""
        ordinary = None if background is None else float(vector @ background.mean_clip)
        return cls(vector=vector, direction=vector, ordinary=ordinary)

    @classmethod
    def centred(cls, vector: NDArray[np.float32], background: Background) -> Self:
        """A question that scores clips by c (see `search.background.centring`)."""
        centre = TextCentre(mean=background.mean_text, most=background.most)
        direction = centre.centred(vector)
        return cls(
            vector=vector,
            direction=direction,
            mean_clip=background.mean_clip,
            centre=centre,
            ordinary=float(direction @ background.mean_clip),
            chance=ByChance.of(background.maxima),
        )

    def with_vector(self, vector: NDArray[np.float32]) -> Self:
        """The same question with another vector (D,) of its sentence."""
        direction = vector if self.centre is None else self.centre.centred(vector)
        return replace(self, vector=vector, direction=direction)

    def scores(self, clips: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores (N,) by which clips with these vectors (N, D) rank."""
        if self.mean_clip is not None:
            clips = centred_clips(clips, self.mean_clip)
        # Row by row: a matrix product rounds equal rows differently, depending on their position.
        found: NDArray[np.float32] = np.einsum("nd,d->n", clips, self.direction)
        return found
