"""Initial weights of a new X-CLIP: CLIP's scheme for CLIP's parts, the authors' for the others.

Sources: openai/CLIP (`initialize_parameters`), microsoft/VideoX (X-CLIP: message, multi-frame and
prompt modules). The library that published the checkpoints draws the prompt generator and the
positions of frames with a standard deviation of 1; in training from there only the prompted text
learns, and the plain text vectors collapse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from xclip_core.model.attention import Attention, Block

if TYPE_CHECKING:
    from xclip_core.model.model import XCLIP
    from xclip_core.model.prompting import PromptGenerator
    from xclip_core.model.temporal import MultiFrameIntegration
    from xclip_core.model.text import TextEncoder
    from xclip_core.model.vision import CrossFrameLayer, FrameEncoder


def initialise(model: XCLIP) -> None:
    """Draw every parameter from PyTorch's global generator; seed that for a reproducible start."""
    with torch.no_grad():
        _reset_norms_and_biases(model)
        _start_text(model.text_model, factor=model.config.text.initializer_factor)
        _start_frames(model.vision_model, factor=model.config.vision.initializer_factor)
        _start_multi_frame(model.mit)
        _start_prompts(model.prompts_generator)
        factor = model.config.initializer_factor
        for projection in (model.text_projection, model.visual_projection):
            projection.weight.normal_(std=factor * projection.in_features**-0.5)
        table = model.prompts_visual_projection
        table.normal_(std=factor * table.shape[0] ** -0.5)


def _reset_norms_and_biases(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.reset_parameters()
        elif isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.zero_()


def _in_projections(attention: Attention) -> tuple[Tensor, Tensor, Tensor]:
    return attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight


def _start_block(block: Block | CrossFrameLayer, *, depth: int, factor: float) -> None:
    """CLIP's scales: projections into the residual stream shrink with the depth."""
    width = block.mlp.fc1.in_features
    ending = factor * width**-0.5 * (2 * depth) ** -0.5
    for weight in _in_projections(block.self_attn):
        weight.normal_(std=factor * width**-0.5)
    block.self_attn.out_proj.weight.normal_(std=ending)
    block.mlp.fc1.weight.normal_(std=factor * (2 * width) ** -0.5)
    block.mlp.fc2.weight.normal_(std=ending)


def _start_text(text: TextEncoder, *, factor: float) -> None:
    text.embeddings.token_embedding.weight.normal_(std=0.02 * factor)
    text.embeddings.position_embedding.weight.normal_(std=0.01 * factor)
    layers = text.encoder.layers
    for layer in layers:
        _start_block(layer, depth=len(layers), factor=factor)  # type: ignore[arg-type]


def _start_frames(frames: FrameEncoder, *, factor: float) -> None:
    embeddings = frames.embeddings
    width = embeddings.class_embedding.shape[0]
    embeddings.class_embedding.normal_(std=factor * width**-0.5)
    embeddings.position_embedding.weight.normal_(std=factor * width**-0.5)
    fan_in = embeddings.patch_embedding.weight[0].numel()
    embeddings.patch_embedding.weight.normal_(std=factor * fan_in**-0.5)
    layers = frames.encoder.layers
    for layer in layers:
        _start_block(layer, depth=len(layers), factor=factor)  # type: ignore[arg-type]
        nn.init.xavier_uniform_(layer.message_fc.weight)  # type: ignore[arg-type,union-attr]
        for weight in _in_projections(layer.message_attn):  # type: ignore[arg-type]
            nn.init.xavier_uniform_(weight)
        nn.init.xavier_uniform_(layer.message_attn.out_proj.weight)  # type: ignore[union-attr,arg-type]


def _start_multi_frame(mit: MultiFrameIntegration) -> None:
    nn.init.trunc_normal_(mit.position_embedding, std=0.02)
    for layer in mit.encoder.layers:
        _start_new_linears(layer)
        for weight in _in_projections(layer.self_attn):  # type: ignore[arg-type]
            nn.init.xavier_uniform_(weight)


def _start_prompts(prompts: PromptGenerator) -> None:
    _start_new_linears(prompts)


def _start_new_linears(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.trunc_normal_(part.weight, std=0.02)
