"""Batches from the toy world, drawn afresh for every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from toyworld.picture import Pixels, render_clip
from toyworld.world import QUESTIONS, TRAINED, Combination
from xclip_core.preprocess import FrameProcessor
from xclip_core.tokenizer import Tokenizer
from xclip_core.training import Question, TrainingBatch


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One batch as it leaves the drawing process.

    Attributes:
        clips: (B, T, S, S, 3).
        shown: which trained combination each clip shows.
        captions: one for each trained combination.
    """

    clips: Pixels
    shown: list[int]
    captions: list[str]


class _Drawings(IterableDataset[_Drawn]):
    """Draws batches of hard negatives.

    A batch takes some pairs of colour and shape and shows each in all of its trained motions:
    what then tells its clips apart is mostly the motion, the part that is slow to learn.
    """

    def __init__(self, *, seed: int, frames: int, size: int, groups: int) -> None:
        self.seed, self.frames, self.size, self.groups = seed, frames, size, groups
        looks: dict[tuple[str, str], list[int]] = {}
        for index, c in enumerate(TRAINED):
            looks.setdefault((c.colour, c.shape), []).append(index)
        self.looks = list(looks.values())

    def __iter__(self) -> Iterator[_Drawn]:
        worker = get_worker_info()
        step, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        while True:
            yield self._draw(np.random.default_rng([self.seed, step]))
            step += stride

    def _draw(self, rng: np.random.Generator) -> _Drawn:
        chosen = rng.permutation(len(self.looks))[: self.groups]
        shown = [index for look in chosen for index in self.looks[look]]
        return _Drawn(
            clips=np.stack([self._draw_clip(TRAINED[index], rng) for index in shown]),
            shown=shown,
            captions=[c.paraphrase(rng) for c in TRAINED],
        )

    def _draw_clip(self, combination: Combination, rng: np.random.Generator) -> Pixels:
        """Mostly a whole event; now and then one that the clip's edge cuts, as in long films.

        A single frame is taken from any instant of its event.
        """
        if self.frames == 1:
            lead = float(rng.uniform(-3.5, 3.5))
            return render_clip(combination, rng, frames=1, size=self.size, lead=lead)
        whole = rng.random() < 0.6
        duration = 8.0 if whole else float(rng.uniform(8, 11))
        # At least five of the clip's eight seconds show the event.
        lead = 0.0 if whole else float(rng.uniform(5 - duration, 3))
        return render_clip(
            combination, rng, frames=self.frames, size=self.size, duration=duration, lead=lead
        )


def toy_batches(
    tokenizer: Tokenizer,
    processor: FrameProcessor,
    *,
    seed: int,
    frames: int,
    groups: int,
) -> Iterator[TrainingBatch]:
    """Endless batches of about six clips for each of `groups` coloured shapes.

    Every trained caption is among the answers, in words that change from step to step; the
    colour, the shape and the motion are also asked for alone. A process beside this one draws
    ahead; what it draws depends on the seed and the step alone.
    """
    drawings = _Drawings(seed=seed, frames=frames, size=processor.crop_size, groups=groups)
    asked = {part: list(sentences) for part, sentences in QUESTIONS.items()}
    question_ids = {
        part: tokenizer.encode_batch(list(sentences.values()))[0]
        for part, sentences in QUESTIONS.items()
    }
    for drawn in DataLoader(drawings, batch_size=None, num_workers=1, prefetch_factor=4):
        caption_ids, _ = tokenizer.encode_batch(drawn.captions)
        yield TrainingBatch(
            pixels=processor.normalise(torch.as_tensor(drawn.clips)),
            captions=Question(ids=caption_ids, targets=torch.as_tensor(drawn.shown)),
            questions=tuple(
                Question(
                    ids=question_ids[part],
                    targets=torch.tensor(
                        [values.index(getattr(TRAINED[index], part)) for index in drawn.shown]
                    ),
                )
                for part, values in asked.items()
            ),
        )
