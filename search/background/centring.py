"""Centring: scores less what a sentence shares with all sentences, and a clip with all clips.

Sentences lie in one part of the space and clips in another (a gap), and some clips are near to all
sentences (hubs): raw cosines are bent by both. The centred score

    c = cos(t - w m_T, v - m_V)

takes the mean m_T of a bank of sentences from the sentence t, and the mean m_V of the library from
the clip v. An index that holds the clips as they are is asked with unit(t - w m_T).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

# A bank is in doubt if the means of its halves differ by this share of the mean of all.
_IN_DOUBT = 0.5
_DRAWN_APART = 5  # per cent: the quantile of the clips' cosines below which two are unrelated


@dataclass(frozen=True, slots=True, eq=False)
class TextCentre:
    """The centre of a bank of sentences.

    Attributes:
        mean: (D,) float32, m_T: the mean of their unit vectors.
        most: the largest share of it that is taken from a question.
    """

    mean: Vectors
    most: float

    @classmethod
    def of(cls, bank: Vectors) -> Self:
        """The centre of unit vectors (K, D); half of a mean that is in doubt is left."""
        mean: Vectors = bank.mean(axis=0)
        apart = bank[::2].mean(axis=0) - bank[1::2].mean(axis=0)
        doubtful = np.linalg.norm(apart) > _IN_DOUBT * np.linalg.norm(mean)
        return cls(mean=mean, most=0.5 if doubtful else 1.0)

    def centred(self, text: Vectors) -> Vectors:
        """unit(t - w m_T) of a unit vector t (D,): where to ask the index.

        w is the share of the mean that the question holds itself. Of a mean of sentences about
        other things than the question it holds little, and so little is taken from it.
        """
        held = float(text @ self.mean) / max(float(self.mean @ self.mean), 1e-12)
        return unit(text - np.float32(min(max(held, 0.0), self.most)) * self.mean)


def mean_of_library(clips: Vectors) -> Vectors:
    """m_V (D,) of unit vectors (N, D), some hundred clips of a library in a random order.

    It is the mean of the leaders: of those clips that, one after the other, are related to no
    leader so far. So it does not depend on how often a thing was filmed. Of few clips only a part
    is taken: the mean of one clip is the clip, and nothing would be left of it.
    """
    cosines = clips @ clips.T
    pairs = cosines[np.triu_indices(len(clips), k=1)]
    unrelated = float(np.percentile(pairs, _DRAWN_APART)) if len(pairs) else 1.0
    limit = unrelated + (1.0 - unrelated) / 2
    leaders: list[int] = []
    for number in range(len(clips)):
        if all(cosines[number, leader] < limit for leader in leaders):
            leaders.append(number)
    share = np.float32(1.0 - 1.0 / max(len(leaders), 1))
    mean: Vectors = share * clips[leaders].mean(axis=0)
    return mean


def centred_clips(clips: Vectors, mean: Vectors) -> Vectors:
    """unit(v - m_V) (N, D) of unit vectors v (N, D) and m_V (D,)."""
    return unit(clips - mean)


def unit(vectors: Vectors) -> Vectors:
    """Vectors (…, D) of length 1; one without a direction stays 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = vectors / np.maximum(lengths, np.float32(1e-6))
    return scaled
