"""The text encoder in NumPy against the one in PyTorch and the reference's, on random ones."""

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor

from xclip_core.checkpoint.mapped_weights import StoredTensor
from xclip_core.errors import InputError
from xclip_core.inference.activations import ACTIVATION_ARRAYS
from xclip_core.inference.numpy_text_encoder import (
    TEXT_PREFIXES,
    NumpyTextEncoder,
    text_shapes,
)
from xclip_core.model.attention import ACTIVATION_FUNCTIONS
from xclip_core.model.config import ACTIVATIONS, TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

CLOSE = 1e-5

Ids = NDArray[np.int64]


@pytest.fixture(scope="module", autouse=True)
def _selu_in_the_reference() -> Iterator[None]:
    """The reference documents SELU but has lost it from its table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(transformers.activations.ACT2FN, "selu", torch.nn.SELU)
        yield


def random_config(rng: random.Random) -> XCLIPConfig:
    heads = rng.choice([1, 2, 3, 5])
    text = TextConfig(
        vocab_size=rng.randint(12, 90),
        hidden_size=heads * rng.choice([2, 4, 5, 8]),
        intermediate_size=rng.randint(3, 40),
        num_hidden_layers=rng.choice([0, 1, 2, 12]),
        num_attention_heads=heads,
        max_position_embeddings=rng.randint(6, 20),
        hidden_act=rng.choice(ACTIVATIONS),
        layer_norm_eps=rng.choice([1e-5, 1e-6, 1e-3]),
    )
    small = {"hidden_size": 8, "num_hidden_layers": 0, "num_attention_heads": 1}
    vision = VisionConfig(
        image_size=8, patch_size=8, mit_hidden_size=6, mit_num_attention_heads=1, **small
    )
    return XCLIPConfig.from_parts(text=text, vision=vision, prompt_num_attention_heads=1)


def reference(config: XCLIPConfig) -> transformers.XCLIPModel:
    """Every parameter with a value that is nobody's default; outputs stay near 1."""
    model = transformers.XCLIPModel(transformers.XCLIPConfig(**config.to_dict())).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_()
            if "norm" in name:
                parameter.mul_(0.3).add_(1.0 if name.endswith("weight") else 0.0)
            elif parameter.ndim > 1 and "embedding.weight" not in name:
                parameter.mul_(parameter[0].numel() ** -0.5)
    return model


def text_weights(model: torch.nn.Module) -> dict[str, StoredTensor]:
    return {
        name: StoredTensor("F32", value.numpy())
        for name, value in model.state_dict().items()
        if name.startswith(TEXT_PREFIXES)
    }


def encoder_of(model: torch.nn.Module, config: XCLIPConfig) -> NumpyTextEncoder:
    return NumpyTextEncoder(config.text, text_weights(model))


def random_sentences(config: TextConfig, *, rng: random.Random) -> list[Ids]:
    """Of differing length, from the marks alone to the longest that fits."""
    end = config.vocab_size - 1
    longest = config.max_position_embeddings
    lengths = [2, longest, *(rng.randint(2, longest) for _ in range(3))]
    return [np.array([*(rng.randrange(end) for _ in range(length - 1)), end]) for length in lengths]


def padded(sentences: list[Ids]) -> tuple[Tensor, Tensor]:
    """As a batch for the others: padded with the end mark to the longest, and the mask."""
    longest = max(map(len, sentences))
    end = int(sentences[0][-1])
    ids = [[*row.tolist(), *[end] * (longest - len(row))] for row in sentences]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in sentences]
    return torch.tensor(ids), torch.tensor(mask)


@pytest.mark.parametrize("seed", range(40))
@torch.no_grad()
def test_sentences_of_any_length_agree_with_both_others(
    seed: int, record_error: Callable[[str, float], None]
) -> None:
    torch.manual_seed(seed)
    rng = random.Random(seed)
    config = random_config(rng)
    theirs = reference(config)
    ours = XCLIP(config).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    sentences = random_sentences(config.text, rng=rng)
    ids, mask = padded(sentences)
    features = {
        "NumPy's text vectors against ours in PyTorch": ours.encode_text(ids),
        "NumPy's text vectors": theirs.get_text_features(ids, attention_mask=mask).pooler_output,
    }
    encoder = encoder_of(theirs, config)
    vectors = np.stack([encoder.encode(row) for row in sentences])
    assert np.array_equal(encoder.encode_all(sentences), vectors)  # to the last bit
    for compared, rows in features.items():
        error = np.abs(vectors - torch.nn.functional.normalize(rows, dim=-1).numpy()).max()
        record_error(compared, float(error))
        assert error < CLOSE, compared


@pytest.fixture
def small_encoder(small_model: XCLIP, small_config: XCLIPConfig) -> NumpyTextEncoder:
    return encoder_of(small_model, small_config)


def test_what_follows_the_end_mark_changes_nothing(small_encoder: NumpyTextEncoder) -> None:
    end = small_encoder_end(small_encoder)
    sentence = np.array([5, 9, 2, end])
    for tail in ([end], [end, end, end], [3, 4, end]):
        assert np.array_equal(
            small_encoder.encode(np.array([*sentence, *tail])), small_encoder.encode(sentence)
        )


def small_encoder_end(encoder: NumpyTextEncoder) -> int:
    return len(encoder._tokens.array) - 1


def test_a_sentence_beyond_the_position_table_is_refused(small_encoder: NumpyTextEncoder) -> None:
    with pytest.raises(InputError, match=r"25 tokens.*at most 24"):
        small_encoder.encode(np.arange(25))


def test_it_needs_the_tensors_of_the_text_encoder_and_no_others(
    small_model: XCLIP, small_config: XCLIPConfig
) -> None:
    wanted = text_shapes(small_config.text, projection_dim=small_config.projection_dim)
    assert wanted == {
        name: tuple(value.shape)
        for name, value in small_model.state_dict().items()
        if name.startswith(TEXT_PREFIXES)
    }


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_agrees_from_far_below_zero_to_far_above(name: str) -> None:
    x = np.concatenate([np.linspace(-6, 6, 4001), [-1e4, -300, -88, 88, 300, 1e4]])
    ours = ACTIVATION_ARRAYS[name](x.astype(np.float32))
    theirs = ACTIVATION_FUNCTIONS[name](torch.from_numpy(x.astype(np.float32))).numpy()
    assert ours.dtype == np.float32
    assert np.allclose(ours, theirs, atol=2e-6, rtol=2e-6)


def test_there_is_an_activation_for_each_name() -> None:
    assert tuple(ACTIVATION_ARRAYS) == ACTIVATIONS
