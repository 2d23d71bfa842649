"""The multi-frame integration transformer, MIT (X-CLIP, section 3.2): frames to one video vector.

The order of frames enters the model only here, through the position table.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xclip_core.model.attention import Block, Encoder
from xclip_core.model.config import VisionConfig


class MultiFrameIntegration(nn.Module):
    """A transformer over the vectors of a clip's frames, averaged over time."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        width = config.mit_hidden_size
        self.position_embedding = nn.Parameter(torch.zeros(1, config.num_frames, width))
        self.encoder = Encoder(
            [
                Block(
                    width=width,
                    heads=config.mit_num_attention_heads,
                    hidden=config.mit_intermediate_size,
                    activation=config.hidden_act,
                    eps=config.layer_norm_eps,
                    dropout=config.attention_dropout,
                )
                for _ in range(config.mit_num_hidden_layers)
            ]
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Frame vectors (B, T, D) float to video vectors (B, D)."""
        return self.integrate(frames).mean(dim=1)

    def integrate(self, frames: Tensor) -> Tensor:
        """Frame vectors (B, T, D) float to those whose mean is the video vector (B, T, D)."""
        x = frames + self.position_embedding
        for layer in self.encoder.layers:
            x = layer(x)
        # The residual leaves the positions out: it is the plain mean over frames.
        return x + frames
