"""The text encoder in NumPy against the one in PyTorch and the reference's, on random ones."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from threadpoolctl import threadpool_info
from torch import Tensor

from xclip_core.checkpoint.mapped_weights import StoredTensor
from xclip_core.errors import InputError
from xclip_core.inference.activations import ACTIVATION_ARRAYS
from xclip_core.inference.numpy_text_encoder import (
    TEXT_PREFIXES,
    FreeCores,
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


def tower_of(model: torch.nn.Module, config: XCLIPConfig) -> NumpyTextEncoder:
    return NumpyTextEncoder(config.text, text_weights(model), free_cores=lambda **_: 1)


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
    vectors = np.stack([tower_of(theirs, config).encode(row) for row in sentences])
    for compared, rows in features.items():
        error = np.abs(vectors - torch.nn.functional.normalize(rows, dim=-1).numpy()).max()
        record_error(compared, float(error))
        assert error < CLOSE, compared


@dataclass(frozen=True, slots=True)
class Watched(StoredTensor):
    """Notes how many threads a product would take at the moment when its rows are read."""

    threads: list[int] = field(default_factory=list)

    def rows(self, numbers: Ids) -> NDArray[np.float32]:
        self.threads.append(blas_threads())
        return super(Watched, self).rows(numbers)


def blas_threads() -> int:
    """Of the library that NumPy is built with; others may be loaded beside it."""
    return max(
        library["num_threads"]
        for library in threadpool_info()
        if "numpy" in library["filepath"] and library["user_api"] == "blas"
    )


@pytest.fixture
def without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def watched_tower(
    *, free_cores: FreeCores, width: int = 256
) -> tuple[NumpyTextEncoder, NumpyTextEncoder, TextConfig, list[int]]:
    """A tower, the same on one thread, and how many threads the former takes, noted as it works."""
    torch.manual_seed(0)
    text = TextConfig(vocab_size=50, hidden_size=width, intermediate_size=512, num_hidden_layers=2)
    vision = VisionConfig(image_size=8, patch_size=8, mit_hidden_size=6, mit_num_attention_heads=1)
    config = XCLIPConfig.from_parts(text=text, vision=vision, prompt_num_attention_heads=1)
    model = reference(config)
    weights = text_weights(model)
    name = "text_model.embeddings.token_embedding.weight"
    tokens = Watched("F32", weights[name].array)
    tower = NumpyTextEncoder(config.text, {**weights, name: tokens}, free_cores=free_cores)
    return tower, tower_of(model, config), config.text, tokens.threads


@pytest.mark.parametrize(("free", "threads"), [(1, 1), (2, 2), (3, 2), (64, 4), (None, 1)])
@pytest.mark.usefixtures("without_limits")
def test_products_take_the_free_cores_and_leave_the_process_as_it_was(
    free: int | None, threads: int
) -> None:
    before = blas_threads()
    tower, alone, text, taken = watched_tower(free_cores=lambda **_: free)
    for row in random_sentences(text, rng=random.Random(0)):
        assert np.allclose(tower.encode(row), alone.encode(row), atol=CLOSE)
    assert set(taken) == {threads}
    assert blas_threads() == before


@pytest.mark.usefixtures("without_limits")
def test_narrow_layers_are_not_worth_a_second_thread() -> None:
    tower, _, text, taken = watched_tower(free_cores=lambda **_: 8, width=128)
    tower.encode(random_sentences(text, rng=random.Random(0))[0])
    assert taken == [1]


@pytest.mark.parametrize("said", [{"OPENBLAS_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "1,2"}])
@pytest.mark.usefixtures("without_limits")
def test_no_more_threads_than_the_user_lets_it_have(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str]
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    tower, _, text, taken = watched_tower(free_cores=lambda **_: 8)
    tower.encode(random_sentences(text, rng=random.Random(0))[0])
    assert taken == [1]


@pytest.mark.usefixtures("without_limits")
def test_the_threads_of_the_sentence_before_are_no_others() -> None:
    asked = []

    def free_cores(*, own_threads: int) -> int:
        asked.append(own_threads)
        return 4

    tower, _, text, _ = watched_tower(free_cores=free_cores)
    sentence = random_sentences(text, rng=random.Random(0))[0]
    for _ in range(50):
        tower.encode(sentence)
    assert asked[0] == 1
    assert 4 in asked[1:]  # not each time: a machine may stand still for two milliseconds
    time.sleep(0.1)
    tower.encode(sentence)
    assert asked[-1] == 1


@pytest.mark.usefixtures("without_limits")
def test_towers_that_are_asked_at_once_leave_the_process_as_it_was() -> None:
    before = blas_threads()
    towers = [watched_tower(free_cores=lambda **_: 4)[0] for _ in range(4)]
    with ThreadPoolExecutor(len(towers)) as pool:
        for _ in range(20):
            list(pool.map(lambda tower: tower.encode(np.array([3, 4, 49])), towers))
    assert blas_threads() == before


@pytest.fixture
def small_tower(small_model: XCLIP, small_config: XCLIPConfig) -> NumpyTextEncoder:
    return tower_of(small_model, small_config)


def test_what_follows_the_end_mark_changes_nothing(small_tower: NumpyTextEncoder) -> None:
    end = small_tower_end(small_tower)
    sentence = np.array([5, 9, 2, end])
    for tail in ([end], [end, end, end], [3, 4, end]):
        assert np.array_equal(
            small_tower.encode(np.array([*sentence, *tail])), small_tower.encode(sentence)
        )


def small_tower_end(tower: NumpyTextEncoder) -> int:
    return len(tower._tokens.array) - 1


def test_a_sentence_beyond_the_position_table_is_refused(small_tower: NumpyTextEncoder) -> None:
    with pytest.raises(InputError, match=r"25 tokens.*at most 24"):
        small_tower.encode(np.arange(25))


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
