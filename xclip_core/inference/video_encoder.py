"""Video encoder for inference: bytes of frames to video vectors, faster than `XCLIP.encode_video`.

It computes the same function, without work that can be left out exactly: scaling of bytes (it is in
the weights), most of the last layer (only the class state is used), copies between operations, and
fresh memory for large results: its page faults would cost more than the activation itself.

Letters as in `xclip_core.model.model`, and F = B · T for the frames of all clips.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor
from torch.nn import functional as F

from xclip_core.errors import ConfigError
from xclip_core.inference.fused import FusedLayer, WeightPlacer
from xclip_core.inputs.preprocess import FrameProcessor
from xclip_core.model.model import XCLIP


class VideoEncoder:
    """Video side of a trained model. Without state between calls; safe to use from threads."""

    def __init__(
        self, model: XCLIP, *, processor: FrameProcessor, device: str, dtype: torch.dtype
    ) -> None:
        config, encoder = model.config.vision, model.vision_model
        if config.num_channels != len(processor.mean):
            raise ConfigError(
                f"vision_config.num_channels is {config.num_channels}; frames have 3 channels"
            )
        placer = WeightPlacer(device, dtype)
        self._heads = config.num_attention_heads
        self._grid, self._patch_size = config.grid_size, config.patch_size
        self._patches = placer.patches(encoder.embeddings, processor=processor)
        self._pre_norm = placer.norm(encoder.pre_layernorm)
        self._layers = [placer.layer(layer) for layer in encoder.encoder.layers]  # type: ignore[arg-type]
        self._post_norm = placer.norm(encoder.post_layernorm)
        self._projection = placer.tensor(model.visual_projection.weight).T
        self._mit = deepcopy(model.mit).to(device, dtype).eval()
        self._context_norm = placer.norm(model.prompts_visual_layernorm)
        self._context_projection = placer.tensor(model.prompts_visual_projection)
        self._widest = max(3 * config.hidden_size, config.intermediate_size)

    @torch.inference_mode()
    def encode(self, clips: Tensor) -> Tensor:
        """Encode clips.

        Args:
            clips: (B, T, S, S, 3) uint8 of prepared frames, on the encoder's device.

        Returns:
            (B, D) in the encoder's precision, not normalised.
        """
        return self.encode_frames(clips).mean(dim=1)

    @torch.inference_mode()
    def encode_frames(self, clips: Tensor) -> Tensor:
        """Encode the frames of clips (B, T, S, S, 3): (B, T, D), whose mean is what `encode` gives.

        In the encoder's precision, not normalised.
        """
        frames = self._embed(clips)
        for layer in self._layers[:-1]:
            frames.pass_through(layer)
        for layer in self._layers[-1:]:
            frames.pass_classes_through(layer)
        return self._frame_vectors(frames)

    @torch.inference_mode()
    def encode_in_context(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Encode clips (B, T, S, S, 3): vectors (B, D), and context (B, N, D) to prompt texts."""
        frames = self._embed(clips)
        for layer in self._layers:
            frames.pass_through(layer)
        patches = self._context_norm(frames.states[:, 1:])
        patches = patches.view(*clips.shape[:2], *patches.shape[1:])  # (B, T, N, W)
        # The mean over frames commutes with the projection: average first, project once.
        return self._frame_vectors(frames).mean(dim=1), patches.mean(
            dim=1
        ) @ self._context_projection

    def _embed(self, clips: Tensor) -> _Frames:
        """Cut frames into patches, in the pass that converts bytes to numbers, and embed them."""
        weight, table = self._patches.weight, self._patches.table
        grid, side, count = self._grid, self._patch_size, clips.shape[0] * clips.shape[1]
        seen = clips.flatten(0, 1)[:, : grid * side, : grid * side]
        seen = seen.view(count, grid, side, grid, side, 3).transpose(2, 3)
        tokens, width = table.shape
        workspace = table.new_empty(count * (tokens + 1) * max(self._widest, len(weight)))
        patches = _part(workspace, count * tokens, len(weight)).view(count, tokens, -1)
        patches[:, 0] = 0  # the class token sees nothing by itself
        patches[:, 1:].view(count, grid, grid, side, side, 3).copy_(seen)
        states = torch.mm(patches.flatten(0, 1), weight).view(count, tokens, width).add_(table)
        return _Frames(
            self._pre_norm(states), clips=len(clips), heads=self._heads, workspace=workspace
        )

    def _frame_vectors(self, frames: _Frames) -> Tensor:
        classes = self._post_norm(frames.states[:, 0]).view(
            frames.clips, -1, self._projection.shape[0]
        )
        return self._mit.integrate(classes @ self._projection)


class _Frames:
    """Hidden states of the frames of some clips.

    Attributes:
        states: (F, L, W), the states of each frame's tokens; frames of one clip in a row.
    """

    def __init__(self, states: Tensor, *, clips: int, heads: int, workspace: Tensor) -> None:
        self.states = states
        self.clips = clips
        self._heads = heads
        self._workspace = workspace
        frames, tokens, width = states.shape
        self._tokens = states.new_empty(frames, tokens + 1, width)

    def pass_through(self, layer: FusedLayer) -> None:
        """Apply a layer to all tokens."""
        self._gather(layer)
        tokens, states = self._tokens.flatten(0, 1), self.states.flatten(0, 1)
        inward = layer.attention.inward
        inner = inward(tokens, out=_part(self._workspace, len(tokens), len(inward.bias)))
        queries, keys, values = self._split(inner, groups=len(self.states))
        attended = _attended(queries[:, :, :-1], keys, values)  # no query for the message
        layer.attention.outward.add_to(states, attended)
        hidden = _part(self._workspace, len(states), len(layer.mlp.fc1.bias))
        layer.mlp.add_to(states, layer.norm2(states), hidden=hidden)

    def pass_classes_through(self, layer: FusedLayer) -> None:
        """Apply the last layer to the class state of each frame alone."""
        self._gather(layer)
        tokens, classes = self._tokens.flatten(0, 1), self.states[:, 0].contiguous()
        width, frames = classes.shape[1], len(classes)
        to_queries = layer.attention.inward.outputs(0, width)
        to_keys_values = layer.attention.inward.outputs(width, 3 * width)
        (queries,) = self._split(to_queries(self._tokens[:, 0]), groups=frames)
        inner = to_keys_values(tokens, out=_part(self._workspace, len(tokens), 2 * width))
        keys, values = self._split(inner, groups=frames)
        layer.attention.outward.add_to(classes, _attended(queries, keys, values))
        layer.mlp.add_to(classes, layer.norm2(classes))
        self.states = classes[:, None]

    def _gather(self, layer: FusedLayer) -> None:
        """Gather what a frame attends to: its normed tokens, and its message from other frames."""
        message = layer.message(self.states[:, 0])  # (F, W)
        inner = layer.message_attention.inward(layer.message_norm(message))
        attended = _attended(*self._split(inner, groups=self.clips))
        layer.message_attention.outward.add_to(message, attended)
        read = [layer.norm1(self.states), layer.norm1(message)[:, None]]
        torch.cat(read, dim=1, out=self._tokens)

    def _split(self, inner: Tensor, *, groups: int) -> tuple[Tensor, ...]:
        """(G·L, n·W) to n times (G, H, L, W / H)."""
        width = self._tokens.shape[-1]
        heads = inner.view(groups, -1, inner.shape[1] // width, self._heads, width // self._heads)
        return heads.transpose(1, 3).unbind(2)


def _attended(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Three times (G, H, L, W / H) to (G·L, W); there may be fewer queries than keys."""
    y = F.scaled_dot_product_attention(queries, keys, values)
    return y.transpose(1, 2).flatten(-2).flatten(0, 1)


def _part(workspace: Tensor, rows: int, columns: int) -> Tensor:
    """Return the beginning of the workspace as a matrix."""
    return workspace[: rows * columns].view(rows, columns)
