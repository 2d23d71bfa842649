"""The second stage: which clips change places, and that nothing else does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.second_stage import exchanged

NAN = float("nan")


def arrays(scores, full):
    return np.array(scores, np.float32), np.array(full, np.float32)


def test_clips_change_places_in_the_order_of_their_full_scores():
    scores, full = arrays([0.9, 0.8, 0.7, 0.1], [0.2, 0.6, 0.4, NAN])
    assert exchanged(scores, full).tolist() == np.float32([0.7, 0.9, 0.8, 0.1]).tolist()


def test_a_clip_that_could_not_be_decoded_keeps_its_place():
    scores, full = arrays([0.9, 0.8, 0.7], [0.2, NAN, 0.4])
    assert exchanged(scores, full).tolist() == np.float32([0.7, 0.8, 0.9]).tolist()


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.one_of(st.none(), st.integers(-9, 9))), max_size=20)
)
def test_the_scores_stay_the_same_numbers(pairs):
    scores, full = arrays(
        [score for score, _ in pairs], [NAN if it is None else it for _, it in pairs]
    )
    changed = exchanged(scores, full)
    assert sorted(changed.tolist()) == sorted(scores.tolist())
    unknown = np.isnan(full)
    assert changed[unknown].tolist() == scores[unknown].tolist()
    better = full[:, None] > full[None, :]
    assert np.all(changed[:, None][better.any(axis=1)] >= changed[:, None].min(initial=9))
    assert not np.any(better & (changed[:, None] < changed[None, :]))
