"""Transformer layers that all encoders of X-CLIP share. Letters of dimensions: see `model`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def quick_gelu(x: Tensor) -> Tensor:
    """CLIP's approximation of GELU: ``x * sigmoid(1.702 x)``."""
    gate: Tensor = torch.sigmoid(1.702 * x)
    return x * gate


ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "quick_gelu": quick_gelu,
    "gelu": F.gelu,
    "relu": F.relu,
    "selu": F.selu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
}


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Split the heads: (B, L, W) float to (B, H, L, W / H)."""
    return x.reshape(*x.shape[:-1], heads, -1).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """Join the heads: (B, H, L, W / H) float to (B, L, W)."""
    return x.transpose(1, 2).flatten(-2)


class Attention(nn.Module):
    """Multi-head self-attention with biased projections."""

    def __init__(self, *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, *, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """Attend within each row of the batch.

        Args:
            x: (B, L, W) float.
            mask: bool, broadcasts to (B, H, L, L): true where a query may attend to a key.
            causal: attend to the same and earlier positions only; excludes `mask`.

        Returns:
            (B, L, W) float.
        """
        y = F.scaled_dot_product_attention(
            split_heads(self.q_proj(x), self.heads),
            split_heads(self.k_proj(x), self.heads),
            split_heads(self.v_proj(x), self.heads),
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=causal,
        )
        return self.out_proj(join_heads(y))  # type: ignore[no-any-return]


class MLP(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, *, width: int, hidden: int, activation: str) -> None:
        super().__init__()
        self.activation = ACTIVATION_FUNCTIONS[activation]
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(…, W) float to (…, W)."""
        return self.fc2(self.activation(self.fc1(x)))  # type: ignore[no-any-return]


class DropPath(nn.Module):
    """Stochastic depth (arXiv 1603.09382): in training, skips a branch for whole rows."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Zero rows of (B, …) float with probability `rate`; scale the rest to keep the mean."""
        if not self.training or self.rate == 0.0:
            return x
        keep = 1.0 - self.rate
        rows = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
        return x * (rows / keep)


class Block(nn.Module):
    """A pre-norm transformer layer, as in CLIP."""

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        hidden: int,
        activation: str,
        eps: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.self_attn = Attention(width=width, heads=heads, dropout=dropout)
        self.layer_norm1 = nn.LayerNorm(width, eps=eps)
        self.mlp = MLP(width=width, hidden=hidden, activation=activation)
        self.layer_norm2 = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor, *, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        """(B, L, W) float to (B, L, W); mask and causal as in `Attention`."""
        x = x + self.self_attn(self.layer_norm1(x), mask=mask, causal=causal)
        return x + self.mlp(self.layer_norm2(x))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """A stack of layers, named as in published checkpoints."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
