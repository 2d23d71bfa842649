"""A question: the direction that its sentences give, and how it scores clips."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from catalog import Background
from search.background.centring import TextCentre, centred_clips, unit
from search.background.voids import ByChance
from search.errors import EmptyQueryError

Vectors = NDArray[np.float32]

_SAME = 1e-3  # length of a sum of unit vectors that say nothing together


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The sentences of a step as they are asked: one vector, and one search.

    Several sentences ask for the sum of their directions, each with its weight. So a clip scores
    the sum of what it scores for each, and what is not wanted counts against it.

    Attributes:
        weights: (K,) float32, of the sentences; below 0 for what is not wanted.
        vector: (D,) float32, whose product with a clip's vector is the mean of the cosines.
        direction: (D,) float32 of unit length, of centred sentences or not. An index is asked with
            it.
        mean_clip: (D,) float32, the mean of the library; None where clips are not centred.
        centre: the centre of the bank; None where sentences are not centred.
        chance: what a library's best clip scores by chance; None where clips are not centred.
        ordinary: the product of `direction` with what is ordinary in the library; None: not known.
    """

    weights: NDArray[np.float32]
    vector: Vectors
    direction: Vectors
    mean_clip: Vectors | None = None
    centre: TextCentre | None = None
    chance: ByChance | None = None
    ordinary: float | None = None

    @classmethod
    def plain(
        cls, vectors: Vectors, weights: Sequence[float], background: Background | None = None
    ) -> Self:
        """A question of sentences (K, D) that scores clips by their cosines."""
        question = cls._of(vectors, weights, centre=None)
        return question if background is None else question._before(background)

    @classmethod
    def centred(cls, vectors: Vectors, weights: Sequence[float], background: Background) -> Self:
        """A question of sentences (K, D) that scores clips by c (`search.background.centring`)."""
        centre = TextCentre(mean=background.mean_text, most=background.most)
        question = cls._of(vectors, weights, centre=centre)._before(background)
        return replace(
            question, mean_clip=background.mean_clip, chance=ByChance.of(background.maxima)
        )

    @classmethod
    def _of(cls, vectors: Vectors, weights: Sequence[float], *, centre: TextCentre | None) -> Self:
        nowhere = np.zeros(vectors.shape[1], np.float32)
        question = cls(np.array(weights, np.float32), nowhere, nowhere, centre=centre)
        return question.with_vectors(vectors)

    def _before(self, background: Background) -> Self:
        return replace(self, ordinary=float(self.direction @ background.mean_clip))

    def with_vectors(self, vectors: Vectors) -> Self:
        """The same question with other vectors (K, D) of its sentences.

        Raises:
            EmptyQueryError: together, the sentences ask for nothing.
        """
        centred = vectors
        if self.centre is not None:
            centred = np.stack([self.centre.centred(vector) for vector in vectors])
        direction = self.weights @ centred
        if np.linalg.norm(direction) < _SAME:
            raise EmptyQueryError(
                "what is wanted and what is not wanted cancel each other; ask for less of one"
            )
        wanted = self.weights[self.weights > 0].sum()
        vector: Vectors = self.weights @ vectors / wanted
        return replace(self, vector=vector, direction=unit(direction))

    def scores(self, clips: Vectors) -> Vectors:
        """The scores (N,) by which clips with these vectors (N, D) rank."""
        if self.mean_clip is not None:
            clips = centred_clips(clips, self.mean_clip)
        # Row by row: a matrix product rounds equal rows differently, depending on their position.
        found: Vectors = np.einsum("nd,d->n", clips, self.direction)
        return found
