"""A tiny X-CLIP with random weights, in the published form: loads in no time and knows nothing."""

from pathlib import Path

import torch

from xclip_core.checkpoint.checkpoint import save_checkpoint
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.inputs.tokenizer import Tokenizer, train_tokenizer
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP

CAPTIONS = [
    f"a {colour} {shape} moving {way}"
    for colour in ("red", "green")
    for shape in ("circle", "square")
    for way in ("left", "right")
]
SIDE, DIM = 32, 16
PROCESSOR = FrameProcessor.published(SIDE)


def tiny_tokenizer(*, max_length: int = 24) -> Tokenizer:
    return train_tokenizer(CAPTIONS, vocabulary_size=560, max_length=max_length)


def tiny_config(tokenizer: Tokenizer, *, frames: int = 4) -> XCLIPConfig:
    text = TextConfig(
        vocab_size=tokenizer.vocabulary_size,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=tokenizer.max_length,
    )
    vision = VisionConfig(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=3,
        mit_hidden_size=DIM,
        mit_intermediate_size=32,
        mit_num_attention_heads=2,
        image_size=SIDE,
        patch_size=16,
        num_frames=frames,
    )
    return XCLIPConfig.from_parts(text=text, vision=vision, prompt_num_attention_heads=2)


def tiny_xclip(config: XCLIPConfig, *, seed: int = 3) -> XCLIP:
    """Every parameter is drawn at random, those that start at 0 or 1 too."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = XCLIP(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.eval()


def save_tiny_xclip(folder: Path, *, seed: int = 3, frames: int = 4, max_length: int = 24) -> Path:
    """Write one to `folder`, which a name of a model can be."""
    tokenizer = tiny_tokenizer(max_length=max_length)
    model = tiny_xclip(tiny_config(tokenizer, frames=frames), seed=seed)
    save_checkpoint(folder, model=model, tokenizer=tokenizer, processor=PROCESSOR)
    return folder
