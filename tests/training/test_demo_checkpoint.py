"""The checkpoint that is shipped, judged on clips that nobody has seen."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.demo_model import Scores, judge
from toyworld.picture import render_clip
from toyworld.world import COMBINATIONS, QUESTIONS
from xclip_core.checkpoint.location import DEMO_FOLDER
from xclip_core.embedder import Embedder
from xclip_core.text_embedder import TextEmbedder


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load("demo", device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def clips(embedder: Embedder) -> np.ndarray:
    rng = np.random.default_rng(77_000_000)
    size, frames = embedder.identity.image_size, embedder.identity.frames_per_clip
    pictures = [render_clip(c, rng, frames=frames, size=size) for c in COMBINATIONS]
    return embedder.embed_clips(np.stack(pictures))


@pytest.fixture(scope="module")
def sentences() -> TextEmbedder:
    return TextEmbedder.load("demo")


def _scores(sentences: TextEmbedder, clips: np.ndarray) -> Scores:
    captions = sentences.embed_texts([c.caption for c in COMBINATIONS])
    return judge(captions @ clips.T, COMBINATIONS)


def test_it_fits_into_ten_megabytes_in_the_published_form() -> None:
    files = {path.name: path.stat().st_size for path in Path(DEMO_FOLDER).iterdir()}
    assert sum(files.values()) <= 10_000_000
    assert {"config.json", "model.safetensors", "preprocessor_config.json"} <= set(files)
    assert "tokenizer.json" in files or {"vocab.json", "merges.txt"} <= set(files)


def test_captions_find_their_clips_whether_or_not_training_showed_them(
    sentences: TextEmbedder, clips: np.ndarray
) -> None:
    scores = _scores(sentences, clips)
    assert scores.held_out.at_1 >= 0.90
    assert scores.held_out.at_5 >= 0.99
    assert scores.held_out.at_1 >= scores.trained.at_1 - 0.03
    assert scores.pairs_confused <= 0.02


@pytest.mark.parametrize("part", QUESTIONS)
def test_sentences_that_tell_one_thing_find_it(
    sentences: TextEmbedder, clips: np.ndarray, part: str
) -> None:
    answers = sentences.embed_texts(list(QUESTIONS[part].values()))
    values = list(QUESTIONS[part])
    best = (clips @ answers.T).argmax(axis=1)
    right = [values[b] == getattr(c, part) for b, c in zip(best, COMBINATIONS, strict=True)]
    assert np.mean(right) >= 0.95
