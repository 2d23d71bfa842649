"""Self-check of a backend (device and precision): it must reproduce one known vector.

Some kernels compute nonsense for some processor, driver or precision. Nothing would show it, except
that no search finds anything. So a small X-CLIP with reproducible weights encodes a clip on the
backend, and the vector is compared with the one in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from xclip_core.checkpoint.checkpoint import NoInit
from xclip_core.errors import DeviceError
from xclip_core.inference.devices import PRECISIONS
from xclip_core.inference.video_encoder import VideoEncoder
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

# The cosine that the vector has to the right one at least. Whole parts of the model that compute
# nothing cost 0.003 and more; fp32 costs 1e-12, fp16 2e-7, bf16 1e-5.
AGREEMENT = 0.9998

# In the order of its numbers: the vector of `golden_probe` at unit length, in double precision.
GOLDEN = (
    -0.108745, 0.158514, 0.068912, 0.052664, 0.347596, -0.224302, -0.496285, -0.044358,
    0.400713, 0.28338, -0.309778, -0.303515, -0.117885, 0.06325, -0.073667, -0.289555,
)  # fmt: skip

_CONFIG = XCLIPConfig.from_parts(
    text=TextConfig(
        vocab_size=2, hidden_size=2, intermediate_size=2, num_hidden_layers=0, num_attention_heads=1
    ),
    vision=VisionConfig(
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=2,
        mit_hidden_size=16,
        mit_intermediate_size=32,
        mit_num_attention_heads=2,
        image_size=48,
        patch_size=16,
        num_frames=4,
    ),
    prompt_layers=0,
    prompt_num_attention_heads=1,
)

_PROCESSOR = FrameProcessor.published(48)


@dataclass(frozen=True, slots=True)
class Probe:
    """Clip with a known vector.

    Attributes:
        model: encodes the clip.
        processor: scales its bytes.
        clip: (T, S, S, 3) uint8.
        vector: D numbers, the correct vector times any positive factor.
    """

    model: XCLIP
    processor: FrameProcessor
    clip: NDArray[np.uint8]
    vector: tuple[float, ...]


def golden_probe() -> Probe:
    """Make the built-in probe; nothing in it depends on a library's random numbers."""
    bits = np.random.PCG64(0)  # its raw output is fixed by its definition
    with torch.device("meta"), NoInit():
        model = XCLIP(_CONFIG)
    state = {
        name: torch.from_numpy(_values(bits, shape=tuple(value.shape), name=name))
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(state, assign=True)
    vision = _CONFIG.vision
    tiles = _uniform(bits, (vision.num_frames, vision.grid_size, vision.grid_size, 3))
    clip = (128 + 128 * tiles).astype(np.uint8)
    for axis in (1, 2):
        clip = clip.repeat(vision.patch_size, axis=axis)
    return Probe(model=model.eval(), processor=_PROCESSOR, clip=clip, vector=GOLDEN)


def _uniform(bits: np.random.PCG64, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Numbers from [-1, 1)."""
    raw = bits.random_raw(math.prod(shape)).reshape(shape)
    values: NDArray[np.float64] = (raw >> np.uint64(11)).astype(np.float64)
    return values * 2.0**-52 - 1


def _values(bits: np.random.PCG64, *, shape: tuple[int, ...], name: str) -> NDArray[np.float32]:
    """Weights that let a vector depend on every part of the model and of the clip."""
    values = _uniform(bits, shape)
    if "embedding" in name and "patch" not in name:
        values /= 4  # positions are to be told apart, but pictures come first
    elif len(shape) > 1:
        # Matrices keep the size of what goes through them; the softmax has to have favourites.
        values *= math.sqrt(
            (12 if "q_proj" in name or "k_proj" in name else 3) / math.prod(shape[1:])
        )
    elif name.endswith("weight"):
        values = 1 + values / 4  # of a norm
    else:
        values /= 8  # a bias
    return np.asarray(values, dtype=np.float32)


def verified_backend(
    device: str, precision: str, *, probe: Probe, on_message: Callable[[str], None]
) -> tuple[str, str]:
    """Return the wanted device and precision, or the first fallback that passes the check.

    Args:
        device, precision: as from `choose_device` and `choose_precision`.
        probe: clip and the vector that must come out.
        on_message: called with a sentence for each backend that fails, and names the next one.

    Raises:
        DeviceError: no backend of this machine passes.
    """
    for tried, following in _with_next(device, precision):
        found = _fault(probe, *tried)
        if found is None:
            return tried
        if following is not None:
            on_message(
                f"{tried[1]} on {tried[0]} is not used: {found}; using {following[1]} on "
                f"{following[0]}"
            )
    raise DeviceError(
        f"this machine computes nonsense: {found}, in {tried[1]} on {tried[0]}; test its memory, "
        "and install PyTorch again"
    )


def agreement(probe: Probe, *, device: str, precision: str) -> float:
    """Return the cosine of a backend's vector of a probe to the correct one; it may be NaN."""
    encoder = VideoEncoder(
        probe.model, processor=probe.processor, device=device, dtype=PRECISIONS[precision]
    )
    clips = torch.from_numpy(probe.clip).to(device)[None]
    found = encoder.encode(clips)[0].double().cpu()
    right = torch.tensor(probe.vector, dtype=torch.float64)
    return torch.cosine_similarity(found, right, dim=0).item()


def _fault(probe: Probe, device: str, precision: str) -> str | None:
    """Describe what is wrong with a backend, as a part of a sentence; None if it passes."""
    try:
        cosine = agreement(probe, device=device, precision=precision)
    except RuntimeError as error:
        return f"it fails ({str(error).splitlines()[0]})"
    if cosine >= AGREEMENT:
        return None
    return (
        f"a known vector came out with a cosine of {cosine:.3f} to what is right, where at least "
        f"{AGREEMENT} is due"
    )


def _with_next(
    device: str, precision: str
) -> Iterator[tuple[tuple[str, str], tuple[str, str] | None]]:
    """Backends to try in turn, each with the next one."""
    backends = list(dict.fromkeys([(device, precision), (device, "fp32"), ("cpu", "fp32")]))
    yield from zip(backends, [*backends[1:], None], strict=True)
