"""Contrastive training: a new X-CLIP from nothing, or a published one a little further.

Two losses are added. The *prompted* one is X-CLIP's own: each video conditions the texts before
they are compared. The *plain* one compares the unconditioned text vectors, which are what an
index is asked with; without it the prompts carry everything and plain retrieval stays at chance.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xclip_core.errors import InputError
from xclip_core.model import XCLIP

_NEW_PARTS = ("prompts_", "mit.", "message_")


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Clips and the sentences that they are told apart from.

    Attributes:
        pixels: (B, T, C, H, W), normalised.
        ids: (K, L) token ids, padded on the right; K may exceed B: further sentences are further
            wrong answers.
        targets: (B,) which of the K sentences describes each clip; no sentence twice.
    """

    pixels: Tensor
    ids: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        if len(self.targets) != len(self.pixels):
            raise InputError(f"{len(self.pixels)} clips came with {len(self.targets)} targets")
        if len(torch.unique(self.targets)) != len(self.targets):
            raise InputError("two clips of one batch have the same sentence")


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train.

    Attributes:
        steps: batches in all; the rate rises for `warmup_steps` and then falls as a cosine to a
            hundredth.
        learning_rate: of AdamW, at its peak.
        new_parts_factor: how much faster the parts learn that X-CLIP adds to CLIP (prompts,
            messages, multi-frame integration); the authors fine-tune CLIP with 10.
        freeze_text: leave the text encoder and the logit scale as they are, as the authors do
            when they start from CLIP.
        weight_decay: of matrices; tables, norms and biases are spared.
        prompted_weight: share of the prompted loss beside the plain one.
        gradient_norm: longest gradient that is let through.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    new_parts_factor: float = 1.0
    freeze_text: bool = False
    weight_decay: float = 0.05
    prompted_weight: float = 0.5
    gradient_norm: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """What one step came to: losses in nats, the rate, and seconds since training began."""

    step: int
    plain_loss: float
    prompted_loss: float
    learning_rate: float
    seconds: float


def train(
    model: XCLIP,
    batches: Iterable[TrainingBatch],
    *,
    plan: TrainingPlan,
    report: Callable[[TrainingStep], None],
) -> None:
    """Train in place, on the device where the model is.

    Seed torch and the batches for a reproducible run (on one machine, with one number of threads:
    the order of float additions is part of the result).

    Raises:
        InputError: there are fewer batches than steps, or one does not fit the model.
    """
    optimizer = _optimizer(model, plan)
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    source = iter(batches)
    began = time.perf_counter()
    model.train()
    for step in range(plan.steps):
        pace = _pace(step, plan)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * group["rate_factor"] * pace
        plain, prompted = _losses(model, _next_batch(source, step=step))
        optimizer.zero_grad(set_to_none=True)
        (plain + plan.prompted_weight * prompted).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, plan.gradient_norm)
        optimizer.step()
        report(
            TrainingStep(
                step=step + 1,
                plain_loss=plain.item(),
                prompted_loss=prompted.item(),
                learning_rate=plan.learning_rate * pace,
                seconds=time.perf_counter() - began,
            )
        )
    model.eval()


def _next_batch(source: Iterator[TrainingBatch], *, step: int) -> TrainingBatch:
    try:
        return next(source)
    except StopIteration:
        raise InputError(f"the batches ended after {step} steps; the plan asks for more") from None


def _pace(step: int, plan: TrainingPlan) -> float:
    """The learning rate at a step, as a fraction of its peak."""
    warmup = min(1.0, (step + 1) / max(1, plan.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
    return warmup * (0.99 * cosine + 0.01)


def _losses(model: XCLIP, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
    """The plain and the prompted loss of one batch (scalars)."""
    device = model.logit_scale.device
    targets = batch.targets.to(device)
    text = model.encode_text(batch.ids.to(device))  # (K, P)
    video, context = model.encode_video_in_context(batch.pixels.to(device))
    video = F.normalize(video, dim=-1)
    scale = model.logit_scale.exp().clamp(max=100)

    plain = scale * video @ F.normalize(text, dim=-1).T  # (B, K)
    # Prompting costs B × K, so clips are told apart from each other's sentences only.
    own = F.normalize(model.condition_text(text[targets], context), dim=-1)  # (B, B, P)
    prompted = scale * torch.einsum("bp,bkp->bk", video, own)
    diagonal = torch.arange(len(targets), device=device)
    plain_loss = F.cross_entropy(plain, targets) + F.cross_entropy(plain[:, targets].T, diagonal)
    prompted_loss = F.cross_entropy(prompted, diagonal) + F.cross_entropy(prompted.T, diagonal)
    return plain_loss / 2, prompted_loss / 2


def _optimizer(model: XCLIP, plan: TrainingPlan) -> torch.optim.AdamW:
    """AdamW over four groups: what decays or not, and what X-CLIP adds to CLIP or not."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        frozen = plan.freeze_text and name.startswith(("text_", "logit_scale"))
        parameter.requires_grad_(not frozen)
        if not frozen:
            decays = parameter.ndim > 1 and "embedding" not in name
            new = any(part in name for part in _NEW_PARTS)
            groups.setdefault((decays, new), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "weight_decay": plan.weight_decay if decays else 0.0,
                "rate_factor": plan.new_parts_factor if new else 1.0,
            }
            for (decays, new), parameters in groups.items()
        ],
        lr=plan.learning_rate,
        betas=(0.9, 0.98),
    )
