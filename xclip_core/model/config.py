"""Configurations: every documented field of a published X-CLIP `config.json`.

They are frozen and check themselves where they are made. Field names are those of the published
files.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from xclip_core.errors import ConfigError

_LARGEST_SIZE = 1 << 24
_MOST_LAYERS = 1 << 10

ACTIVATIONS = ("quick_gelu", "gelu", "relu", "selu", "gelu_new")


def is_finite(number: float) -> bool:
    """Whether a number is finite as a float; whole numbers in JSON may be of any size."""
    return abs(number) <= sys.float_info.max


def _known_fields(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a dataclass's own fields: published files hold dozens of other keys."""
    names = {f.name for f in fields(cls)}
    return {name: value for name, value in values.items() if name in names}


def _read_part(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    part: dict[str, Any] = {}
    for key in (name, f"{name}_dict"):
        found = values.get(key) or {}
        if not isinstance(found, Mapping):
            raise ConfigError(f"{key} in config.json is {found!r}; it must be an object or null")
        part |= found
    return part


def _check_fields(owner: str, part: TextConfig | VisionConfig | XCLIPConfig) -> None:
    """Check types and bounds: sizes are whole and above 0, numbers of layers may be 0.

    The upper bounds keep a number in a file from filling the memory, or taking for ever.
    """
    for each in fields(part):
        value, default = getattr(part, each.name), each.default
        name = f"{owner}.{each.name}"
        if each.name.endswith("_token_id"):
            continue  # kept for the file, and never used
        if isinstance(default, int):
            least = 0 if each.name.endswith("_layers") else 1
            most = _MOST_LAYERS if each.name.endswith("_layers") else _LARGEST_SIZE
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ConfigError(
                    f"{name} is {value!r}; it must be a whole number from {least} to {most:,}"
                )
        elif isinstance(default, float):
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not is_finite(value)
            ):
                raise ConfigError(f"{name} is {value!r}; it must be a finite number")
        elif isinstance(default, str) and not isinstance(value, str):
            raise ConfigError(f"{name} is {value!r}; it must be a name")


def _check_heads(owner: str, *, width: int, heads: int) -> None:
    if width % heads:
        raise ConfigError(f"{owner}: {heads} attention heads do not divide the width {width}")


def _check_rate(owner: str, **rates: float) -> None:
    for name, value in rates.items():
        if not 0.0 <= value < 1.0:
            raise ConfigError(f"{owner}.{name} is {value!r}; it must lie in [0, 1)")


def _check_activation(owner: str, activation: str) -> None:
    if activation not in ACTIVATIONS:
        allowed = ", ".join(ACTIVATIONS)
        raise ConfigError(f"{owner} is {activation!r}; supported activations are {allowed}")


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The configuration of the text encoder.

    The three token ids are kept because published files hold them; the end of a text is found
    without them (see `xclip_core.model.text`).
    """

    vocab_size: int = 49408
    hidden_size: int = 512
    intermediate_size: int = 2048
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    max_position_embeddings: int = 77
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    pad_token_id: int = 1
    bos_token_id: int = 0
    eos_token_id: int = 2

    def __post_init__(self) -> None:
        _check_fields("text_config", self)
        _check_heads("text_config", width=self.hidden_size, heads=self.num_attention_heads)
        _check_activation("text_config.hidden_act", self.hidden_act)
        _check_rate("text_config", attention_dropout=self.attention_dropout)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read one published `text_config` object; unknown keys are ignored."""
        return cls(**_known_fields(cls, values))

    def to_dict(self) -> dict[str, Any]:
        """The published form of this part."""
        return {"model_type": "xclip_text_model", **asdict(self)}


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """The configuration of the frame encoder and of the multi-frame integration (`mit_*`)."""

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mit_hidden_size: int = 512
    mit_intermediate_size: int = 2048
    mit_num_hidden_layers: int = 1
    mit_num_attention_heads: int = 8
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 32
    num_frames: int = 8
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    drop_path_rate: float = 0.0

    def __post_init__(self) -> None:
        _check_fields("vision_config", self)
        if self.patch_size > self.image_size:
            raise ConfigError(
                f"vision_config: a patch of {self.patch_size} pixels does not fit into an image "
                f"of {self.image_size}"
            )
        _check_heads("vision_config", width=self.hidden_size, heads=self.num_attention_heads)
        _check_heads(
            "vision_config (mit_*)",
            width=self.mit_hidden_size,
            heads=self.mit_num_attention_heads,
        )
        _check_activation("vision_config.hidden_act", self.hidden_act)
        _check_rate(
            "vision_config",
            attention_dropout=self.attention_dropout,
            drop_path_rate=self.drop_path_rate,
        )

    @property
    def grid_size(self) -> int:
        """Patches along one side of a frame; the remainder of the division is cut off."""
        return self.image_size // self.patch_size

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read one published `vision_config` object; unknown keys are ignored."""
        return cls(**_known_fields(cls, values))

    def to_dict(self) -> dict[str, Any]:
        """The published form of this part."""
        return {"model_type": "xclip_vision_model", **asdict(self)}


@dataclass(frozen=True, slots=True)
class XCLIPConfig:
    """The configuration of a whole X-CLIP: text, vision, prompts and the joint projection."""

    text: TextConfig = field(default_factory=TextConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    projection_dim: int = 512
    prompt_layers: int = 2
    prompt_alpha: float = 0.1
    prompt_hidden_act: str = "quick_gelu"
    prompt_num_attention_heads: int = 8
    prompt_attention_dropout: float = 0.0
    prompt_projection_dropout: float = 0.0
    logit_scale_init_value: float = 2.6592
    initializer_factor: float = 1.0

    def __post_init__(self) -> None:
        _check_fields("config", self)
        if self.projection_dim != self.vision.mit_hidden_size:
            raise ConfigError(
                f"projection_dim is {self.projection_dim} but vision_config.mit_hidden_size is "
                f"{self.vision.mit_hidden_size}; the frames are projected into the multi-frame "
                "transformer, so the two must be equal"
            )
        _check_heads(
            "config (prompt_*)", width=self.projection_dim, heads=self.prompt_num_attention_heads
        )
        _check_activation("prompt_hidden_act", self.prompt_hidden_act)
        _check_rate(
            "config",
            prompt_attention_dropout=self.prompt_attention_dropout,
            prompt_projection_dropout=self.prompt_projection_dropout,
        )

    @classmethod
    def from_parts(cls, *, text: TextConfig, vision: VisionConfig, **joint: Any) -> Self:
        """Make one of a text and a vision configuration; `projection_dim` follows the latter."""
        return cls(text=text, vision=vision, **{"projection_dim": vision.mit_hidden_size} | joint)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read a published `config.json`.

        A part may be absent, null, or hold only what differs from the defaults. The older keys
        `text_config_dict` and `vision_config_dict` override the plain ones, as they did when such
        files were written.

        Raises:
            ConfigError: a value is outside what the architecture allows, or of the wrong type.
        """
        model_type = values.get("model_type", "xclip")
        if model_type != "xclip":
            raise ConfigError(
                f"this is the configuration of a {model_type!r} model; vsearch runs 'xclip' models"
            )
        joint = _known_fields(cls, values)
        joint.pop("text", None)
        joint.pop("vision", None)
        text = TextConfig.from_dict(_read_part(values, "text_config"))
        vision = VisionConfig.from_dict(_read_part(values, "vision_config"))
        return cls(text=text, vision=vision, **joint)

    def to_dict(self) -> dict[str, Any]:
        """The published form, the content of `config.json`."""
        joint = {f.name: getattr(self, f.name) for f in fields(self)}
        del joint["text"], joint["vision"]
        return {
            "architectures": ["XCLIPModel"],
            "model_type": "xclip",
            **joint,
            "text_config": self.text.to_dict(),
            "vision_config": self.vision.to_dict(),
        }
