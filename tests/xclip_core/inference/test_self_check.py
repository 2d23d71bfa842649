"""A device and a precision are used once they have shown that they compute rightly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from xclip_core.errors import DeviceError
from xclip_core.inference.self_check import (
    AGREEMENT,
    GOLDEN,
    Probe,
    agreement,
    golden_probe,
    verified_backend,
)
from xclip_core.model.model import XCLIP


@pytest.fixture
def probe() -> Probe:
    return golden_probe()


@pytest.fixture
def overflowing(probe: Probe) -> Probe:
    """Right in every precision that reaches beyond fp16's 65504."""
    with torch.no_grad():
        probe.model.visual_projection.weight.mul_(1e6)
        probe.model.mit.position_embedding.mul_(1e6)
    return replace(probe, vector=tuple(in_double(probe).tolist()))


def in_double(probe: Probe) -> torch.Tensor:
    """The vector by the plain model, without anything that the fast form does."""
    model: XCLIP = probe.model
    clip = torch.from_numpy(probe.clip).double() * probe.processor.rescale_factor
    mean, std = (torch.tensor(v).double() for v in (probe.processor.mean, probe.processor.std))
    with torch.no_grad():
        vector = model.double().encode_video(((clip - mean) / std).movedim(-1, -3)[None])[0]
        model.float()
    return vector / vector.norm()


def test_the_stored_vector_is_what_double_precision_gives(probe: Probe) -> None:
    assert np.allclose(in_double(probe).numpy(), GOLDEN, atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_sound_backend_is_far_inside_the_bound(probe: Probe, precision: str) -> None:
    assert agreement(probe, device="cpu", precision=precision) > 1 - (1 - AGREEMENT) / 10


@pytest.mark.parametrize(
    "part",
    [
        "embeddings.patch_embedding.weight",
        "embeddings.class_embedding",
        "encoder.layers.0.message_fc.weight",
        "encoder.layers.0.message_attn.out_proj.weight",
        "encoder.layers.0.self_attn.k_proj.weight",
        "encoder.layers.1.self_attn.v_proj.weight",
        "encoder.layers.1.mlp.fc1.bias",
        "encoder.layers.0.mlp.fc2.weight",
        "post_layernorm.weight",
    ],
)
def test_any_part_that_computes_nothing_is_noticed(probe: Probe, part: str) -> None:
    with torch.no_grad():
        probe.model.vision_model.get_parameter(part).zero_()
    assert not agreement(probe, device="cpu", precision="fp32") >= AGREEMENT


def test_what_computes_rightly_is_used_without_a_word(probe: Probe) -> None:
    said: list[str] = []
    assert verified_backend("cpu", "bf16", probe=probe, on_message=said.append) == ("cpu", "bf16")
    assert said == []


def test_a_precision_that_computes_nonsense_is_not_used(overflowing: Probe) -> None:
    said: list[str] = []
    assert verified_backend("cpu", "fp16", probe=overflowing, on_message=said.append) == (
        "cpu",
        "fp32",
    )
    assert len(said) == 1
    assert "fp16 on cpu is not used: a known vector came out with a cosine of nan" in said[0]
    assert said[0].endswith("using fp32 on cpu")
    assert verified_backend("cpu", "bf16", probe=overflowing, on_message=said.append) == (
        "cpu",
        "bf16",
    )


def test_a_device_that_fails_gives_way_to_the_processor(probe: Probe) -> None:
    said: list[str] = []
    # On the meta device shapes are computed and numbers are not.
    assert verified_backend("meta", "bf16", probe=probe, on_message=said.append) == ("cpu", "fp32")
    assert [line.split(" is not used: it fails")[0] for line in said] == [
        "bf16 on meta",
        "fp32 on meta",
    ]


def test_a_machine_that_is_never_right_is_refused(probe: Probe) -> None:
    wrong = replace(probe, clip=probe.clip[::-1, ::-1].copy())
    with pytest.raises(DeviceError, match=r"computes nonsense: .* in fp32 on cpu"):
        verified_backend("cpu", "bf16", probe=wrong, on_message=lambda _: None)
