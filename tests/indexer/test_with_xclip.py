"""Indexing with X-CLIP itself: a tiny one with random weights, saved and loaded as any other."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer import IndexSettings, index_library
from media import decode_at, probe
from xclip_core.checkpoint.checkpoint import save_checkpoint
from xclip_core.checkpoint.files import ClipFormat, read_clip_format
from xclip_core.embedder import Embedder
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import train_tokenizer
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP


@dataclass(frozen=True)
class Loaded:
    """A model that needs no loading any more; its clips are embedded two at a time."""

    embedder: Embedder
    calls_at_once: int = 2

    def clip_format(self) -> ClipFormat:
        return read_clip_format(Path(self.embedder.identity.model))

    def load(self) -> Embedder:
        return self.embedder


@pytest.fixture(scope="module")
def xclip(tmp_path_factory) -> Embedder:
    folder = tmp_path_factory.mktemp("tiny-xclip")
    tokenizer = train_tokenizer(["a film that gets brighter"], vocabulary_size=520, max_length=16)
    text = TextConfig(
        vocab_size=tokenizer.vocabulary_size,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
    )
    vision = VisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        mit_hidden_size=16,
        mit_intermediate_size=32,
        mit_num_attention_heads=2,
        image_size=32,
        patch_size=16,
        num_frames=5,
    )
    config = XCLIPConfig(text=text, vision=vision, projection_dim=16, prompt_num_attention_heads=2)
    torch.manual_seed(0)
    processor = FrameProcessor(
        size={"shortest_edge": 32},
        crop_size=32,
        interpolation="bilinear",
        rescale_factor=1 / 255,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )
    save_checkpoint(folder, model=XCLIP(config), tokenizer=tokenizer, processor=processor)
    return Embedder.load(str(folder), device="cpu", precision="fp32")


def test_a_clip_in_the_catalog_is_the_models_vector_of_its_own_frames(
    film, library: Path, catalog, xclip
):
    film("a.mp4", seconds=18, step=6)
    film("b.mp4", seconds=2, first=200)
    settings = IndexSettings(workers=2, clips_per_batch=3)
    report = index_library([library], catalog=catalog, model=Loaded(xclip), settings=settings)
    assert (report.indexed, report.clips) == (2, 5)
    assert catalog.provenance.model_digest == xclip.identity.model_digest
    times = [10 + 8 * (segment + 0.5) / 5 for segment in range(5)]  # of the last clip, [10, 18)
    frames = decode_at(probe(library / "a.mp4"), times)
    clip = np.stack([xclip.prepare_frame(frame.pixels) for frame in frames])
    (vector,) = xclip.embed_clips(clip[np.newaxis])
    best = catalog.nearest(vector, limit=1)[0]
    assert (best.path, best.start, best.end) == (library / "a.mp4", 10.0, 18.0)
    assert best.score == pytest.approx(1.0, abs=1e-3)
