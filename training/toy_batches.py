"""Batches from the toy world, drawn afresh for every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from toyworld.picture import Pixels, render_clip
from toyworld.world import TRAINED, Combination
from xclip_core.preprocess import FrameProcessor
from xclip_core.tokenizer import Tokenizer
from xclip_core.training import TrainingBatch


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One batch as it leaves the drawing process: pixels, targets, all sentences."""

    clips: Pixels
    targets: list[int]
    sentences: list[str]


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
        targets = [index for look in chosen for index in self.looks[look]]
        return _Drawn(
            clips=np.stack([self._draw_clip(TRAINED[index], rng) for index in targets]),
            targets=targets,
            sentences=[c.paraphrase(rng) for c in TRAINED],
        )

    def _draw_clip(self, combination: Combination, rng: np.random.Generator) -> Pixels:
        """Mostly a whole event; now and then one that the clip's edge cuts, as in long films."""
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
    groups: int = 8,
) -> Iterator[TrainingBatch]:
    """Endless batches of about six clips for each of `groups` coloured shapes.

    Every trained sentence is among the answers, in words that change from step to step. A process
    beside this one draws ahead; what it draws depends on the seed and the step alone.
    """
    size = processor.size
    drawings = _Drawings(seed=seed, frames=frames, size=size, groups=groups)
    for drawn in DataLoader(drawings, batch_size=None, num_workers=1, prefetch_factor=4):
        ids, _ = tokenizer.encode_batch(drawn.sentences)
        yield TrainingBatch(
            pixels=processor.normalise(drawn.clips),
            ids=ids,
            targets=torch.as_tensor(drawn.targets),
        )
