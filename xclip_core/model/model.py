"""X-CLIP as a whole: texts and videos in one space (arXiv 2208.02816).

    ids (K, L) ── text encoder ── end state ── projection ── text (K, P)
    pixels (B, T, C, H, W) ── frame encoder ┬─ class states ── projection ── MIT ── video (B, P)
                                            └─ patch states ── norm ── mean ── context (B, N, P)
    conditioned text (B, K, P) = text + prompts(text, context)
    logits (B, K) = exp(logit_scale) · cos(video, conditioned text)

Parameter names are those of the published checkpoints, so that they load without renaming.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xclip_core.errors import InputError
from xclip_core.model.config import XCLIPConfig
from xclip_core.model.initialisation import initialise
from xclip_core.model.prompting import PromptGenerator
from xclip_core.model.temporal import MultiFrameIntegration
from xclip_core.model.text import TextEncoder
from xclip_core.model.vision import FrameEncoder


@dataclass(frozen=True, slots=True)
class XCLIPOutput:
    """What one joint forward pass yields.

    Attributes:
        logits_per_video: (B, K), X-CLIP's own score of each text for each video.
        logits_per_text: (K, B), its transpose.
        text_embeds: (B, K, P), unit length, conditioned on each video.
        video_embeds: (B, P), unit length.
        loss: the symmetric contrastive loss (scalar), where it was asked for.
    """

    logits_per_video: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    video_embeds: Tensor
    loss: Tensor | None = None


def contrastive_loss(logits: Tensor) -> Tensor:
    """CLIP's symmetric loss: the mean of both cross-entropies, matches on the diagonal.

    Args:
        logits: (B, B), a row for each video.

    Raises:
        InputError: there are not as many texts as videos.
    """
    if logits.shape[0] != logits.shape[1]:
        raise InputError(
            f"the loss needs one text for each video; {logits.shape[0]} videos and "
            f"{logits.shape[1]} texts were given"
        )
    targets = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2


class XCLIP(nn.Module):
    """The joint model; each of its parts can be used alone."""

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__()
        self.config = config
        vision_width, dim = config.vision.hidden_size, config.projection_dim
        self.text_model = TextEncoder(config.text)
        self.vision_model = FrameEncoder(config.vision)
        self.visual_projection = nn.Linear(vision_width, dim, bias=False)
        self.text_projection = nn.Linear(config.text.hidden_size, dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init_value)))
        self.prompts_visual_layernorm = nn.LayerNorm(vision_width, eps=config.vision.layer_norm_eps)
        self.prompts_visual_projection = nn.Parameter(torch.zeros(vision_width, dim))
        self.mit = MultiFrameIntegration(config.vision)
        self.prompts_generator = PromptGenerator(config)
        initialise(self)

    def encode_text(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Plain text vectors: what the index is asked with.

        Args:
            ids: (K, L) token ids.
            mask: (K, L), non-zero where there is text; needed only for padding on the left.

        Returns:
            (K, P), not normalised, not conditioned on any video.
        """
        _, end_states = self.text_model(ids, mask)
        return self.text_projection(end_states)  # type: ignore[no-any-return]

    def encode_video(self, pixels: Tensor, *, interpolate: bool = False) -> Tensor:
        """Video vectors: what the index holds.

        Args:
            pixels: (B, T, C, H, W), normalised.
            interpolate: allow another frame size by stretching the position table.

        Returns:
            (B, P), not normalised.
        """
        class_states, _ = self.vision_model(pixels, interpolate=interpolate)
        return self.mit(self.visual_projection(class_states))  # type: ignore[no-any-return]

    def encode_video_in_context(
        self, pixels: Tensor, *, interpolate: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Video vectors (B, P) and the patch context (B, N, P) that conditions texts on them."""
        class_states, states = self.vision_model(pixels, interpolate=interpolate)
        video = self.mit(self.visual_projection(class_states))
        # The mean over frames commutes with the projection: average first, project once.
        patches = self.prompts_visual_layernorm(states[:, :, 1:]).mean(dim=1)  # (B, N, D)
        return video, patches @ self.prompts_visual_projection

    def condition_text(self, text: Tensor, context: Tensor) -> Tensor:
        """Let each video's patches nudge each text.

        Args:
            text: (K, P) plain text vectors.
            context: (B, N, P) from `encode_video_in_context`.

        Returns:
            (B, K, P), not normalised.
        """
        text = text.expand(context.shape[0], -1, -1)
        return text + self.prompts_generator(text, context)  # type: ignore[no-any-return]

    def forward(
        self,
        ids: Tensor,
        pixels: Tensor,
        *,
        mask: Tensor | None = None,
        return_loss: bool = False,
        interpolate: bool = False,
    ) -> XCLIPOutput:
        """Score every text for every video.

        Args:
            ids: (K, L) token ids.
            pixels: (B, T, C, H, W), normalised.
            mask: (K, L), non-zero where there is text.
            return_loss: also compute the contrastive loss; needs K == B.
            interpolate: allow another frame size by stretching the position table.

        Raises:
            InputError: a shape that the configuration does not allow.
        """
        video, context = self.encode_video_in_context(pixels, interpolate=interpolate)
        text = self.condition_text(self.encode_text(ids, mask), context)
        video = video / video.norm(dim=-1, keepdim=True)
        text = text / text.norm(dim=-1, keepdim=True)
        logits = self.logit_scale.exp() * torch.einsum("bp,bkp->bk", video, text)
        return XCLIPOutput(
            logits_per_video=logits,
            logits_per_text=logits.T,
            text_embeds=text,
            video_embeds=video,
            loss=contrastive_loss(logits) if return_loss else None,
        )
