"""Vectors of sentences that were asked before, so that no model is needed to ask them again."""

import numpy as np
from numpy.typing import NDArray

from catalog import Provenance
from xclip_core import TEXT_VECTORS, Memo

_LETTERS_READ = "letters read"
_LENGTH = 8  # bytes of a number
_UNIT = 1e-3  # how far from 1 the length of a whole vector may be


class SentenceMemory:
    """What sentences mean to a model, as far as it was worked out before.

    A vector belongs to the weights that made it. It only saves time: one that is not whole counts
    for nothing.
    """

    def __init__(self, memo: Memo) -> None:
        self._memo = memo

    def recall(self, sentence: str, *, made_by: Provenance) -> NDArray[np.float32] | None:
        """The vector (D,) of exactly this sentence; None if it is not known (any more)."""
        value = self._memo.get(_key(sentence, made_by=made_by))
        if value is None or len(value) != 4 * made_by.dimension:
            return None
        vector = np.frombuffer(value, dtype="<f4").astype(np.float32)
        return vector if abs(np.linalg.norm(vector) - 1) < _UNIT else None

    def remember(self, sentence: str, vector: NDArray[np.float32], *, made_by: Provenance) -> None:
        """Keep the vector (D,) of a sentence, if it can be kept."""
        self._memo.put(_key(sentence, made_by=made_by), vector.astype("<f4").tobytes())

    def recall_read(self, sentence: str, *, made_by: Provenance) -> int | None:
        """How many letters of it the model read; None if all, or if that is not known."""
        value = self._memo.get(_key(sentence, made_by=made_by, of=_LETTERS_READ))
        return None if value is None or len(value) != _LENGTH else int.from_bytes(value, "little")

    def remember_read(self, sentence: str, read: int, *, made_by: Provenance) -> None:
        """Keep how many letters of a sentence the model read, if it can be kept."""
        key = _key(sentence, made_by=made_by, of=_LETTERS_READ)
        self._memo.put(key, read.to_bytes(_LENGTH, "little"))


def _key(sentence: str, *, made_by: Provenance, of: int | str = TEXT_VECTORS) -> bytes:
    text = sentence.encode("utf-8", "surrogatepass")
    return f"{of}\0{made_by.weights_digest}\0".encode() + text
