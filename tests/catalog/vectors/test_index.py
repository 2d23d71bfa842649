"""The vector index alone: it refuses or corrects what FAISS would silently do."""

import numpy as np
import pytest

from catalog.vectors.faiss_shards import Float16
from catalog.vectors.index import VectorIndex

SHARD_ROWS = {Float16: 4}
pytestmark = pytest.mark.usefixtures("spread")


def nothing_stored(ids):
    raise AssertionError("exact vectors need not be looked up")


def best_of(index, query, **asked):
    return index.nearest(query, stored=nothing_stored, **asked)


def written(index):
    return np.frombuffer(b"".join(index.to_parts()), dtype=np.uint8)


def filled(count=10, dim=8):
    index = VectorIndex(dim=dim)
    drawn = np.random.default_rng(5).normal(size=(count, dim)).astype(np.float32)
    vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    index.add(np.arange(1, count + 1), vectors)
    return index, vectors


@pytest.mark.parametrize("ids", [[3], [11, 11], [12, 5]])
def test_an_id_never_enters_twice(ids):
    index, vectors = filled()
    with pytest.raises(ValueError, match="only once"):
        index.add(np.array(ids), vectors[: len(ids)])
    assert len(index) == 10


def test_removed_ids_are_not_found_and_unknown_ones_are_ignored():
    index, vectors = filled()
    index.remove(np.array([4, 77]))
    assert len(index) == 9
    ids, _ = best_of(index, vectors[3], limit=100)
    assert sorted(ids) == [1, 2, 3, 5, 6, 7, 8, 9, 10]


def test_only_filtered_ids_are_found_and_unknown_ones_are_ignored():
    index, vectors = filled()
    ids, scores = best_of(index, vectors[0], limit=5, among=np.array([2, 9, 500]))
    assert sorted(ids) == [2, 9]
    assert scores == pytest.approx(vectors[ids - 1] @ vectors[0], abs=2e-3)
    assert len(best_of(index, vectors[0], limit=5, among=np.array([], dtype=np.int64))[0]) == 0


def test_an_index_survives_as_bytes():
    index, vectors = filled()
    again = VectorIndex.from_bytes(written(index), dim=8)
    assert list(again.ids) == list(index.ids)
    assert best_of(again, vectors[6], limit=3)[0][0] == 7
    again.add(np.array([11]), vectors[:1])
    assert len(again) == 11


@pytest.mark.parametrize("body", [b"", b"not an index", b"\0" * 100])
def test_bytes_that_are_not_an_index_are_refused(body):
    with pytest.raises(ValueError, match="not a"):
        VectorIndex.from_bytes(np.frombuffer(body, np.uint8), dim=8)


def test_an_index_of_another_dim_is_refused():
    index, _ = filled()
    with pytest.raises(ValueError, match="16-dimensional"):
        VectorIndex.from_bytes(written(index), dim=16)


def test_an_empty_index_finds_nothing():
    ids, scores = best_of(VectorIndex(dim=8), np.eye(8, dtype=np.float32)[0], limit=3)
    assert (len(ids), len(scores)) == (0, 0)


@pytest.mark.parametrize("limit", range(1, 14))
def test_of_equal_clips_at_the_edge_the_lowest_ids_stay_even_when_better_ones_come_later(limit):
    best, tied = np.eye(8, dtype=np.float32)[:2]
    query = (2.0 * best + tied) / np.linalg.norm(2.0 * best + tied)
    index = VectorIndex(dim=8)
    index.add(np.arange(1, 14), np.stack([tied] * 5 + [best] + [tied] * 6 + [best]))
    ids, _ = best_of(index, query, limit=limit)
    assert list(ids) == [6, 13, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12][:limit]
