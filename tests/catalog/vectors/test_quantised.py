"""Quantised vectors: the answers are those of the exact vectors."""

import numpy as np
import pytest

from catalog.vectors.faiss_shards import Float16, ScalarQuantizer4
from catalog.vectors.index import VectorIndex

DIM = 64
FILMS = 200
CLIPS_PER_FILM = 100

SHARD_ROWS = {Float16: 700, ScalarQuantizer4: 3000}
pytestmark = pytest.mark.usefixtures("spread")


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


class Library:
    """Clips in clusters away from the origin, as those of a model; ids from 1, with gaps."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.mean = unit(rng.normal(size=DIM))
        films = unit(rng.normal(size=(FILMS, DIM))).repeat(CLIPS_PER_FILM, axis=0)
        own = 0.5 * unit(rng.normal(size=films.shape))
        self.vectors = unit(self.mean + films + own).astype(np.float16).astype(np.float32)
        self.ids = 3 * np.arange(len(self.vectors)) + 1
        self.looked_up = 0

    def stored(self, ids):
        assert (np.diff(ids) > 0).all()
        self.looked_up += len(ids)
        return self.vectors[(ids - 1) // 3]

    def indexed(self, *, exact_up_to=1000):
        index = VectorIndex(dim=DIM, exact_up_to=exact_up_to)
        index.add(self.ids, self.vectors)
        return index

    def expected(self, query, *, limit, among=None):
        chosen = (
            np.arange(len(self.ids)) if among is None else np.flatnonzero(np.isin(self.ids, among))
        )
        scores = np.einsum("nd,d->n", self.vectors[chosen], query)  # rounded row by row
        return list(self.ids[chosen[np.argsort(-scores, kind="stable")[:limit]]])

    def queries(self, kind, *, count=25):
        rng = np.random.default_rng(4)
        noise = unit(rng.normal(size=(count, DIM)))
        some = self.vectors[rng.integers(len(self.vectors), size=(6, count))]
        return {
            "a clip": lambda: unit(some[0] + 0.2 * noise),
            "shifted away": lambda: unit(0.6 * some[0] - self.mean + 0.4 * noise),
            "mostly orthogonal": lambda: unit(0.2 * some[0] + noise),
            "between films": lambda: unit(some.mean(axis=0)),
        }[kind]()


@pytest.fixture(scope="module")
def filled(spread):
    library = Library()
    return library, library.indexed()


KINDS = ("a clip", "shifted away", "mostly orthogonal", "between films")


@pytest.mark.parametrize("kind", KINDS)
def test_the_ten_best_of_queries_far_from_all_clips_are_found_with_their_exact_cosines(
    filled, kind
):
    library, index = filled
    assert not index.is_exact
    found = right = 0
    library.looked_up = 0
    for query in library.queries(kind):
        ids, scores = index.nearest(query, limit=10, stored=library.stored)
        assert scores == pytest.approx(library.vectors[(ids - 1) // 3] @ query, abs=1e-6)
        assert list(scores) == sorted(scores, reverse=True)
        found += len(ids)
        right += len(set(ids) & set(library.expected(query, limit=10)))
    assert found == 250
    assert right >= 0.99 * found
    assert library.looked_up < 0.1 * 25 * len(library.ids)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_only_filtered_clips_are_found(filled, kind, share):
    library, index = filled
    films = np.random.default_rng(5).choice(FILMS, int(share * FILMS), replace=False)
    among = library.ids.reshape(FILMS, -1)[films].ravel()
    right = 0
    for query in library.queries(kind):
        ids, _ = index.nearest(
            query, limit=10, stored=library.stored, among=np.append(among, [0, 2, 10**6])
        )
        assert set(ids) <= set(among)
        right += len(set(ids) & set(library.expected(query, limit=10, among=among)))
    assert right >= 0.99 * 250


def test_few_candidates_are_all_compared_exactly(filled):
    library, index = filled
    among = library.ids[::200]
    for query in library.queries("mostly orthogonal"):
        ids, _ = index.nearest(query, limit=10, stored=library.stored, among=among)
        assert list(ids) == library.expected(query, limit=10, among=among)
    nothing = index.nearest(
        library.vectors[0], limit=10, stored=library.stored, among=np.array([2, 3])
    )
    assert len(nothing[0]) == 0


def test_a_limit_above_all_gives_all_in_order(filled):
    library, index = filled
    query = library.queries("between films")[0]
    ids, _ = index.nearest(query, limit=10**6, stored=library.stored)
    assert list(ids) == library.expected(query, limit=10**6)


def test_of_equal_clips_at_the_edge_the_lowest_ids_stay():
    library = Library()
    query = library.queries("between films")[0]
    twins = np.arange(700) * 20 + 7
    library.vectors[twins] = query.astype(np.float16)
    index = library.indexed()
    for limit in (1, 10, 300, 699):
        ids, scores = index.nearest(query, limit=limit, stored=library.stored)
        assert list(ids) == list(library.ids[twins[:limit]])
        assert len(set(scores)) == 1


def test_an_index_is_quantised_as_it_grows_and_answers_the_same(filled):
    library, _ = filled
    index = VectorIndex(dim=DIM, exact_up_to=9000)
    query = library.queries("shifted away")[0]
    for begin in range(0, len(library.ids), 2500):
        some = slice(begin, begin + 2500)
        index.add(library.ids[some], library.vectors[some])
        here = library.ids[: begin + 2500]
        assert index.is_exact == (len(here) <= 9000)
        assert list(index.ids) == list(here)
        ids, _ = index.nearest(query, limit=10, stored=library.stored)
        assert list(ids) == library.expected(query, limit=10, among=here)


def test_removed_clips_are_not_found_and_the_others_are(filled):
    library, _ = filled
    index = library.indexed()
    query = library.queries("a clip")[0]
    gone = np.union1d(library.expected(query, limit=40), library.ids[::7])
    index.remove(np.append(gone, [2, 10**7]))
    left = np.setdiff1d(library.ids, gone)
    assert list(index.ids) == list(left)
    ids, _ = index.nearest(query, limit=10, stored=library.stored)
    assert list(ids) == library.expected(query, limit=10, among=left)
    index.remove(left)
    assert len(index) == 0
    assert len(index.nearest(query, limit=10, stored=library.stored)[0]) == 0
    assert index.newest == 0


def test_additions_of_any_size_keep_ids_and_codes_together(filled):
    library, _ = filled
    index = library.indexed(exact_up_to=0)
    rng = np.random.default_rng(6)
    newest = int(library.ids[-1])
    for count in (1, 31, 32, 33, 8192, 12_000, 1):
        ids = newest + 1 + np.arange(count)
        rows = rng.integers(len(library.ids), size=count)
        index.add(ids, library.vectors[rows])
        newest = int(ids[-1])
        held = list(index.rows())
        assert (np.diff(np.concatenate([ids for ids, _ in held])) > 0).all()
        last = np.concatenate([codes for _, codes in held])[-count:]
        assert np.array_equal(last, index.encode(library.vectors[rows]))


def test_a_quantised_index_survives_as_bytes_and_can_grow(filled):
    library, index = filled
    body = np.frombuffer(b"".join(index.to_parts()), np.uint8)
    again = VectorIndex.from_bytes(body, dim=DIM, exact_up_to=1000)
    assert not again.is_exact
    query = library.queries("mostly orthogonal")[0]
    for one in (again, index):
        ids, _ = one.nearest(query, limit=10, stored=library.stored)
        assert list(ids) == library.expected(query, limit=10)
    again.remove(library.ids[:500])
    again.add(np.array([10**6]), library.vectors[:1])
    assert len(again) == len(index) - 499
    for cut in (3, 16, 20, 400, 10_000, len(body) - 1):
        with pytest.raises(ValueError, match="not a"):
            VectorIndex.from_bytes(body[:cut], dim=DIM)


def test_an_index_tells_that_it_is_needlessly_quantised(filled):
    library, _ = filled
    index = library.indexed(exact_up_to=10_000)
    index.remove(library.ids[: len(library.ids) - 5001])
    assert not index.is_needlessly_quantised
    index.remove(library.ids[-1:])
    index.remove(library.ids[-2:-1])
    assert index.is_needlessly_quantised


def test_constant_numbers_and_odd_lengths_do_no_harm():
    drawn = np.random.default_rng(8).normal(size=(3000, 7))
    drawn[:, 2] = 0.5
    vectors = unit(drawn).astype(np.float16).astype(np.float32)
    index = VectorIndex(dim=7, exact_up_to=100)
    index.add(np.arange(1, 3001), vectors)
    query = unit(np.random.default_rng(9).normal(size=7))
    ids, _ = index.nearest(query, limit=5, stored=lambda ids: vectors[ids - 1])
    assert set(ids) == set(1 + np.argsort(-vectors @ query)[:5])


def test_on_a_gpu_exact_vectors_answer_as_on_the_cpu():
    faiss = pytest.importorskip("faiss")
    if not faiss.get_num_gpus():
        pytest.skip("CUDA: no GPU here")
    rng = np.random.default_rng(10)
    vectors = unit(rng.normal(size=(210_000, DIM)).astype(np.float32))
    vectors = vectors.astype(np.float16).astype(np.float32)
    index = VectorIndex(dim=DIM)
    index.add(np.arange(1, 1 + len(vectors)), vectors)
    assert index.is_exact
    query = unit(rng.normal(size=DIM))
    first, *others = (
        index.nearest(query, limit=10, stored=lambda ids: vectors[ids - 1]) for _ in range(3)
    )
    for found in others:
        assert list(found[0]) == list(first[0])
        assert found[1] == pytest.approx(first[1], abs=1e-5)
