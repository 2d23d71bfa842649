"""A small checkpoint on disk, and the worst disagreement with the reference, said at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from tests.tiny_xclip import (
    PROCESSOR,
    save_tiny_xclip,
    tiny_config,
    tiny_tokenizer,
    tiny_xclip,
)
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.config import XCLIPConfig
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
    return tiny_tokenizer()


@pytest.fixture(scope="session")
def small_config(small_tokenizer: Tokenizer) -> XCLIPConfig:
    return tiny_config(small_tokenizer)


@pytest.fixture(scope="session")
def small_processor() -> FrameProcessor:
    return PROCESSOR


@pytest.fixture(scope="session")
def small_model(small_config: XCLIPConfig) -> XCLIP:
    """Not to be changed."""
    return tiny_xclip(small_config)


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """The same model as a checkpoint in the published form, to read or to spoil."""
    return save_tiny_xclip(tmp_path / "small")
