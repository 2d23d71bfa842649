"""The video-specific prompt generator (X-CLIP, section 3.3): a video's patches nudge the text."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xclip_core.model.attention import ACTIVATION_FUNCTIONS, join_heads, split_heads
from xclip_core.model.config import XCLIPConfig


class CrossAttention(nn.Module):
    """Texts look at patches; no biases but in the last projection."""

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__()
        width = config.projection_dim
        self.heads = config.prompt_num_attention_heads
        self.dropout = config.prompt_attention_dropout
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.proj = nn.Linear(width, width)
        self.proj_drop = nn.Dropout(config.prompt_projection_dropout)

    def forward(self, text: Tensor, patches: Tensor) -> Tensor:
        """(B, K, P) texts and (B, N, P) patches to (B, K, P)."""
        y = F.scaled_dot_product_attention(
            split_heads(self.q_proj(text), self.heads),
            split_heads(self.k_proj(patches), self.heads),
            split_heads(self.v_proj(patches), self.heads),
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.proj_drop(self.proj(join_heads(y)))  # type: ignore[no-any-return]


class Activation(nn.Module):
    """A named activation as a module, so that published names (`mlp.0`, `mlp.3`) fall out."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = ACTIVATION_FUNCTIONS[name]

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return self.function(x)


class PromptLayer(nn.Module):
    """Cross-attention and a fourfold MLP, each on a normalised residual stream."""

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__()
        width, eps = config.projection_dim, config.text.layer_norm_eps
        self.cross_attn = CrossAttention(config)
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.norm3 = nn.LayerNorm(width, eps=eps)
        self.mlp = nn.Sequential(
            nn.Linear(width, width * 4),
            Activation(config.prompt_hidden_act),
            nn.Dropout(config.prompt_attention_dropout),
            nn.Linear(width * 4, width),
        )

    def forward(self, text: Tensor, patches: Tensor) -> Tensor:
        """(B, K, P) and (B, N, P) to (B, K, P); the texts do not see each other."""
        text = text + self.cross_attn(self.norm1(text), patches)
        return text + self.mlp(self.norm3(text))  # type: ignore[no-any-return]


class PromptGenerator(nn.Module):
    """What to add to each text, given one video."""

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__()
        width = config.projection_dim
        self.layernorm = nn.LayerNorm(width, eps=config.vision.layer_norm_eps)
        self.decoder = nn.ModuleList([PromptLayer(config) for _ in range(config.prompt_layers)])
        self.alpha = nn.Parameter(torch.full((width,), float(config.prompt_alpha)))

    def forward(self, text: Tensor, patches: Tensor) -> Tensor:
        """The prompts.

        Args:
            text: (B, K, P) text vectors, the same K for every video.
            patches: (B, N, P) patch vectors averaged over time.

        Returns:
            (B, K, P): what is added to `text`, already scaled by the learned alpha.
        """
        patches = self.layernorm(patches)
        for layer in self.decoder:
            text = layer(text, patches)
        return self.alpha * text
