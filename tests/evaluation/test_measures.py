import math
from dataclasses import replace

import numpy as np
import pytest

from evaluation.measures import LEVELS, Estimate, estimate
from evaluation.run import worst_first
from tests.evaluation.places import outcome, place

TRUE = (place(1, 10, 20),)
RIGHT = outcome(TRUE, (1, 10, 20))
LOOSE = outcome(TRUE, (1, 10, 16))
THIRD = outcome(TRUE, (2, 0, 8), (3, 0, 8), (1, 10, 20))
MISSED = outcome(TRUE, (2, 0, 8))
NOTHING = outcome((), (2, 0, 8))


def values(*outcomes) -> dict[str, float]:
    figures, _ = estimate({"all": outcomes})
    return {name: one.value for name, one in figures["all"].items()}


def test_figures_of_four_sentences() -> None:
    assert values(RIGHT, LOOSE, THIRD, MISSED) == pytest.approx(
        {
            "recall@1": 2 / 4,
            "recall@5": 3 / 4,
            "recall@10": 3 / 4,
            "median_rank": 2,
            "mrr": (1 + 1 + 1 / 3) / 4,
            "ndcg@10": (1 + 1 + 1 / 2) / 4,
            "recall@1_iou_0.3": 2 / 4,
            "recall@1_iou_0.5": 2 / 4,
            "recall@1_iou_0.7": 1 / 4,
            "found_iou_0.7": 1 / 4,
            "mean_iou": (1 + 0.6) / 4,
            "boundary_error_median": 0,
            "boundary_error_mean": 1,
        }
    )


def test_sentences_that_are_true_of_nothing_change_no_rank() -> None:
    with_it = values(RIGHT, THIRD, NOTHING)
    assert with_it == values(RIGHT, THIRD)


def test_whole_videos_have_no_figures_of_times() -> None:
    assert not any("iou" in name or "error" in name for name in values(outcome((place(1),))))


def test_shares_of_each_level_of_confidence() -> None:
    true = [replace(RIGHT, confidence=level) for level in ("strong", "strong", "weak", "none")]
    nothing = [replace(NOTHING, confidence="none"), replace(NOTHING, confidence="likely")]
    figures = values(*true, *nothing)
    assert [figures[f"true_{level}"] for level in LEVELS] == [0.5, 0, 0.25, 0.25]
    assert [figures[f"nothing_{level}"] for level in LEVELS] == [0, 0.5, 0, 0.5]
    assert "true_strong" not in values(RIGHT, NOTHING)


def test_ranks_that_are_mostly_missing_have_an_infinite_median() -> None:
    assert values(RIGHT, MISSED, MISSED)["median_rank"] == math.inf


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Of 60 samples of 80 sentences, each right with probability 0.7."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        sample = [RIGHT if right else MISSED for right in rng.random(80) < 0.7]
        interval = estimate({"all": sample})[0]["all"]["recall@1"]
        covered += interval.low <= 0.7 <= interval.high
    assert 52 <= covered <= 60


def test_a_difference_is_paired() -> None:
    """Sentence by sentence equal but for one: far narrower than each figure's own interval."""
    first = [RIGHT, MISSED] * 40
    second = [RIGHT, MISSED] * 39 + [RIGHT, RIGHT]
    figures, differences = estimate({"first": first, "second": second})
    gain = differences["second"]["recall@1"]
    assert gain.value == pytest.approx(1 / 80)
    assert gain.low >= 0
    assert gain.high < 0.05 < _width(figures["second"]["recall@1"])
    assert "first" not in differences


def test_the_worst_come_first_and_sure_answers_to_nothing_with_them() -> None:
    sure, unsure = (replace(NOTHING, confidence=level) for level in ("strong", "none"))
    ranked = worst_first([RIGHT, unsure, THIRD, LOOSE, sure, MISSED])
    assert ranked[:2] == [MISSED, sure]
    assert ranked[2] == THIRD
    assert ranked[3] == LOOSE
    assert set(map(id, ranked[4:])) == {id(RIGHT), id(unsure)}


def _width(interval: Estimate) -> float:
    return interval.high - interval.low
