"""The bank: sentences of the kind that people ask, true of the library or not.

`everyday.txt` holds some hundred sentences about everyday life.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EmbedTexts = Callable[[Sequence[str]], NDArray[np.float32]]
"""Unit vectors (K, D) float32 of K texts."""

_METHOD = 1  # increase it when the same vectors would give another background


@dataclass(frozen=True, slots=True)
class Bank:
    """The vectors of a bank's sentences, embedded when they are needed.

    Attributes:
        name: of the sentences, the model and the method: as long as it is the same, so is all that
            is computed from the bank.
        embed: makes the unit vectors (K, D) float32 of the K sentences.
    """

    name: str
    embed: Callable[[], NDArray[np.float32]]

    @classmethod
    def of(
        cls,
        sentences: Sequence[str],
        *,
        model_digest: str,
        embed: EmbedTexts,
    ) -> "Bank":
        """The bank of at least two sentences for a model; `embed` makes their vectors."""
        edition = hashlib.sha256("\n".join(sentences).encode()).hexdigest()
        return cls.edition(edition, model_digest=model_digest, embed=lambda: embed(sentences))

    @classmethod
    def edition(
        cls, edition: str, *, model_digest: str, embed: Callable[[], NDArray[np.float32]]
    ) -> "Bank":
        """The bank for a model of sentences that have a name: they are read when needed."""
        return cls(name=f"{edition} {_METHOD} {model_digest}", embed=embed)


def everyday_sentences() -> tuple[str, ...]:
    """The sentences of `everyday.txt`."""
    text = Path(__file__).with_name("everyday.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())
