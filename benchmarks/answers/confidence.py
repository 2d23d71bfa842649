"""Confidence over libraries of single clips, from small to large: who is told to be strong.

A library lacks some combinations, and shows all others about as often as each other; or four in
five of its clips are empty; or half of its clips show one and the same combination.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers.asked import Models, searchers
from benchmarks.answers.distortions import Distortion
from benchmarks.answers.pools import EMPTY, Pool, make_pool, stored
from benchmarks.answers.sentences import FOREIGN
from benchmarks.inputs.models import CACHE
from search import Searcher
from toyworld.world import COMBINATIONS
from xclip_core.embedder import Embedder

SIZES = (50, 200, 1000, 5000)
_LACKING = 60  # combinations
_ASKED = 60  # captions that are true, at most
MIXED = 400  # clips of a library with empty ones, or of which half show the same


@dataclass(frozen=True, slots=True)
class Cell:
    """The shares of sentences whose answer is strong in one library.

    `true` is of those whose first hit is right; `absent` and `foreign` are NaN where none was
    asked.
    """

    name: str
    true: float
    absent: float
    foreign: float


def make_mixed_pool(
    seed: int,
    *,
    sizes: Sequence[int] = SIZES,
    mixed: int = MIXED,
    embedder: Embedder,
    folder: Path = CACHE,
) -> Pool:
    """A pool with enough clips of each kind for the cells; see `make_pool`."""
    share = len(COMBINATIONS) / (len(COMBINATIONS) - _LACKING)
    return make_pool(
        seed,
        clips=int(max(sizes) * share) + len(COMBINATIONS),
        empty=mixed,
        common=mixed // 2,
        embedder=embedder,
        folder=folder,
    )


def confidence_cells(
    pool: Pool,
    *,
    sizes: Sequence[int] = SIZES,
    mixed: int = MIXED,
    distortion: Distortion,
    setting: str,
    models: Models,
) -> list[Cell]:
    """The cells of one pool under one distortion; sizes as in `make_mixed_pool`."""
    rng = np.random.default_rng([pool.seed, 2])
    pool = pool.distorted(distortion)
    cells = []
    for name, library, true, absent in _libraries(pool, rng, sizes=sizes, mixed=mixed):
        with stored(library, embedder=models.clips) as (catalog, shown):
            by_setting = searchers(
                catalog, distortion=distortion, settings=[setting], models=models
            )
            searcher = by_setting[setting]
            cells.append(
                Cell(
                    name,
                    true=_strong_of_right(searcher, true, shown=shown),
                    absent=_strong(searcher, [COMBINATIONS[n].caption for n in absent]),
                    foreign=_strong(searcher, FOREIGN),
                )
            )
    return cells


def _libraries(
    pool: Pool, rng: np.random.Generator, *, sizes: Sequence[int], mixed: int
) -> Iterator[tuple[str, Pool, NDArray[np.int64], NDArray[np.int64]]]:
    """Each library: its name and clips, the combinations that it is asked for, and absent ones."""
    kinds = rng.permutation(len(COMBINATIONS))
    absent, present = kinds[:_LACKING], kinds[_LACKING:]
    usual = np.flatnonzero(np.isin(pool.shown, present) & ~pool.extra)
    for size in sizes:
        library = pool.only(rng.permutation(usual)[:size])
        there = np.unique(library.shown)
        yield f"{size:,} clips", library, rng.permutation(there)[:_ASKED], absent
    some = rng.permutation(usual)[: mixed // 5]
    empty = np.flatnonzero(pool.shown == EMPTY)[: mixed - len(some)]
    library = pool.only(np.concatenate([some, empty]))
    there = np.unique(pool.shown[some])
    yield "80 % empty", library, rng.permutation(there)[:_ASKED], absent
    for common in np.unique(pool.shown[pool.extra & (pool.shown != EMPTY)]):
        same = np.flatnonzero(pool.extra & (pool.shown == common))
        others = rng.permutation(usual[pool.shown[usual] != common])[: mixed - len(same)]
        library = pool.only(np.concatenate([same, others]))
        yield "true of half", library, np.array([common]), absent[absent != common]


def _strong_of_right(
    searcher: Searcher, asked: NDArray[np.int64], *, shown: dict[int, int]
) -> float:
    strong = []
    for number in asked.tolist():
        first = searcher.search(COMBINATIONS[number].caption, limit=1).hits[0]
        if shown[first.clip_id] == number:
            strong.append(first.confidence == "strong")
    return float(np.mean(strong)) if strong else float("nan")


def _strong(searcher: Searcher, sentences: Sequence[str]) -> float:
    firsts = [searcher.search(sentence, limit=1).hits[0] for sentence in sentences]
    return float(np.mean([first.confidence == "strong" for first in firsts]))
