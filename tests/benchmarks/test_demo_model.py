from pathlib import Path

import numpy as np
import pytest

from benchmarks.demo_model import FramesWithoutOrder, judge, render_benchmark, score_matrix
from toyworld.world import COMBINATIONS, HELD_OUT, MOTION_PAIRS, OPPOSITE, TRAINED, Combination
from xclip_core.embedder import Embedder
from xclip_core.text_embedder import TextEmbedder

FOUR = tuple(
    Combination(colour, "star", motion) for colour in ("red", "blue") for motion in MOTION_PAIRS[0]
)


def _place_of_opposite(number: int) -> int:
    c = COMBINATIONS[number]
    return COMBINATIONS.index(Combination(c.colour, c.shape, OPPOSITE[c.motion]))


def test_a_perfect_square_scores_one() -> None:
    scores = judge(np.eye(len(COMBINATIONS)), COMBINATIONS)
    assert (scores.trained.at_1, scores.held_out.at_1, scores.pairs_confused) == (1, 1, 0)
    assert (scores.trained.captions, scores.held_out.captions) == (len(TRAINED), len(HELD_OUT))


def test_one_caption_that_finds_the_opposite_motion_costs_exactly_itself() -> None:
    square = np.eye(len(COMBINATIONS))
    number = COMBINATIONS.index(HELD_OUT[5])
    square[number, _place_of_opposite(number)] = 2.0
    scores = judge(square, COMBINATIONS)
    assert scores.held_out.at_1 == pytest.approx(1 - 1 / len(HELD_OUT))
    assert scores.held_out.at_5 == 1
    assert scores.trained.at_1 == 1
    # Confused once among the clips for the caption, once among the captions for the other clip.
    assert scores.pairs_confused == pytest.approx(2 / (2 * len(COMBINATIONS)))


def test_a_tie_between_the_members_of_a_pair_counts_as_confused() -> None:
    square = np.eye(len(COMBINATIONS))
    for number in range(len(COMBINATIONS)):
        square[number, _place_of_opposite(number)] = 1.0
    assert judge(square, COMBINATIONS).pairs_confused == 1


def test_the_control_cannot_see_the_order_of_frames() -> None:
    embedder = Embedder.load("demo", device="cpu", precision="fp32")
    clip = np.random.default_rng(0).integers(0, 256, (1, 8, 64, 64, 3), dtype=np.uint8)
    control = FramesWithoutOrder(embedder)
    np.testing.assert_allclose(
        control.embed_clips(clip), control.embed_clips(clip[:, ::-1]), atol=1e-5
    )
    assert np.abs(embedder.embed_clips(clip) - embedder.embed_clips(clip[:, ::-1])).max() > 1e-3


def test_a_small_benchmark_runs_through_files_index_and_search(tmp_path: Path) -> None:
    embedder = Embedder.load("demo", device="cpu", precision="fp32")
    render_benchmark(tmp_path, FOUR)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    scores = score_matrix(tmp_path, FOUR, clips=embedder, texts=TextEmbedder.load("demo"))
    assert scores.shape == (4, 4)
    assert np.isfinite(scores).all()
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3]
    render_benchmark(tmp_path, FOUR)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made
