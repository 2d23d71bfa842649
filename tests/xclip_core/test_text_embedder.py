"""Sentences to vectors without PyTorch, from real checkpoints on disk."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from xclip_core.checkpoint.checkpoint import load_checkpoint
from xclip_core.errors import CheckpointNotFoundError, ConfigError, ModelError, WeightsError
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.model import XCLIP
from xclip_core.text_embedder import TextEmbedder, clean_text

SENTENCES = ["a red circle", "a green square moving left", "", "red " * 200, "a <|endoftext|> b"]


@pytest.fixture
def embedder(small_folder: Path) -> TextEmbedder:
    return TextEmbedder.load(str(small_folder))


def expected(model: XCLIP, tokenizer: Tokenizer) -> np.ndarray:
    with torch.no_grad():
        ids, mask = tokenizer.encode_batch(SENTENCES)
        vectors: np.ndarray = F.normalize(model.encode_text(ids, mask), dim=-1).numpy()
    return vectors


def rewrite(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    (folder / "model.safetensors").unlink()
    save_file(weights, folder / "model.safetensors")


def test_sentences_become_the_models_own_text_vectors(
    embedder: TextEmbedder, small_model: XCLIP, small_tokenizer: Tokenizer
) -> None:
    vectors = embedder.embed_texts(SENTENCES)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected(small_model, small_tokenizer), atol=1e-5)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_it_is_the_model_that_the_whole_checkpoint_is(
    embedder: TextEmbedder, small_folder: Path
) -> None:
    whole = load_checkpoint(str(small_folder))
    identity = embedder.identity
    assert (identity.model, identity.revision) == (whole.identity.model, whole.identity.revision)
    assert identity.model_digest == whole.identity.model_digest
    assert (identity.dim, identity.frames_per_clip, identity.image_size) == (16, 4, 32)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: TextEmbedder) -> None:
    together = embedder.embed_texts(SENTENCES)
    alone = np.concatenate([embedder.embed_texts([text]) for text in SENTENCES])
    assert np.array_equal(together, alone)
    assert embedder.embed_texts([]).shape == (0, 16)


def test_weights_in_a_pickle_mean_the_same(
    small_folder: Path, small_model: XCLIP, small_tokenizer: Tokenizer
) -> None:
    weights = load_file(small_folder / "model.safetensors")
    (small_folder / "model.safetensors").unlink()
    torch.save(weights, small_folder / "pytorch_model.bin")
    vectors = TextEmbedder.load(str(small_folder)).embed_texts(SENTENCES)
    assert np.allclose(vectors, expected(small_model, small_tokenizer), atol=1e-5)


def test_the_other_parts_of_the_weights_are_not_looked_at(small_folder: Path) -> None:
    weights = load_file(small_folder / "model.safetensors")
    texts = {name: value for name, value in weights.items() if name.startswith("text_")}
    position_ids = {"text_model.embeddings.position_ids": torch.arange(24)[None]}
    rewrite(small_folder, texts | position_ids)
    assert TextEmbedder.load(str(small_folder)).embed_texts(["red"]).shape == (1, 16)


@pytest.mark.parametrize("name", ["text_projection.weight", "text_model.final_layer_norm.bias"])
def test_a_missing_tensor_is_named(small_folder: Path, name: str) -> None:
    weights = load_file(small_folder / "model.safetensors")
    del weights[name]
    rewrite(small_folder, weights)
    with pytest.raises(WeightsError, match=f"{name} is missing"):
        TextEmbedder.load(str(small_folder))


def test_numbers_that_are_not_finite_are_refused(small_folder: Path) -> None:
    weights = load_file(small_folder / "model.safetensors")
    weights["text_model.final_layer_norm.bias"].fill_(float("inf"))
    rewrite(small_folder, weights)
    with pytest.raises(ModelError, match="not finite"), np.errstate(all="ignore"):
        TextEmbedder.load(str(small_folder)).embed_texts(["red"])


def test_a_vocabulary_of_another_model_is_refused(small_folder: Path) -> None:
    config = small_folder / "config.json"
    config.write_text(config.read_text().replace('"vocab_size": ', '"vocab_size": 1'))
    with pytest.raises(WeightsError, match="token_embedding"):
        TextEmbedder.load(str(small_folder))
    config.write_text('{"text_config": {"vocab_size": 100}}')
    with pytest.raises(ConfigError, match="of different models"):
        TextEmbedder.load(str(small_folder))


def test_a_folder_without_weights_is_told_what_it_lacks(small_folder: Path) -> None:
    (small_folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointNotFoundError, match="has no weights"):
        TextEmbedder.load(str(small_folder))


def test_pytorch_is_not_needed() -> None:
    code = (
        "import sys; from xclip_core.text_embedder import TextEmbedder;"
        "TextEmbedder.load('demo').embed_texts(['a red circle']);"
        "print('torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout == "False\n"


@pytest.mark.parametrize(
    ("typed", "trained"),
    [
        ("don’t “stop”", 'don\'t "stop"'),
        ("fish &amp; chips", "fish & chips"),
        ("a &amp;lt; b", "a < b"),
        ("plain", "plain"),
    ],
)
def test_sentences_are_spelled_as_in_training(typed: str, trained: str) -> None:
    assert clean_text(typed) == trained
