"""Where a checkpoint lies and what its files say of it; without PyTorch, which takes seconds.

A checkpoint is a folder with `config.json`, `preprocessor_config.json`, the tokenizer's files and
the weights: `model.safetensors` (whole or in shards), else `pytorch_model.bin`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from machine.presence import is_folder
from xclip_core.checkpoint.hub import (
    PICKLED,
    SAFETENSORS,
    SAFETENSORS_INDEX,
    HubName,
    fetch,
    nearest_names,
    shard_names,
)
from xclip_core.errors import CheckpointNotFoundError, ConfigError, damaged
from xclip_core.identity import DEFAULT_MODEL, DEMO_MODEL, PUBLISHED_MODELS
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.model.config import XCLIPConfig

if TYPE_CHECKING:
    from xclip_core.inputs.tokenizer import Tokenizer

DEMO_FOLDER = Path(__file__).parents[1] / "demo"

_HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a named checkpoint lies, and which commit of the Hub it is (if it is from there)."""

    name: str
    revision: str | None
    folder: Path


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """What a model wants to see of a clip, and what it makes of that.

    Attributes:
        frames_per_clip: T.
        image_size: S, the side of a prepared frame in pixels.
        dimension: P, the length of a vector.
        processor: what prepares frames.
    """

    frames_per_clip: int
    image_size: int
    dimension: int
    processor: FrameProcessor


def locate(
    name: str, *, offline: bool = False, report: Callable[[str], None] = lambda _: None
) -> Location:
    """Find a checkpoint by name: "demo", a folder, or a Hub id (`owner/name[@revision]`).

    Args:
        offline: do not ask the Hub for what is not in its cache on this machine.
        report: told, in a sentence, that something is being fetched.

    Raises:
        CheckpointError: there is no such checkpoint, or the Hub does not answer.
    """
    if name == DEMO_MODEL:
        return Location(name=name, revision=None, folder=DEMO_FOLDER)
    if folder := _folder(name):
        return Location(name=str(folder), revision=None, folder=folder)
    match = None if name.startswith(("/", ".", "~")) else _HUB_NAME.fullmatch(name)
    if match is None:
        raise CheckpointNotFoundError(
            f"{name!r} is not a model: give {DEMO_MODEL!r}, a folder that exists, or a Hub id such "
            f"as {DEFAULT_MODEL}; {nearest_names(name)}"
        )
    hub_name = HubName(repository=match["repository"], revision=match["revision"])
    folder = fetch(hub_name, offline=offline, report=report)
    return Location(name=hub_name.repository, revision=folder.name, folder=folder)


def _folder(name: str) -> Path | None:
    """The folder that a name means, if it is one.

    A published name means the published model: nobody gets another one instead by standing in a
    folder that holds one of that name.
    """
    if not name or name.partition("@")[0] in PUBLISHED_MODELS:
        return None
    try:
        folder = Path(name).expanduser()
    except RuntimeError:  # ~ for a user that has no home folder
        return None
    return folder.resolve() if is_folder(folder) else None


def read_clip_format(folder: Path) -> ClipFormat:
    """Read what clips have to look like for the checkpoint in `folder`; nothing is loaded.

    Raises:
        CheckpointNotFoundError: a file is missing; also where that is the weights.
        ConfigError, FrameProcessorError: a file is unfit.
    """
    config = read_config(folder)
    processor = FrameProcessor.load(folder)
    require_same_frames(config, processor=processor, folder=folder)
    find_weights(folder)
    return ClipFormat(
        frames_per_clip=config.vision.num_frames,
        image_size=config.vision.image_size,
        dimension=config.projection_dim,
        processor=processor,
    )


def require_same_frames(config: XCLIPConfig, *, processor: FrameProcessor, folder: Path) -> None:
    """See that the frames that are prepared are those that the model takes.

    Raises:
        ConfigError: they are of different sizes.
    """
    if processor.crop_size != config.vision.image_size:
        raise ConfigError(
            f"{folder}: preprocessor_config.json makes frames of {processor.crop_size} pixels but "
            f"config.json describes a model for {config.vision.image_size}; correct crop_size there"
        )


def read_config(folder: Path) -> XCLIPConfig:
    """Read the architecture from `config.json`.

    Raises:
        CheckpointNotFoundError: there is no such file.
        ConfigError: it is damaged or describes something else.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise CheckpointNotFoundError(
            f"{folder} has no config.json; a checkpoint is a folder with config.json, "
            f"preprocessor_config.json, tokenizer.json and {SAFETENSORS}"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(damaged(path, error)) from error
    if not isinstance(content, dict):
        raise ConfigError(damaged(path, "no JSON object"))
    return XCLIPConfig.from_dict(content)


def find_weights(folder: Path) -> list[Path]:
    """The files that hold a folder's weights, safetensors before pickles.

    Raises:
        CheckpointNotFoundError: there are none, or a shard is missing.
    """
    if (folder / SAFETENSORS).is_file():
        return [folder / SAFETENSORS]
    if (folder / SAFETENSORS_INDEX).is_file():
        shards = [folder / name for name in shard_names(folder / SAFETENSORS_INDEX)]
        for shard in shards:
            if not shard.is_file():
                raise CheckpointNotFoundError(f"{shard} is missing; fetch all parts of the weights")
        return shards
    if (folder / PICKLED).is_file():
        return [folder / PICKLED]
    raise CheckpointNotFoundError(
        f"{folder} has no weights; put {SAFETENSORS} (or {PICKLED}) beside its config.json"
    )


def require_fitting_vocabulary(config: XCLIPConfig, *, tokenizer: Tokenizer, folder: Path) -> None:
    """See that every token has a row in the model's table.

    Raises:
        ConfigError: the tokenizer is another model's.
    """
    if tokenizer.vocabulary_size > config.text.vocab_size:
        raise ConfigError(
            f"{folder}: the tokenizer knows {tokenizer.vocabulary_size} tokens but config.json "
            f"describes a model with {config.text.vocab_size}; the files are of different models"
        )
