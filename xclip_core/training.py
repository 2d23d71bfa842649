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
from xclip_core.model.model import XCLIP

_NEW_PARTS = ("prompts_", "mit.", "message_")


@dataclass(frozen=True, slots=True)
class Question:
    """Sentences of which exactly one is true of each clip.

    Attributes:
        ids: (K, L) token ids, padded on the right.
        targets: (B,) which of the K sentences is true of each clip.
    """

    ids: Tensor
    targets: Tensor


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Clips and what can be said of them.

    Attributes:
        pixels: (B, T, C, H, W), normalised.
        captions: describe the clips in full, no two clips alike; K may exceed B: further
            sentences are further wrong answers.
        questions: ask for one aspect each, as in "something red"; any number of them.
    """

    pixels: Tensor
    captions: Question
    questions: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        for question in (self.captions, *self.questions):
            if len(question.targets) != len(self.pixels):
                raise InputError(
                    f"{len(self.pixels)} clips came with {len(question.targets)} targets"
                )
        if len(torch.unique(self.captions.targets)) != len(self.pixels):
            raise InputError("two clips of one batch have the same caption")


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
        prompted_weight: share of the prompted loss beside the plain one; 0 saves its cost.
        question_weight: share of each question's loss beside the plain one.
        gradient_norm: longest gradient that is let through.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    new_parts_factor: float = 1.0
    freeze_text: bool = False
    weight_decay: float = 0.05
    prompted_weight: float = 0.5
    question_weight: float = 0.5
    gradient_norm: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """What one step came to: losses in nats, the rate, and seconds since training began."""

    step: int
    plain_loss: float
    prompted_loss: float
    question_losses: tuple[float, ...]
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
        losses = _losses(model, _next_batch(source, step=step), plan=plan)
        optimizer.zero_grad(set_to_none=True)
        losses.total(plan).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, plan.gradient_norm)
        optimizer.step()
        report(
            TrainingStep(
                step=step + 1,
                plain_loss=losses.plain.item(),
                prompted_loss=losses.prompted.item(),
                question_losses=tuple(loss.item() for loss in losses.questions),
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


@dataclass(frozen=True, slots=True)
class _Losses:
    """Scalars, in nats."""

    plain: Tensor
    prompted: Tensor
    questions: tuple[Tensor, ...]

    def total(self, plan: TrainingPlan) -> Tensor:
        asked = sum(self.questions, start=torch.zeros_like(self.plain))
        return self.plain + plan.prompted_weight * self.prompted + plan.question_weight * asked


def _losses(model: XCLIP, batch: TrainingBatch, *, plan: TrainingPlan) -> _Losses:
    device = model.logit_scale.device
    targets = batch.captions.targets.to(device)
    diagonal = torch.arange(len(targets), device=device)
    scale = model.logit_scale.exp().clamp(max=100)
    text = model.encode_text(batch.captions.ids.to(device))  # (K, P)
    video, context = model.encode_video_in_context(batch.pixels.to(device))
    video = F.normalize(video, dim=-1)

    plain = scale * video @ F.normalize(text, dim=-1).T  # (B, K)
    prompted_loss = torch.zeros((), device=device)
    if plan.prompted_weight > 0:
        # Prompting costs B × K, so clips are told apart from each other's captions only.
        own = F.normalize(model.condition_text(text[targets], context), dim=-1)  # (B, B, P)
        prompted = scale * torch.einsum("bp,bkp->bk", video, own)
        prompted_loss = _both_ways(prompted, prompted.T, targets=diagonal, others=diagonal)
    question_losses = []
    for question in batch.questions:
        answers = F.normalize(model.encode_text(question.ids.to(device)), dim=-1)
        logits = scale * video @ answers.T
        question_losses.append(F.cross_entropy(logits, question.targets.to(device)))
    return _Losses(
        plain=_both_ways(plain, plain[:, targets].T, targets=targets, others=diagonal),
        prompted=prompted_loss,
        questions=tuple(question_losses),
    )


def _both_ways(clips: Tensor, captions: Tensor, *, targets: Tensor, others: Tensor) -> Tensor:
    """The mean of two cross-entropies: clips among captions, and captions among clips."""
    return (F.cross_entropy(clips, targets) + F.cross_entropy(captions, others)) / 2


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
