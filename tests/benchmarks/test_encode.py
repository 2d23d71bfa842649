"""What the benchmark of encoding counts as needed."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.encode import multiply_accumulates
from xclip_core.model.config import TextConfig, VisionConfig, XCLIPConfig
from xclip_core.model.model import XCLIP


def test_a_clip_needs_what_the_plain_model_multiplies_but_for_the_last_layer() -> None:
    with torch.device("meta"):
        text = TextConfig(num_hidden_layers=0)
        model = XCLIP(XCLIPConfig.from_parts(text=text, vision=VisionConfig()))
        pixels = torch.empty(1, 8, 3, 224, 224)
    with FlopCounterMode(display=False) as counter:
        model.encode_video(pixels)
    plain = counter.get_total_flops() / 2
    assert 0.92 * plain < multiply_accumulates() < 0.95 * plain
