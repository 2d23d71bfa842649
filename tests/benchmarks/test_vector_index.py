"""What the benchmark of the vector index takes for right is right."""

import numpy as np
import pytest

from benchmarks.vector_index import KINDS, SHARES, Store, Truth, World, competes


def test_the_ten_best_are_kept_piece_by_piece_for_each_share():
    world = World()
    queries = np.concatenate([world.queries(kind, 2) for kind in KINDS])
    truth = Truth(queries)
    pieces = [world.clips(1500, seed=seed) for seed in range(3)]
    for number, piece in enumerate(pieces):
        truth.look_at(1 + 1500 * number + np.arange(1500), piece)
    every = np.concatenate(pieces)
    ids = np.arange(1, 4501)
    for share, part in SHARES.items():
        here = ids[competes(ids, share=part)]
        for row, query in enumerate(queries):
            best = here[np.argsort(-(every[here - 1] @ query))][:10]
            assert truth.right(share, row, best) == min(10, len(here)) / 10
            assert truth.right(share, row, best[:5]) == min(5, len(here)) / 10


@pytest.mark.parametrize("part", SHARES.values())
def test_a_share_is_made_of_whole_films(part):
    ids = np.arange(1, 200_001)
    chosen = competes(ids, share=part).reshape(-1, 100)
    assert (chosen.all(axis=1) == chosen.any(axis=1)).all()
    assert chosen.mean() == pytest.approx(part, rel=0.2)


def test_queries_are_as_far_from_the_clips_as_their_kind_says():
    world = World()
    clips = world.clips(20_000, seed=1)
    near = {kind: np.max(world.queries(kind, 10) @ clips.T, axis=1).mean() for kind in KINDS}
    assert near["clip"] > 1.5 * max(near[kind] for kind in KINDS[1:])


def test_stored_vectors_come_back_by_their_ids(tmp_path):
    store = Store(tmp_path / "clips.sqlite")
    vectors = World().clips(50, seed=1)
    store.put(np.arange(1, 51), vectors)
    assert store.stored(np.array([3, 40])) == pytest.approx(vectors[[2, 39]], abs=1e-3)
    assert len(store.first(20)) == 20
    store.connection.close()
