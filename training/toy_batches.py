"""Batches from the toy world, drawn afresh for every step."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from toyworld.picture import Pixels, render_clip, render_still
from toyworld.world import QUESTIONS, TRAINED, WHERE, WHERE_EDGES, Combination
from xclip_core import FrameProcessor, Question, Tokenizer, TrainingBatch


@dataclass(frozen=True, slots=True)
class Example:
    """A clip (T, S, S, 3) and, for each question, which of its sentences is true of it."""

    pixels: Pixels
    answers: tuple[int, ...]


DrawExample = Callable[[Combination, np.random.Generator], Example]


def draw_clip(
    combination: Combination, rng: np.random.Generator, *, frames: int, size: int
) -> Example:
    """Draw a clip: mostly a whole event, sometimes cut by the clip's edge, as in long videos."""
    whole = rng.random() < 0.6
    duration = 8.0 if whole else float(rng.uniform(8, 11))
    # At least five of the clip's eight seconds show the event.
    lead = 0.0 if whole else float(rng.uniform(5 - duration, 3))
    pixels = render_clip(combination, rng, frames=frames, size=size, duration=duration, lead=lead)
    answers = tuple(
        list(question).index(getattr(combination, part)) for part, question in QUESTIONS.items()
    )
    return Example(pixels=pixels, answers=answers)


def draw_still(combination: Combination, rng: np.random.Generator, *, size: int) -> Example:
    """Draw one frame; its sentences are about the place of the shape, as no frame shows motion."""
    still = render_still(combination, rng, size=size)
    seen = {"across": still.x, "height": still.y, "size": still.radius}
    looks = (
        list(QUESTIONS[part]).index(getattr(combination, part)) for part in ("colour", "shape")
    )
    where = (bisect(WHERE_EDGES[scale], seen[scale]) for scale in WHERE)
    return Example(pixels=still.pixels[None], answers=(*looks, *where))


_CLIP_QUESTIONS = tuple(tuple(question.values()) for question in QUESTIONS.values())
_STILL_QUESTIONS = (
    *(tuple(QUESTIONS[part].values()) for part in ("colour", "shape")),
    *WHERE.values(),
)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One batch as it leaves the drawing process.

    Attributes:
        shown: which trained combination each example shows.
        captions: one for each trained combination.
    """

    examples: list[Example]
    shown: list[int]
    captions: list[str]


class _Drawings(IterableDataset[_Drawn]):
    """Draws batches of hard negatives.

    A batch takes some pairs of colour and shape and shows each in all of its trained motions:
    what then tells its examples apart is mostly the motion, the part that is slow to learn.
    """

    def __init__(self, draw: DrawExample, *, seed: int, looks: int) -> None:
        self.draw, self.seed, self.looks = draw, seed, looks
        motions: dict[tuple[str, str], list[int]] = {}
        for index, c in enumerate(TRAINED):
            motions.setdefault((c.colour, c.shape), []).append(index)
        self.motions = list(motions.values())

    def __iter__(self) -> Iterator[_Drawn]:
        worker = get_worker_info()
        step, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            yield self._draw_batch(np.random.default_rng([self.seed, step]))
            step += stride

    def _draw_batch(self, rng: np.random.Generator) -> _Drawn:
        chosen = rng.permutation(len(self.motions))[: self.looks]
        shown = [index for look in chosen for index in self.motions[look]]
        return _Drawn(
            examples=[self.draw(TRAINED[index], rng) for index in shown],
            shown=shown,
            captions=[c.paraphrase(rng) for c in TRAINED],
        )


def clip_batches(
    tokenizer: Tokenizer, processor: FrameProcessor, *, seed: int, frames: int, looks: int
) -> Iterator[TrainingBatch]:
    """Endless batches of clips, about six for each of `looks` coloured shapes.

    Every trained caption is among the answers, in words that change from step to step; the
    colour, the shape and the motion are also asked for alone.
    """
    draw = partial(draw_clip, frames=frames, size=processor.crop_size)
    drawings = _Drawings(draw, seed=seed, looks=looks)
    return _batches(drawings, _CLIP_QUESTIONS, tokenizer=tokenizer, processor=processor)


def still_batches(
    tokenizer: Tokenizer, processor: FrameProcessor, *, seed: int, looks: int
) -> Iterator[TrainingBatch]:
    """Endless batches of single frames, as `clip_batches`; place and size are asked for alone."""
    drawings = _Drawings(partial(draw_still, size=processor.crop_size), seed=seed, looks=looks)
    return _batches(drawings, _STILL_QUESTIONS, tokenizer=tokenizer, processor=processor)


def _batches(
    drawings: _Drawings,
    questions: tuple[tuple[str, ...], ...],
    *,
    tokenizer: Tokenizer,
    processor: FrameProcessor,
) -> Iterator[TrainingBatch]:
    """Batches drawn ahead by another process; they depend on seed and step alone."""
    question_ids = [tokenizer.encode_batch(question)[0] for question in questions]
    for drawn in DataLoader(drawings, batch_size=None, num_workers=1, prefetch_factor=4):
        pixels = np.stack([example.pixels for example in drawn.examples])
        answers = torch.tensor([example.answers for example in drawn.examples])
        yield TrainingBatch(
            pixels=processor.normalise(torch.from_numpy(pixels)),
            captions=Question(
                ids=tokenizer.encode_batch(drawn.captions)[0], targets=torch.tensor(drawn.shown)
            ),
            questions=tuple(
                Question(ids=ids, targets=targets)
                for ids, targets in zip(question_ids, answers.T, strict=True)
            ),
        )
