"""The files of a checkpoint, but for the weights: read and checked without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from xclip_core.checkpoint.cache import Cache
from xclip_core.checkpoint.digest import model_digest, weights_digest
from xclip_core.checkpoint.hub import PICKLED, SAFETENSORS, SAFETENSORS_INDEX, shard_names
from xclip_core.checkpoint.location import Location, locate
from xclip_core.errors import CheckpointNotFoundError, ConfigError, damaged
from xclip_core.identity import ModelIdentity
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer
from xclip_core.model.config import XCLIPConfig


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """A checkpoint that has been found, its small files read, its weights not yet.

    Attributes:
        location: where it lies, and under which name.
        config: the architecture.
        processor: the preparation of frames.
        tokenizer: the preparation of texts.
        weights: the files that hold the weights.
    """

    location: Location
    config: XCLIPConfig
    processor: FrameProcessor
    tokenizer: Tokenizer
    weights: list[Path]

    @classmethod
    def read(
        cls,
        name: str,
        *,
        offline: bool = False,
        on_message: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """Find a checkpoint and read its small files.

        Args:
            name, offline, on_message: as in `locate`.

        Raises:
            CheckpointError: there is no such checkpoint, or it lacks files.
            ConfigError, TokenizerError, FrameProcessorError: a file cannot be used, or belongs to
                another model.
        """
        location = locate(name, offline=offline, on_message=on_message)
        folder = location.folder
        config, processor = read_config(folder), FrameProcessor.load(folder)
        tokenizer = Tokenizer.load(folder, max_length=config.text.max_position_embeddings)
        _require_same_vocabulary(config, tokenizer=tokenizer, folder=folder)
        _require_same_frames(config, processor=processor, folder=folder)
        return cls(location, config, processor, tokenizer, find_weights(folder))

    def identity(self, *, cache: Cache | None = None) -> ModelIdentity:
        """Identify the model; weights whose digest is not in `cache` are hashed, which takes time.

        Raises:
            OSError: a file of weights cannot be read.
        """
        return ModelIdentity(
            model=self.location.name,
            revision=self.location.revision,
            model_digest=model_digest(
                weights_digest(self.weights, cache=cache),
                config=self.config,
                processor=self.processor,
                tokenizer=self.tokenizer,
            ),
            dim=self.config.projection_dim,
            frames_per_clip=self.config.vision.num_frames,
            image_size=self.config.vision.image_size,
        )


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """The form of a model's input and output for one clip.

    Attributes:
        frames_per_clip: T.
        image_size: S, the side of a prepared frame in pixels.
        dim: D, the length of a vector.
        processor: the preparation of frames.
    """

    frames_per_clip: int
    image_size: int
    dim: int
    processor: FrameProcessor


def read_clip_format(folder: Path) -> ClipFormat:
    """Read the form of clips for the checkpoint in `folder`; neither vocabulary nor weights.

    Raises:
        CheckpointNotFoundError: a file is missing; also where that is the weights.
        ConfigError, FrameProcessorError: a file cannot be used.
    """
    config, processor = read_config(folder), FrameProcessor.load(folder)
    _require_same_frames(config, processor=processor, folder=folder)
    find_weights(folder)
    return ClipFormat(
        frames_per_clip=config.vision.num_frames,
        image_size=config.vision.image_size,
        dim=config.projection_dim,
        processor=processor,
    )


def read_config(folder: Path) -> XCLIPConfig:
    """Read the architecture from `config.json`.

    Raises:
        CheckpointNotFoundError: there is no such file.
        ConfigError: it is damaged, or describes another kind of model.
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
    """Find the files that hold a folder's weights, safetensors before pickles.

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


def _require_same_frames(config: XCLIPConfig, *, processor: FrameProcessor, folder: Path) -> None:
    if processor.crop_size != config.vision.image_size:
        raise ConfigError(
            f"{folder}: preprocessor_config.json makes frames of {processor.crop_size} pixels but "
            f"config.json describes a model for {config.vision.image_size}; correct the sizes there"
        )


def _require_same_vocabulary(config: XCLIPConfig, *, tokenizer: Tokenizer, folder: Path) -> None:
    """Every token needs a row in the model's table."""
    if tokenizer.vocabulary_size > config.text.vocab_size:
        raise ConfigError(
            f"{folder}: the tokenizer knows {tokenizer.vocabulary_size} tokens but config.json "
            f"describes a model with {config.text.vocab_size}; the files are of different models"
        )
