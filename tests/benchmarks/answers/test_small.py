"""The benchmark in small, with bounds that a real regression breaks."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.answers.asked import Models, Outcomes, ask_library
from benchmarks.answers.confidence import confidence_cells, make_mixed_pool
from benchmarks.answers.distortions import ALL, NONE
from benchmarks.answers.pools import make_pool
from benchmarks.answers.ranking import average_precision, mean_average_precisions
from benchmarks.answers.tables import figure, moments_table


@pytest.fixture(scope="module")
def models() -> Models:
    return Models.load()


@pytest.fixture(scope="module")
def asked(models: Models, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcomes]:
    folder = tmp_path_factory.mktemp("answers")
    return ask_library(
        7,
        videos=2,
        distortions=[NONE, ALL],
        settings=["plain", "default"],
        models=models,
        folder=folder,
    )


def test_events_of_long_videos_are_found(asked: dict[str, Outcomes]) -> None:
    for setting in ("plain", "default"):
        assert figure("recall@1", asked["none"][setting]["one"]) >= 0.75
        assert figure("recall@5", asked["none"][setting]["general"]) >= 0.8


def test_moments_start_and_end_to_about_a_second(asked: dict[str, Outcomes]) -> None:
    for distortion in asked:
        merged, cut = (asked[distortion][name]["one"] for name in ("plain", "default"))
        assert figure("mean_iou", cut) >= max(0.6, 1.2 * figure("mean_iou", merged))
        assert figure("boundary_error_median", cut) <= 0.5


def test_the_tables_hold_each_setting_with_each_distortion(asked: dict[str, Outcomes]) -> None:
    text = moments_table({7: asked}, kind="one", measures=("recall@1", "mean_iou"))
    assert [line.split(" | ")[:2] for line in text.splitlines()[4:]] == [
        ["| plain", "none"],
        ["| default", "none"],
        ["| plain", "gap + hubs + noise"],
        ["| default", "gap + hubs + noise"],
    ]


def test_centred_scores_stand_hubs_and_the_gap(models: Models, tmp_path: Path) -> None:
    pool = make_pool(8, clips=500, embedder=models.clips, folder=tmp_path)
    found = mean_average_precisions(
        pool,
        captions=12,
        distortions=[NONE, ALL],
        settings=["plain", "centring", "centring@everyday"],
        models=models,
    )
    assert found["none"]["plain"] > 0.95
    assert found["none"]["centring"] > found["none"]["plain"] - 0.01
    assert found["none"]["centring@everyday"] > found["none"]["plain"] - 0.02
    assert found[ALL.name]["centring"] > 0.9 > found[ALL.name]["plain"]


def test_true_sentences_are_strong_and_absent_ones_are_not(models: Models, tmp_path: Path) -> None:
    few = {"sizes": [100], "mixed": 80}
    pool = make_mixed_pool(9, embedder=models.clips, folder=tmp_path, **few)
    cells = confidence_cells(pool, distortion=ALL, setting="default", models=models, **few)
    assert [cell.name for cell in cells] == ["100 clips", "80 % empty", *["true of half"] * 3]
    assert np.mean([cell.true for cell in cells]) > 0.9
    assert np.mean([cell.absent for cell in cells]) < 0.1
    assert max(cell.foreign for cell in cells) < 0.05


def test_average_precision_counts_what_is_missing() -> None:
    assert average_precision([True, False, True], true=2) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([True, False, False], true=2) == pytest.approx(1 / 2)
    assert average_precision([False, False], true=2) == 0
