"""The number of cores, and the size of shards, change no answer, not by a bit."""

import numpy as np
import pytest

from catalog.vectors.faiss_shards import Float16, ScalarQuantizer4
from catalog.vectors.index import VectorIndex

ROWS = 20_000
SHARD_ROWS = {Float16: 700, ScalarQuantizer4: 3000}
DIM = 16
IDS = 2 * np.arange(ROWS) + 1
CODECS = {"exact": ROWS, "quantised": 100}  # by the number of exact vectors


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def drawn(count, *, seed):
    return unit(np.random.default_rng(seed).normal(size=(count, DIM)))


@pytest.fixture(scope="module")
def vectors():
    """Vectors of which very many are equal, as of black frames or of a video stored twice."""
    rng = np.random.default_rng(1)
    kinds = drawn(2000, seed=2).astype(np.float16).astype(np.float32)
    return kinds[np.minimum(rng.geometric(0.002, ROWS), 2000) - 1]


def indexed(vectors, codec, *, gone=None):
    index = VectorIndex(dim=DIM, exact_up_to=CODECS[codec])
    for begin in range(0, ROWS, 4500):
        some = slice(begin, begin + 4500)
        index.add(IDS[some], vectors[some])
    if gone is not None:
        index.remove(IDS[gone])
    return index


def answers(index, vectors, **asked):
    """The answers to three queries, as bytes."""
    stored = lambda ids: vectors[(ids - 1) // 2]  # noqa: E731 - it is the index's argument
    found = [index.nearest(query, stored=stored, **asked) for query in drawn(3, seed=3)]
    return [(ids.tolist(), scores.tobytes()) for ids, scores in found]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("limit", [1, 10, 300, 8000, 10**6])
def test_any_limit_gives_the_same_answer(spreads, vectors, codec, limit):
    told = []
    for spread in spreads:
        with spread():
            told.append(answers(indexed(vectors, codec), vectors, limit=limit))
    assert told[0] == told[1] == told[2]
    assert all(len(ids) == min(limit, ROWS) for ids, _ in told[0])


@pytest.mark.parametrize("codec", CODECS)
def test_filtered_clips_give_the_same_answer(spreads, vectors, codec):
    one_in_nine = np.append(IDS[::9], [0, 2, 10**9])
    for among in (one_in_nine, IDS[7000:7040], IDS[-1:], np.empty(0, np.int64)):
        told = []
        for spread in spreads:
            with spread():
                told.append(answers(indexed(vectors, codec), vectors, limit=50, among=among))
        assert told[0] == told[1] == told[2]
        assert all(len(ids) == min(50, np.isin(among, IDS).sum()) for ids, _ in told[0])


@pytest.mark.parametrize("codec", CODECS)
def test_the_clips_left_after_removals_give_the_same_answer(spreads, vectors, codec):
    gone = np.ones(ROWS, np.bool_)
    gone[[5, 6, 9100, *range(15_000, 19_000, 3), ROWS - 1]] = False  # most segments end empty
    told = []
    for spread in spreads:
        with spread():
            told.append(answers(indexed(vectors, codec, gone=gone), vectors, limit=100))
    assert told[0] == told[1] == told[2]
    assert all(set(ids) <= set(IDS[~gone].tolist()) for ids, _ in told[0])


@pytest.mark.parametrize("codec", CODECS)
def test_of_very_many_equal_clips_the_lowest_ids_are_found(spread, codec):
    same = np.broadcast_to(drawn(1, seed=4).astype(np.float16).astype(np.float32), (ROWS, 16))
    index = indexed(same, codec)
    for limit in (1, 10, 300, 5000):
        ids, scores = index.nearest(same[0], limit=limit, stored=lambda ids: same[: len(ids)])
        assert ids.tolist() == IDS[:limit].tolist()
        assert len(set(scores)) == 1


def test_each_clip_of_several_shards_finds_itself_on_one_core(one_core):
    vectors = drawn(70_000, seed=5).astype(np.float16).astype(np.float32)
    index = VectorIndex(dim=DIM)
    index.add(np.arange(len(vectors)) + 1, vectors)
    for row in range(0, len(vectors), 997):
        ids, _ = index.nearest(vectors[row], limit=1, stored=lambda ids: vectors[ids - 1])
        assert ids.tolist() == [row + 1]
