"""Model for measurements of speed: the shape of base-patch32, random weights from a seed.

Speed does not depend on what the weights have learned, and the published weights need a network.
"""

from __future__ import annotations

from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / "build" / "bench"


def base_patch32(folder: Path = CACHE) -> Path:
    """Make a checkpoint folder (787 MB) of base-patch32's shape in `folder`, unless it exists.

    The tokenizer is the demo model's: speed does not depend on which tokens a sentence has.
    """
    checkpoint = folder / "base-patch32"
    if not (checkpoint / "model.safetensors").exists():
        _make(checkpoint)
    return checkpoint


def _make(checkpoint: Path) -> None:
    import torch

    from xclip_core.checkpoint.checkpoint import load_checkpoint, save_checkpoint
    from xclip_core.inputs.preprocess import FrameProcessor
    from xclip_core.model.config import XCLIPConfig
    from xclip_core.model.initialisation import initialise
    from xclip_core.model.model import XCLIP

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = XCLIP(XCLIPConfig())
        initialise(model)
    processor = FrameProcessor.published(224)
    tokenizer = load_checkpoint("demo", offline=True, on_message=lambda _: None).tokenizer
    save_checkpoint(checkpoint, model=model, tokenizer=tokenizer, processor=processor)
