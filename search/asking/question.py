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


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """The vectors (E, D) of E examples, of unit length, and their weights (E,); float32."""

    vectors: Vectors
    weights: NDArray[np.float32]


_SAME = 1e-3  # length of a sum of unit vectors that say nothing together


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The sentences and examples of a step as they are asked: one vector, and one search.

    They ask for the sum of their directions, each with its weight. So a clip scores the sum of what
    it scores for each, and what is not wanted counts against it.

    Attributes:
        weights: (K,) float32, of the sentences; below 0 for what is not wanted.
        examples: the vectors of clips that show what is wanted.
        vector: (D,) float32, whose product with a clip's vector is the mean of the cosines.
        direction: (D,) float32 of unit length, of centred sentences or not. An index is asked with
            it.
        mean_clip: (D,) float32, the mean of the library; None where clips are not centred.
        centre: the centre of the bank; None where sentences are not centred.
        chance: what a library's best clip scores by chance; None where clips are not centred, and
            with examples: nobody knows what those score by chance.
        ordinary: the product of `direction` with what is ordinary in the library; None: not known.
    """

    weights: NDArray[np.float32]
    examples: Examples | None
    vector: Vectors
    direction: Vectors
    mean_clip: Vectors | None = None
    centre: TextCentre | None = None
    chance: ByChance | None = None
    ordinary: float | None = None

    @classmethod
    def plain(
        cls,
        vectors: Vectors,
        weights: Sequence[float],
        background: Background | None = None,
        *,
        examples: Examples | None = None,
    ) -> Self:
        """A question of sentences (K, D) and examples that scores clips by their cosines."""
        nowhere = np.zeros(vectors.shape[1], np.float32)
        question = cls(np.array(weights, np.float32), examples, nowhere, nowhere)
        asked = question.with_vectors(vectors)
        return asked if background is None else asked._before(background)

    @classmethod
    def centred(
        cls,
        vectors: Vectors,
        weights: Sequence[float],
        background: Background,
        *,
        examples: Examples | None = None,
    ) -> Self:
        """The same, but it scores clips by c (`search.background.centring`)."""
        nowhere = np.zeros(vectors.shape[1], np.float32)
        question = cls(
            np.array(weights, np.float32),
            examples,
            nowhere,
            nowhere,
            mean_clip=background.mean_clip,
            centre=TextCentre(mean=background.mean_text, most=background.most),
            chance=None if examples else ByChance.of(background.maxima),
        )
        return question.with_vectors(vectors)._before(background)

    def _before(self, background: Background) -> Self:
        return replace(self, ordinary=float(self.direction @ background.mean_clip))

    def with_vectors(self, vectors: Vectors) -> Self:
        """The same question with other vectors (K, D) of its sentences.

        Raises:
            EmptyQueryError: together, sentences and examples ask for nothing.
        """
        centred = vectors
        if self.centre is not None and len(vectors):
            centred = np.stack([self.centre.centred(vector) for vector in vectors])
        direction, vector = self.weights @ centred, self.weights @ vectors
        wanted = self.weights[self.weights > 0].sum()
        if self.examples is not None:
            shown, weights = self.examples.vectors, self.examples.weights
            direction = direction + weights @ self._centred(shown)
            vector, wanted = vector + weights @ shown, wanted + weights.sum()
        if np.linalg.norm(direction) < _SAME:
            raise EmptyQueryError(
                "what is wanted and what is not wanted cancel each other; ask for less of one"
            )
        return replace(self, vector=vector / wanted, direction=unit(direction))

    def _centred(self, clips: Vectors) -> Vectors:
        return clips if self.mean_clip is None else centred_clips(clips, self.mean_clip)

    def scores(self, clips: Vectors) -> Vectors:
        """The scores (N,) by which clips with these vectors (N, D) rank."""
        # Row by row: a matrix product rounds equal rows differently, depending on their position.
        found: Vectors = np.einsum("nd,d->n", self._centred(clips), self.direction)
        return found
