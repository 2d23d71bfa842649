"""Checkpoints in the published form (see `location`), read strictly and written atomically.

Weights in `pytorch_model.bin` are read as data only: a pickle that would run code is refused.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from xclip_core.checkpoint.cache import Cache
from xclip_core.checkpoint.files import CheckpointFiles
from xclip_core.checkpoint.hub import PICKLED, SAFETENSORS
from xclip_core.checkpoint.tensor_forms import OBSOLETE_BUFFERS, TensorForm, require_forms
from xclip_core.errors import WeightsError, damaged
from xclip_core.identity import ModelIdentity
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.config import XCLIPConfig
from xclip_core.model.model import XCLIP


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded checkpoint: the model in float32 and evaluation mode, and its preparations.

    Attributes:
        identity: its name, and the digest of everything that changes a vector.
        model: the weights in their modules.
        tokenizer: the preparation of texts.
        processor: the preparation of frames.
    """

    identity: ModelIdentity
    model: XCLIP
    tokenizer: Tokenizer
    processor: FrameProcessor


def load_checkpoint(
    name: str,
    *,
    offline: bool = False,
    cache: Cache | None = None,
    on_message: Callable[[str], None] = lambda _: None,
) -> Checkpoint:
    """Find and load a checkpoint.

    Args:
        name, offline, on_message: as in `locate`.
        cache: holds digests of weights, so that they are not hashed at every load.

    Raises:
        CheckpointError: not found, damaged, unsafe, or weights of another architecture.
        ConfigError, TokenizerError, FrameProcessorError: a file beside the weights cannot be used.
    """
    files = CheckpointFiles.read(name, offline=offline, on_message=on_message)
    with ThreadPoolExecutor(max_workers=1) as beside:
        identity = beside.submit(files.identity, cache=cache)
        model = build_model(files.config, read_weights(files.weights), source=files.weights[0])
    return Checkpoint(
        identity=identity.result(),
        model=model,
        tokenizer=files.tokenizer,
        processor=files.processor,
    )


def save_checkpoint(
    folder: Path, *, model: XCLIP, tokenizer: Tokenizer, processor: FrameProcessor
) -> None:
    """Write a checkpoint in the published form.

    The weights keep their type. They replace older ones in one step, so a model that was loaded
    from this folder, and maps its files, is not affected.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dtype = str(model.logit_scale.dtype).removeprefix("torch.")
    content = json.dumps({**model.config.to_dict(), "dtype": dtype}, indent=2) + "\n"
    (folder / "config.json").write_text(content, encoding="utf-8")
    tokenizer.save(folder)
    processor.save(folder)
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    beside = folder / f".{SAFETENSORS}.part"
    save_file(state, beside, metadata={"format": "pt"})
    # The library makes its files readable by their owner only; weights get the other files' mode.
    beside.chmod((folder / "config.json").stat().st_mode)
    beside.replace(folder / SAFETENSORS)


def read_weights(files: list[Path]) -> dict[str, Tensor]:
    """Read tensors by name, from safetensors or pickles.

    Raises:
        WeightsError: a file is damaged, or a pickle holds anything but tensors.
    """
    state: dict[str, Tensor] = {}
    for path in files:
        state |= read_pickled(path) if path.name == PICKLED else _read_safetensors(path)
    return state


class NoInit(TorchFunctionMode):
    """Context in which new modules keep uninitialised parameters, which weights will replace.

    On the meta device initialisation would do nothing either, but it imports PyTorch's compiler,
    which takes longer than importing PyTorch.
    """

    _INITIALISERS = frozenset({"normal_", "uniform_", "kaiming_uniform_"})

    def __torch_function__(
        self,
        func: Callable[..., Any],
        _types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func.__name__ in self._INITIALISERS:
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def build_model(config: XCLIPConfig, state: Mapping[str, Tensor], *, source: Path) -> XCLIP:
    """Fill a model with weights, strictly.

    Args:
        state: tensors of any floating type by published name.
        source: the file that error messages name.

    Returns:
        The model in float32, in evaluation mode.

    Raises:
        WeightsError: a tensor is missing, extra, misshapen or not of a floating type.
    """
    with torch.device("meta"), NoInit():
        model = XCLIP(config)
    wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: value for key, value in state.items() if key not in OBSOLETE_BUFFERS}
    forms = {
        key: TensorForm(tuple(value.shape), str(value.dtype), value.is_floating_point())
        for key, value in found.items()
    }
    require_forms(wanted, forms, source=source)
    weights = {key: value.to(torch.float32) for key, value in found.items()}
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval()


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(damaged(path, error)) from error


def read_pickled(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from a pickle, memory-mapped if its format allows it.

    Raises:
        WeightsError: the file is damaged, or holds anything but tensors.
    """
    try:
        mapped = zipfile.is_zipfile(path)  # how PyTorch has saved since 1.6
        state: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} is refused: it holds more than tensors, and that could run code; "
            "ask for the weights as model.safetensors"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(damaged(path, reason)) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path} does not hold tensors by name, as published weights do")
    return state
