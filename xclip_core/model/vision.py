"""The cross-frame vision encoder (X-CLIP, section 3.2).

Each frame passes through a vision transformer. In every layer each frame makes one *message token*
from its class state; the messages of a clip's frames attend to each other, and then each frame
attends to its own message as to one more token.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xclip_core.errors import InputError
from xclip_core.model.attention import MLP, Attention, DropPath, Encoder
from xclip_core.model.config import VisionConfig


class FrameEmbeddings(nn.Module):
    """The tokens of a frame: one class token, then one per patch, with learned positions."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.image_size = config.image_size
        self.patch_size = config.patch_size
        self.grid_size = config.grid_size
        width = config.hidden_size
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.patch_embedding = nn.Conv2d(
            config.num_channels,
            width,
            kernel_size=config.patch_size,
            stride=config.patch_size,
            bias=False,
        )
        self.position_embedding = nn.Embedding(config.grid_size**2 + 1, width)

    def forward(self, frames: Tensor, *, interpolate: bool = False) -> Tensor:
        """Frames (B·T, C, S, S) float to tokens (B·T, 1 + N, W).

        Raises:
            InputError: the frames are not of the model's size, and `interpolate` is not set.
        """
        height, width = frames.shape[-2:]
        if not interpolate and (height, width) != (self.image_size, self.image_size):
            raise InputError(
                f"frames of {height}×{width} pixels were given; this model takes "
                f"{self.image_size}×{self.image_size} (or interpolate=True)"
            )
        patches = self.patch_embedding(frames).flatten(2).transpose(1, 2)  # (B·T, N, W)
        first = self.class_embedding.expand(frames.shape[0], 1, -1)
        positions = (
            self._interpolated_positions(height=height, width=width)
            if interpolate
            else self.position_embedding.weight
        )
        return torch.cat([first, patches], dim=1) + positions

    def _interpolated_positions(self, *, height: int, width: int) -> Tensor:
        """The position table (1 + N, W), interpolated to another grid of patches."""
        table = self.position_embedding.weight
        rows, columns = height // self.patch_size, width // self.patch_size
        if rows == columns == self.grid_size:
            return table
        grid = table[1:].view(self.grid_size, self.grid_size, -1).permute(2, 0, 1)[None]
        grid = F.interpolate(grid, size=(rows, columns), mode="bicubic", align_corners=False)
        return torch.cat([table[:1], grid[0].flatten(1).T])


class CrossFrameLayer(nn.Module):
    """A layer of the frame encoder, with cross-frame attention by message tokens."""

    def __init__(self, config: VisionConfig, *, drop_path_rate: float) -> None:
        super().__init__()
        width, heads, eps = config.hidden_size, config.num_attention_heads, config.layer_norm_eps
        dropout = config.attention_dropout
        self.num_frames = config.num_frames
        self.message_fc = nn.Linear(width, width)
        self.message_ln = nn.LayerNorm(width, eps=eps)
        self.message_attn = Attention(width=width, heads=heads, dropout=dropout)
        self.drop_path = DropPath(drop_path_rate)
        self.self_attn = Attention(width=width, heads=heads, dropout=dropout)
        self.layer_norm1 = nn.LayerNorm(width, eps=eps)
        self.mlp = MLP(width=width, hidden=config.intermediate_size, activation=config.hidden_act)
        self.layer_norm2 = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B·T, 1 + N, W) float to (B·T, 1 + N, W), the frames of a clip in a row."""
        message = self.message_fc(x[:, 0]).view(-1, self.num_frames, x.shape[-1])  # (B, T, W)
        message = message + self.drop_path(self.message_attn(self.message_ln(message)))
        y = torch.cat([x, message.flatten(0, 1)[:, None]], dim=1)  # (B·T, 1 + N + 1, W)
        y = y + self.drop_path(self.self_attn(self.layer_norm1(y)))
        x = y[:, :-1]  # without the message
        return x + self.drop_path(self.mlp(self.layer_norm2(x)))  # type: ignore[no-any-return]


class FrameEncoder(nn.Module):
    """The frame encoder: the frames of a clip exchange messages in every layer.

    The rate of stochastic depth grows linearly from 0 to `drop_path_rate` over the layers, on all
    three branches, as in the authors' code.
    """

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.num_frames = config.num_frames
        self.embeddings = FrameEmbeddings(config)
        self.pre_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        depth = config.num_hidden_layers
        rates = [config.drop_path_rate * i / max(depth - 1, 1) for i in range(depth)]
        self.encoder = Encoder([CrossFrameLayer(config, drop_path_rate=rate) for rate in rates])
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, pixels: Tensor, *, interpolate: bool = False) -> tuple[Tensor, Tensor]:
        """Encode the frames of clips.

        Args:
            pixels: (B, T, C, S, S) float, normalised.
            interpolate: allow frames of another size, by interpolating the position table.

        Returns:
            The class state of each frame after the last norm, (B, T, W) float, and the states of
            all tokens before that norm, (B, T, 1 + N, W) float.

        Raises:
            InputError: the frames have another number or size than the model's.
        """
        if pixels.ndim != 5 or pixels.shape[1] != self.num_frames:
            raise InputError(
                f"pixels of shape {tuple(pixels.shape)} were given; this model takes "
                f"(videos, {self.num_frames} frames, channels, height, width)"
            )
        x = self.embeddings(pixels.flatten(0, 1), interpolate=interpolate)  # (B·T, 1 + N, W)
        x = self.pre_layernorm(x)
        for layer in self.encoder.layers:
            x = layer(x)
        states = x.view(-1, self.num_frames, *x.shape[1:])  # (B, T, 1 + N, W)
        return self.post_layernorm(states[:, :, 0]), states
