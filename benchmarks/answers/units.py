"""The units of the benchmark, each for a process of its own: one library, or one pool."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.answers.asked import Models, Outcomes, ask_library
from benchmarks.answers.confidence import Cell, confidence_cells, make_mixed_pool
from benchmarks.answers.distortions import ALL, GAP, GAP_HUBS, NOISE, NONE
from benchmarks.answers.ranking import mean_average_precisions
from xclip_core.inference.devices import compute_in_one_thread

RANKED_ALSO = ("centring@everyday",)  # a bank that is foreign to the toy world
RANKED_CLIPS = 4600
VIDEOS = 10
LIBRARY_DISTORTIONS = (NONE, ALL)
POOL_DISTORTIONS = (NONE, NOISE, GAP, GAP_HUBS, ALL)
CELL_DISTORTIONS = (NONE, NOISE, ALL)


@dataclass(frozen=True, slots=True)
class InPool:
    """Mean average precisions by distortion and setting, and cells of confidence by distortion."""

    precisions: dict[str, dict[str, float]]
    cells: dict[str, list[Cell]]


def in_library(seed: int, settings: Sequence[str]) -> dict[str, Outcomes]:
    """Ask one library of long videos, in this process."""
    print(f"library {seed}", file=sys.stderr, flush=True)
    compute_in_one_thread()
    return ask_library(
        seed,
        videos=VIDEOS,
        distortions=LIBRARY_DISTORTIONS,
        settings=settings,
        models=Models.load(),
        beside=_real_videos(),
    )


def in_pool(seed: int, settings: Sequence[str]) -> InPool:
    """Rank one pool, and tell confidence over libraries of it, in this process."""
    print(f"pool {seed}", file=sys.stderr, flush=True)
    compute_in_one_thread()
    models = Models.load()
    pool = make_mixed_pool(seed, embedder=models.clips)
    precisions = mean_average_precisions(
        pool.only(np.arange(RANKED_CLIPS)),
        distortions=POOL_DISTORTIONS,
        settings=[*settings, *RANKED_ALSO],
        models=models,
    )
    cells = {
        distortion.name: confidence_cells(
            pool, distortion=distortion, setting="default", models=models
        )
        for distortion in CELL_DISTORTIONS
    }
    return InPool(precisions, cells)


def _real_videos() -> list[Path]:
    """The real videos that stand beside the toy videos, where there are some."""
    folder = os.environ.get("VSEARCH_TEST_VIDEOS")
    return [Path(folder)] if folder else []
