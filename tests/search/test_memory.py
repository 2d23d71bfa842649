"""Vectors of sentences that were asked before."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from catalog import Provenance
from search import SentenceMemory

MADE_BY = Provenance("words", None, "ab" * 32, 3, 8, 8.0, 4.0)
VECTOR = np.array([0.6, 0.0, 0.8], dtype=np.float32)


@dataclass
class Notebook:
    """A memo in memory."""

    known: dict[bytes, bytes] = field(default_factory=dict)

    def get(self, key):
        return self.known.get(key)

    def put(self, key, value):
        self.known[key] = value


@pytest.fixture
def notebook():
    return Notebook()


@pytest.fixture
def memory(notebook):
    return SentenceMemory(notebook)


@pytest.mark.parametrize("sentence", ["a red car", "ein rotes Auto ü", "\udcff not Unicode"])
def test_a_sentence_is_known_by_the_weights_that_it_was_asked_of(memory, sentence):
    assert memory.recall(sentence, made_by=MADE_BY) is None
    memory.remember(sentence, VECTOR, made_by=MADE_BY)
    recalled = memory.recall(sentence, made_by=MADE_BY)
    assert recalled.dtype == np.float32
    assert np.array_equal(recalled, VECTOR)
    assert memory.recall(sentence + " ", made_by=MADE_BY) is None
    others = replace(MADE_BY, weights_digest="cd" * 32)
    assert memory.recall(sentence, made_by=others) is None


def test_the_same_weights_under_another_name_know_it_as_well(memory):
    memory.remember("a red car", VECTOR, made_by=MADE_BY)
    renamed = replace(MADE_BY, model="copy/of/words", window=2.0, stride=1.0)
    assert np.array_equal(memory.recall("a red car", made_by=renamed), VECTOR)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"123",
        VECTOR.tobytes()[:-1],
        VECTOR.tobytes() + bytes(4),
        np.zeros(3, np.float32).tobytes(),
        np.full(3, np.nan, np.float32).tobytes(),
    ],
)
def test_what_is_no_unit_vector_counts_for_nothing(memory, notebook, nonsense):
    memory.remember("a red car", VECTOR, made_by=MADE_BY)
    notebook.known = dict.fromkeys(notebook.known, nonsense)
    assert memory.recall("a red car", made_by=MADE_BY) is None
