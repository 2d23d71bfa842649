"""A small checkpoint on disk, and the worst disagreement with the reference, said at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from xclip_core.checkpoint.checkpoint import save_checkpoint
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer, train_tokenizer
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

_ERRORS = pytest.StashKey[dict[str, list[float]]]()


@pytest.fixture(scope="session")
def record_error(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Remember one measured disagreement with the reference, by what was compared."""
    errors = request.config.stash.setdefault(_ERRORS, {})

    def record(compared: str, error: float) -> None:
        errors.setdefault(compared, []).append(error)

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    errors = terminalreporter.config.stash.get(_ERRORS, {})
    if errors:
        terminalreporter.section("agreement with transformers")
        for compared, values in errors.items():
            line = f"{compared}: worst error {max(values):.2e} in {len(values)} comparisons"
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        yield


@pytest.fixture(scope="session")
def small_tokenizer() -> Tokenizer:
    captions = [
        f"a {colour} {shape} moving {way}"
        for colour in ("red", "green")
        for shape in ("circle", "square")
        for way in ("left", "right")
    ]
    return train_tokenizer(captions, vocabulary_size=560, max_length=24)


@pytest.fixture(scope="session")
def small_config(small_tokenizer: Tokenizer) -> XCLIPConfig:
    text = TextConfig(
        vocab_size=small_tokenizer.vocabulary_size,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=24,
    )
    vision = VisionConfig(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=3,
        mit_hidden_size=16,
        mit_intermediate_size=32,
        mit_num_attention_heads=2,
        image_size=32,
        patch_size=16,
        num_frames=4,
    )
    return XCLIPConfig.from_parts(text=text, vision=vision, prompt_num_attention_heads=2)


@pytest.fixture(scope="session")
def small_processor() -> FrameProcessor:
    return FrameProcessor(
        size={"shortest_edge": 32},
        crop_size=32,
        interpolation="bilinear",
        rescale_factor=1 / 255,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )


@pytest.fixture(scope="session")
def small_model(small_config: XCLIPConfig) -> XCLIP:
    """Drawn at random, every parameter; not to be changed."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = XCLIP(small_config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.eval()


@pytest.fixture
def small_folder(
    tmp_path: Path,
    small_model: XCLIP,
    small_tokenizer: Tokenizer,
    small_processor: FrameProcessor,
) -> Path:
    """A checkpoint in the published form, to read or to spoil."""
    folder = tmp_path / "small"
    save_checkpoint(folder, model=small_model, tokenizer=small_tokenizer, processor=small_processor)
    return folder
