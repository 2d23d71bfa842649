"""Fused weights of a trained frame encoder: fewer and larger operations, the same function.

Letters in shapes: R rows, I inputs, O outputs, W width of a state, M width inside an MLP, N
patches, L tokens, p side of a patch in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.model.attention import MLP, Attention, quick_gelu
from xclip_core.model.vision import CrossFrameLayer, FrameEmbeddings

_QUICK_GELU_SLOPE = 1.702


@dataclass(frozen=True, slots=True)
class Linear:
    """An affine map."""

    weight: Tensor  # (I, O)
    bias: Tensor  # (O,)

    def __call__(self, x: Tensor, *, out: Tensor | None = None) -> Tensor:
        """(R, I) to (R, O), into `out` where that is given."""
        return torch.addmm(self.bias, x, self.weight, out=out)

    def add_to(self, residual: Tensor, x: Tensor) -> None:
        """Add the map of x (R, I) to `residual` (R, O) in place."""
        residual.addmm_(x, self.weight).add_(self.bias)

    def outputs(self, first: int, last: int) -> Linear:
        """The map to the outputs from `first` up to `last`."""
        return Linear(self.weight[:, first:last], self.bias[first:last])


@dataclass(frozen=True, slots=True)
class Norm:
    """A layer norm."""

    weight: Tensor
    bias: Tensor
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        """(…, W) to (…, W)."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


@dataclass(frozen=True, slots=True)
class SelfAttention:
    """Self-attention: queries, keys and values in one product, in this order."""

    inward: Linear  # W to 3 W
    outward: Linear  # W to W


@dataclass(frozen=True, slots=True)
class FeedForward:
    """MLP: two linear maps, and between them an activation that may work in place."""

    fc1: Linear
    activation: Callable[[Tensor], Tensor]
    fc2: Linear

    def add_to(self, residual: Tensor, x: Tensor, *, hidden: Tensor | None = None) -> None:
        """Add the map of x (R, W) to `residual` (R, W); `hidden` (R, M) is workspace."""
        self.fc2.add_to(residual, self.activation(self.fc1(x, out=hidden)))


@dataclass(frozen=True, slots=True)
class FusedLayer:
    """Weights of a `CrossFrameLayer`."""

    message: Linear
    message_norm: Norm
    message_attention: SelfAttention
    norm1: Norm
    attention: SelfAttention
    norm2: Norm
    mlp: FeedForward


@dataclass(frozen=True, slots=True)
class PatchEmbedding:
    """Patch embedding: bytes of patches to tokens.

    Attributes:
        weight: (p·p·3, W), for the bytes of a patch in their order in a frame.
        table: (1 + N, W), added to the tokens: class embedding, positions, mean of the colours.
    """

    weight: Tensor
    table: Tensor


@dataclass(frozen=True, slots=True)
class WeightPlacer:
    """Copies trained parameters to a device in a precision, fused and rearranged."""

    device: str
    dtype: torch.dtype

    def tensor(self, parameter: Tensor) -> Tensor:
        """A parameter as plain numbers; on the same device in the same type it is not copied."""
        return parameter.detach().to(self.device, self.dtype)

    def linear(self, weight: Tensor, bias: Tensor) -> Linear:
        """A weight (O, I), as modules keep it, and a bias."""
        return Linear(self.tensor(weight).T, self.tensor(bias))

    def norm(self, norm: nn.LayerNorm) -> Norm:
        """A layer norm."""
        return Norm(self.tensor(norm.weight), self.tensor(norm.bias), norm.eps)

    def attention(self, attention: Attention) -> SelfAttention:
        """The three maps to queries, keys and values as one, and the map out."""
        parts = (attention.q_proj, attention.k_proj, attention.v_proj)
        return SelfAttention(
            inward=self.linear(
                torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
            ),
            outward=self.linear(attention.out_proj.weight, attention.out_proj.bias),
        )

    def mlp(self, mlp: MLP) -> FeedForward:
        """An MLP; CLIP's activation becomes a SiLU, which is one operation and works in place."""
        if mlp.activation is not quick_gelu:
            fc1, fc2 = (self.linear(part.weight, part.bias) for part in (mlp.fc1, mlp.fc2))
            return FeedForward(fc1, mlp.activation, fc2)
        # x · sigmoid(1.702 x) is SiLU(1.702 x) / 1.702; both factors go into the weights.
        slope = _QUICK_GELU_SLOPE
        return FeedForward(
            fc1=self.linear(mlp.fc1.weight * slope, mlp.fc1.bias * slope),
            activation=partial(F.silu, inplace=True),
            fc2=self.linear(mlp.fc2.weight / slope, mlp.fc2.bias),
        )

    def layer(self, layer: CrossFrameLayer) -> FusedLayer:
        """One layer of the frame encoder."""
        return FusedLayer(
            message=self.linear(layer.message_fc.weight, layer.message_fc.bias),
            message_norm=self.norm(layer.message_ln),
            message_attention=self.attention(layer.message_attn),
            norm1=self.norm(layer.layer_norm1),
            attention=self.attention(layer.self_attn),
            norm2=self.norm(layer.layer_norm2),
            mlp=self.mlp(layer.mlp),
        )

    def patches(self, embeddings: FrameEmbeddings, *, processor: FrameProcessor) -> PatchEmbedding:
        """The patch embedding, the class token and the positions, on bytes as they are.

        `processor` says how bytes are scaled, which goes into the weights, and what is taken off
        them, which goes into the table.
        """
        weight = embeddings.patch_embedding.weight.detach()  # (D, 3, p, p)
        mean, std = torch.tensor(processor.mean), torch.tensor(processor.std)
        table = embeddings.position_embedding.weight.detach().clone()
        table[0] += embeddings.class_embedding.detach()
        table[1:] -= torch.einsum("dcij,c->d", weight, mean / std)
        scaled = torch.einsum("dcij,c->dijc", weight, processor.rescale_factor / std)
        return PatchEmbedding(weight=self.tensor(scaled.flatten(1)).T, table=self.tensor(table))
