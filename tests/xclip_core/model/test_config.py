"""Architectures as values: defaults, the published form, and what is refused."""

import json
from typing import Any

import pytest
import torch
import transformers

from xclip_core.errors import ConfigError
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

# As files of 2022 look: whole dumps, with foreign keys in every part.
OLD_DUMP = {
    "_commit_hash": "0123",
    "architectures": ["XClipModel"],
    "model_type": "xclip",
    "projection_dim": 768,
    "prompt_alpha": 0.1,
    "prompt_layers": 2,
    "torch_dtype": "float32",
    "transformers_version": None,
    "text_config_dict": None,
    "vision_config_dict": None,
    "text_config": {
        "model_type": "xclip_text_model",
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "dropout": 0.0,
        "top_k": 50,
        "torchscript": False,
    },
    "vision_config": {
        "model_type": "xclip_vision_model",
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_attention_heads": 16,
        "num_hidden_layers": 24,
        "patch_size": 14,
        "image_size": 336,
        "num_frames": 16,
        "mit_hidden_size": 768,
        "mit_intermediate_size": 3072,
        "length_penalty": 1.0,
    },
}


def test_every_default_is_the_published_one() -> None:
    ours, theirs = XCLIPConfig().to_dict(), transformers.XCLIPConfig().to_dict()
    for part in ("text_config", "vision_config"):
        mine = ours.pop(part)
        assert mine == {key: theirs[part][key] for key in mine}
    assert ours.pop("architectures") == ["XCLIPModel"]
    assert ours == {key: theirs[key] for key in ours}


def test_a_configuration_survives_json_and_the_published_library(
    small_config: XCLIPConfig,
) -> None:
    written = json.loads(json.dumps(small_config.to_dict()))
    assert XCLIPConfig.from_dict(written) == small_config
    theirs = transformers.XCLIPConfig(**written).to_dict()
    assert XCLIPConfig.from_dict(theirs) == small_config


def test_a_dump_of_2022_is_read_and_its_foreign_keys_are_ignored() -> None:
    config = XCLIPConfig.from_dict(OLD_DUMP)
    assert config.vision.num_frames == 16
    assert config.vision.image_size == 336
    assert config.text.hidden_size == config.projection_dim == 768
    assert config.vision.mit_num_attention_heads == config.prompt_num_attention_heads == 8


def test_older_duplicates_of_a_part_win_over_the_plain_ones() -> None:
    values = {"vision_config": {"num_frames": 8}, "vision_config_dict": {"num_frames": 32}}
    assert XCLIPConfig.from_dict(values).vision.num_frames == 32


@pytest.mark.parametrize("part", [None, {}, "absent"])
def test_a_part_may_be_absent_or_null_or_empty(part: Any) -> None:
    values = {} if part == "absent" else {"text_config": part, "vision_config": part}
    assert XCLIPConfig.from_dict(values) == XCLIPConfig()


def test_parts_join_and_the_projection_follows_the_vision_part() -> None:
    vision = VisionConfig(mit_hidden_size=256, mit_intermediate_size=512)
    config = XCLIPConfig.from_parts(text=TextConfig(), vision=vision, prompt_layers=1)
    assert config.projection_dim == 256
    assert config.prompt_layers == 1


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"model_type": "clip"}, "clip"),
        ({"projection_dim": 256}, "mit_hidden_size"),
        ({"text_config": {"num_attention_heads": 7}}, "7 attention heads"),
        ({"vision_config": {"num_attention_heads": 7}}, "7 attention heads"),
        ({"vision_config": {"mit_num_attention_heads": 7}}, "7 attention heads"),
        ({"prompt_num_attention_heads": 7}, "7 attention heads"),
        ({"vision_config": {"hidden_size": 0}}, "hidden_size"),
        ({"vision_config": {"image_size": [224, 224]}}, "image_size"),
        ({"vision_config": {"patch_size": 400}}, "400"),
        ({"text_config": {"vocab_size": "many"}}, "vocab_size"),
        ({"text_config": {"hidden_act": "swish"}}, "swish"),
        ({"vision_config": {"hidden_act": "tanh"}}, "tanh"),
        ({"prompt_hidden_act": "silu"}, "silu"),
        ({"text_config": {"attention_dropout": 1.5}}, "attention_dropout"),
        ({"vision_config": {"drop_path_rate": -0.1}}, "drop_path_rate"),
        ({"vision_config": {"drop_path_rate": "some"}}, "drop_path_rate"),
        ({"prompt_projection_dropout": 2}, "prompt_projection_dropout"),
        ({"vision_config": {"num_hidden_layers": -1}}, "num_hidden_layers"),
        ({"vision_config": {"mit_num_hidden_layers": 1.5}}, "mit_num_hidden_layers"),
        ({"prompt_layers": -2}, "prompt_layers"),
        ({"text_config": {"layer_norm_eps": "tiny"}}, "layer_norm_eps"),
        ({"prompt_alpha": None}, "prompt_alpha"),
        ({"vision_config": [1, 2]}, "vision_config"),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        XCLIPConfig.from_dict(values)


def test_the_default_architecture_has_the_published_tensors() -> None:
    with torch.device("meta"):
        state = XCLIP(XCLIPConfig()).state_dict()
    assert len(state) == 591
    assert sum(tensor.numel() for tensor in state.values()) == 196_585_729
    assert state["mit.position_embedding"].shape == (1, 8, 512)
    assert state["prompts_visual_projection"].shape == (768, 512)
