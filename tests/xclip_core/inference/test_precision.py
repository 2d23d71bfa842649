"""What half precision does to vectors of real frames, and what "auto" does not."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from media import decode_at, probe
from xclip_core.embedder import Embedder
from xclip_core.inference.video_encoder import VideoEncoder
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

FOLDER = os.environ.get("VSEARCH_TEST_VIDEOS")
FILMS = ("dog.mp4", "pancake.mkv", "flower.webm", "juggle_hevc10.mkv")

pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="VSEARCH_TEST_VIDEOS names no folder with videos"
)


def real_clips(processor: FrameProcessor, *, frames: int) -> NDArray[np.uint8]:
    """A clip of each film, over its first four seconds."""
    times = np.linspace(0, 4, frames, endpoint=False).tolist()
    videos = [probe(Path(FOLDER or "") / name) for name in FILMS]
    return np.stack(
        [
            np.stack([processor.prepare_frame(f.pixels) for f in decode_at(video, times)])
            for video in videos
        ]
    )


@pytest.mark.parametrize("precision", ["auto", "bf16"])
def test_vectors_of_real_frames_stay_what_they_are_in_fp32(precision: str) -> None:
    exact = Embedder.load("demo", device="cpu", precision="fp32", offline=True)
    other = Embedder.load("demo", device="cpu", precision=precision, offline=True)
    clips = real_clips(exact.processor, frames=exact.identity.frames_per_clip)
    cosines = (exact.embed_clips(clips) * other.embed_clips(clips)).sum(axis=1)
    assert cosines.min() >= 0.999


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_published_width_and_size_stand_half_precision(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    vision = VisionConfig(num_hidden_layers=2)
    model = XCLIP(XCLIPConfig.from_parts(text=TextConfig(num_hidden_layers=0), vision=vision))
    processor = FrameProcessor.published(224)
    clips = torch.from_numpy(real_clips(processor, frames=vision.num_frames)[:2])
    exact, half = (
        VideoEncoder(model.eval(), processor=processor, device="cpu", dtype=used).encode(clips)
        for used in (torch.float32, dtype)
    )
    assert torch.cosine_similarity(exact, half.float()).min() >= 0.999
