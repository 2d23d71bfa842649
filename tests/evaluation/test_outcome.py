import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.outcome import intersection_over_union
from tests.evaluation.places import outcome, place


def test_the_rank_is_that_of_the_first_right_moment() -> None:
    one = outcome((place(1, 10, 18),), (2, 10, 18), (1, 30, 38), (1, 12, 20), (1, 10, 18))
    assert one.rank == 3
    assert one.ndcg == pytest.approx(1 / 2)  # 1 / log2(4)
    assert one.iou == 0
    assert one.boundary_errors is None


def test_the_first_hit_is_measured_against_the_true_moment_that_it_meets_best() -> None:
    one = outcome((place(1, 0, 9), place(1, 10, 18)), (1, 8, 17))
    assert one.rank == 1
    assert one.iou == pytest.approx(7 / 10)
    assert one.boundary_errors == (2, 1)


@pytest.mark.parametrize(
    ("moment", "right"),
    [
        ((10, 14), True),  # within a long event
        ((6, 12), False),  # a third of the moment
        ((7, 13), True),  # half of the moment
        ((0, 60), True),  # all of the event
    ],
)
def test_a_moment_is_right_that_shares_half_of_the_shorter_of_the_two(moment, right) -> None:
    assert (outcome((place(1, 10, 30),), (1, *moment)).rank == 1) is right


def test_a_copy_under_another_path_is_the_same_video() -> None:
    one = outcome((place(1),), (1, 0, 8))  # hits show the copy, places the first file
    assert one.rank == 1
    assert one.iou is None


def test_whole_videos_count_once_each() -> None:
    one = outcome((place(3),), (1, 0, 8), (1, 20, 28), (2, 0, 8), (1, 40, 48), (3, 0, 8))
    assert one.rank == 3


def test_each_place_counts_once() -> None:
    twice = outcome((place(1, 0, 8), place(1, 20, 28)), (1, 0, 8), (1, 1, 9), (1, 20, 28))
    ideal = 1 + 1 / math.log2(3)
    assert twice.ndcg == pytest.approx((1 + 1 / 2) / ideal)
    best = outcome((place(1, 0, 8), place(1, 20, 28)), (1, 0, 8), (1, 20, 28), (1, 1, 9))
    assert best.ndcg == 1


def test_of_several_places_those_are_found_that_as_many_hits_meet_well() -> None:
    places = (place(1, 0, 8), place(1, 20, 28))
    assert (
        outcome(places, (1, 1, 8), (2, 0, 8), (1, 20, 28)).found == 1 / 2
    )  # the third is one more
    assert outcome(places, (1, 20, 28), (1, 0, 7)).found == 1
    assert outcome(places, (1, 0, 4), (1, 24, 40)).found == 0


def test_a_sentence_without_an_answer_has_an_infinite_rank() -> None:
    one = outcome((place(1, 0, 8),))
    assert (one.rank, one.ndcg, one.iou, one.first) == (math.inf, 0, 0, None)


def test_a_sentence_that_is_true_of_nothing_has_no_rank() -> None:
    one = outcome((), (1, 0, 8))
    assert (one.rank, one.ndcg, one.iou, one.boundary_errors) == (None, None, None, None)
    assert one.first is not None


spans = st.tuples(st.floats(0, 100), st.floats(0.01, 50)).map(lambda s: (s[0], s[0] + s[1]))


@given(spans, spans)
def test_intersection_over_union_is_a_symmetric_share(a, b) -> None:
    value = intersection_over_union(a, b)
    assert 0 <= value <= 1 + 1e-9
    assert value == pytest.approx(intersection_over_union(b, a))
    assert intersection_over_union(a, a) == pytest.approx(1)
