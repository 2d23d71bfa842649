"""Video-specific prompting (X-CLIP, section 3.3): texts are adapted to a video by its patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xclip_core.model.attention import ACTIVATION_FUNCTIONS, join_heads, split_heads
from xclip_core.model.config import XCLIPConfig


class CrossAttention(nn.Module):
    """Attention of texts to patches; only the last projection has a bias."""

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
        """Texts (B, K, D) float and patches (B, N, D) float to (B, K, D)."""
        y = F.scaled_dot_product_attention(
            split_heads(self.q_proj(text), self.heads),
            split_heads(self.k_proj(patches), self.heads),
            split_heads(self.v_proj(patches), self.heads),
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.proj_drop(self.proj(join_heads(y)))  # type: ignore[no-any-return]


class Activation(nn.Module):
    """An activation as a module, so that the layers have the published names `mlp.0`, `mlp.3`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = ACTIVATION_FUNCTIONS[name]

    def forward(self, x: Tensor) -> Tensor:
        """(…) float to (…), elementwise."""
        return self.function(x)


class PromptLayer(nn.Module):
    """Cross-attention and an MLP of fourfold width, each after a layer norm, with residuals."""

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
        """Texts (B, K, D) and patches (B, N, D), float, to (B, K, D); texts do not mix."""
        text = text + self.cross_attn(self.norm1(text), patches)
        return text + self.mlp(self.norm3(text))  # type: ignore[no-any-return]


class PromptGenerator(nn.Module):
    """The generator of prompts: vectors to add to the texts, for each video."""

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__()
        width = config.projection_dim
        self.layernorm = nn.LayerNorm(width, eps=config.vision.layer_norm_eps)
        self.decoder = nn.ModuleList([PromptLayer(config) for _ in range(config.prompt_layers)])
        self.alpha = nn.Parameter(torch.full((width,), float(config.prompt_alpha)))

    def forward(self, text: Tensor, patches: Tensor) -> Tensor:
        """Compute the prompts.

        Args:
            text: (B, K, D) float, text vectors, the same K for every video.
            patches: (B, N, D) float, patch vectors averaged over time.

        Returns:
            (B, K, D) float, to be added to `text`; the learned alpha is already applied.
        """
        patches = self.layernorm(patches)
        for layer in self.decoder:
            text = layer(text, patches)
        return self.alpha * text
