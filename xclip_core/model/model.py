"""X-CLIP, the joint model of texts and videos (arXiv 2208.02816, section 3).

    ids (K, L) ── text encoder ── end state ── projection ── text (K, D)
    pixels (B, T, C, S, S) ── frame encoder ┬─ class states ── projection ── MIT ── video (B, D)
                                            └─ patch states ── norm ── mean ── context (B, N, D)
    conditioned text (B, K, D) = text + prompts(text, context)
    logits (B, K) = exp(logit_scale) · cos(video, conditioned text)

Letters of dimensions, in all of xclip_core:

    B  clips in a batch           K  texts
    T  frames of a clip           L  tokens of a text; in layers, of any sequence
    S  side of a frame in pixels  D  length of a vector
    C  channels of a frame, 3     W  width of hidden states
    N  patches of a frame         H  attention heads

"float" is the floating-point type of the model: float32, unless it is converted.

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
    """The output of the joint model.

    Attributes:
        logits_per_video: (B, K) float, X-CLIP's score of each text for each video.
        logits_per_text: (K, B) float, its transpose.
        text_embeds: (B, K, D) float unit vectors, conditioned on each video.
        video_embeds: (B, D) float unit vectors.
        loss: () float, the symmetric contrastive loss, with `return_loss`.
    """

    logits_per_video: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    video_embeds: Tensor
    loss: Tensor | None = None


def contrastive_loss(logits: Tensor) -> Tensor:
    """CLIP's symmetric loss: the mean of both cross-entropies, with the matches on the diagonal.

    Args:
        logits: (B, B) float, a row for each video.

    Returns:
        () float.

    Raises:
        InputError: the numbers of texts and videos differ.
    """
    if logits.shape[0] != logits.shape[1]:
        raise InputError(
            f"the loss needs one text for each video; {logits.shape[0]} videos and "
            f"{logits.shape[1]} texts were given"
        )
    targets = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2


class XCLIP(nn.Module):
    """The joint model; its parts can also be used alone."""

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
        """Compute plain text vectors, as a search needs them.

        Args:
            ids: (K, L) int64, token ids.
            mask: (K, L) int64, non-zero for text; only needed for padding on the left.

        Returns:
            (K, D) float, not normalised, not conditioned on any video.

        Raises:
            InputError: a text is longer than the position table.
        """
        _, end_states = self.text_model(ids, mask)
        return self.text_projection(end_states)  # type: ignore[no-any-return]

    def encode_video(self, pixels: Tensor, *, interpolate: bool = False) -> Tensor:
        """Compute video vectors, as an index holds them.

        `inference.video_encoder` computes the same faster, from frames as bytes.

        Args:
            pixels: (B, T, C, S, S) float, normalised.
            interpolate: allow frames of another size, by interpolating the position table.

        Returns:
            (B, D) float, not normalised.

        Raises:
            InputError: the frames have another number or size than the model's.
        """
        class_states, _ = self.vision_model(pixels, interpolate=interpolate)
        return self.mit(self.visual_projection(class_states))  # type: ignore[no-any-return]

    def encode_video_in_context(
        self, pixels: Tensor, *, interpolate: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Compute video vectors and the patch context that conditions texts on them.

        Args:
            pixels, interpolate: as for `encode_video`.

        Returns:
            The vectors (B, D) float, not normalised, and the context (B, N, D) float.

        Raises:
            InputError: as for `encode_video`.
        """
        class_states, states = self.vision_model(pixels, interpolate=interpolate)
        video = self.mit(self.visual_projection(class_states))
        # The mean over frames commutes with the projection: average first, project once.
        patches = self.prompts_visual_layernorm(states[:, :, 1:]).mean(dim=1)  # (B, N, W)
        return video, patches @ self.prompts_visual_projection

    def condition_text(self, text: Tensor, context: Tensor) -> Tensor:
        """Condition texts on videos: add to each text the prompt of each video (section 3.3).

        Args:
            text: (K, D) float, plain text vectors.
            context: (B, N, D) float, from `encode_video_in_context`.

        Returns:
            (B, K, D) float, not normalised.
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
            ids, mask: as for `encode_text`.
            pixels, interpolate: as for `encode_video`.
            return_loss: compute the contrastive loss too; requires K == B.

        Raises:
            InputError: a shape that the configuration does not allow.
        """
        video, context = self.encode_video_in_context(pixels, interpolate=interpolate)
        text = self.condition_text(self.encode_text(ids, mask), context)
        video = video / video.norm(dim=-1, keepdim=True)
        text = text / text.norm(dim=-1, keepdim=True)
        logits = self.logit_scale.exp() * torch.einsum("bd,bkd->bk", video, text)
        return XCLIPOutput(
            logits_per_video=logits,
            logits_per_text=logits.T,
            text_embeds=text,
            video_embeds=video,
            loss=contrastive_loss(logits) if return_loss else None,
        )
