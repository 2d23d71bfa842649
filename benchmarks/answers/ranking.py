"""Ranking of pools of single clips by captions: mean average precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.answers.asked import Models, searchers
from benchmarks.answers.distortions import Distortion
from benchmarks.answers.pools import Pool, stored
from toyworld.world import COMBINATIONS

DEPTH = 100
CAPTIONS = 40


def mean_average_precisions(
    pool: Pool,
    *,
    captions: int = CAPTIONS,
    distortions: Sequence[Distortion],
    settings: Sequence[str],
    models: Models,
) -> dict[str, dict[str, float]]:
    """The mean average precision of captions, by the name of the distortion and of the setting.

    Of each ranking the first `DEPTH` count.
    """
    rng = np.random.default_rng([pool.seed, 1])
    asked = np.sort(rng.permutation(len(COMBINATIONS))[:captions])
    return {
        distortion.name: _of_one(
            pool.distorted(distortion),
            asked.tolist(),
            distortion=distortion,
            settings=settings,
            models=models,
        )
        for distortion in distortions
    }


def _of_one(
    pool: Pool,
    asked: Sequence[int],
    *,
    distortion: Distortion,
    settings: Sequence[str],
    models: Models,
) -> dict[str, float]:
    with stored(pool, embedder=models.clips) as (catalog, shown):
        by_setting = searchers(catalog, distortion=distortion, settings=settings, models=models)
        found = {}
        for name, searcher in by_setting.items():
            precisions = []
            for number in asked:
                hits = searcher.search(COMBINATIONS[number].caption, limit=DEPTH).hits
                right = [shown[hit.clip_id] == number for hit in hits]
                true = int((pool.shown == number).sum())
                precisions.append(average_precision(right, true=true))
            found[name] = float(np.mean(precisions))
        return found


def average_precision(right: Sequence[bool], *, true: int) -> float:
    """The mean of the precisions at each right answer; those that are missing count as 0."""
    found = np.cumsum(right)
    precisions = found / np.arange(1, len(right) + 1)
    return float(precisions[np.array(right, bool)].sum() / min(true, len(right)))
