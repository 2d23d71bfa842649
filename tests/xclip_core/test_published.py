"""The published weights give the published numbers. Needs the Hub: run with `-m hub`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from xclip_core.checkpoint.checkpoint import load_checkpoint
from xclip_core.embedder import Embedder

pytestmark = pytest.mark.hub

LABELS = ["playing sports", "eating spaghetti", "go shopping"]


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(
        "hf-internal-testing/spaghetti-video",
        "eating_spaghetti_8_frames.npy",
        repo_type="dataset",
    )
    clip: np.ndarray = np.load(Path(path))
    return clip


def test_the_spaghetti_clip_has_its_published_logits(frames: np.ndarray) -> None:
    checkpoint = load_checkpoint("microsoft/xclip-base-patch32")
    clip = np.stack([checkpoint.processor.prepare_frame(frame) for frame in frames])
    ids, mask = checkpoint.tokenizer.encode_batch(LABELS)
    with torch.inference_mode():
        pixels = checkpoint.processor.normalise(torch.from_numpy(clip)[None])
        logits = checkpoint.model(ids, pixels, mask=mask).logits_per_video
    expected = torch.tensor([[14.0181, 20.2771, 14.4776]])
    assert torch.allclose(logits, expected, rtol=1e-3, atol=1e-3)


def test_the_embedder_classifies_the_spaghetti_clip(frames: np.ndarray) -> None:
    embedder = Embedder.load("microsoft/xclip-base-patch32", device="cpu", precision="fp32")
    clip = np.stack([embedder.prepare_frame(frame) for frame in frames])
    assert np.allclose(embedder.classify(clip, LABELS), [0.0019, 0.9951, 0.0030], atol=1e-3)


@torch.inference_mode()
def test_positions_are_interpolated_for_smaller_frames_as_published(frames: np.ndarray) -> None:
    checkpoint = load_checkpoint("microsoft/xclip-base-patch32")
    smaller = replace(checkpoint.processor, size={"shortest_edge": 180}, crop_size=180)
    clip = np.stack([smaller.prepare_frame(frame) for frame in frames])
    pixels = smaller.normalise(torch.from_numpy(clip)[None])
    _, states = checkpoint.model.vision_model(pixels, interpolate=True)
    expected = torch.tensor(
        [[0.0126, 0.2109, 0.0609], [0.0448, 0.5862, -0.1688], [-0.0881, 0.8525, -0.3044]]
    )
    assert states.shape == (1, 8, 26, 768)
    assert torch.allclose(states[0, 0, :3, :3], expected, atol=1e-3)
