"""Pools of single clips, of which libraries of any size are made without encoding a video.

A pool shows each of the 448 combinations about as often as any other, one in a clip; besides, it
may have empty clips, and many that show the same. Its vectors are kept, so that a later run need
not draw it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers.distortions import Distortion, Floats
from benchmarks.inputs.models import CACHE
from catalog import Catalog, ClipSpan, FileLocation, VideoRecord
from indexer import IndexSettings
from indexer.embed.binding import provenance_of
from machine import usable_cores
from toyworld.picture import render_clip
from toyworld.world import COMBINATIONS
from training.toy_batches import draw_clip
from xclip_core.embedder import Embedder

EDITION = 1  # increase it when the same seed gives other clips
EMPTY = -1
CLIP_SECONDS = 8.0
_APART = 100.0  # seconds between the starts of clips in one video: none is beside another
_PER_VIDEO = 100
COMMON_KINDS = 3
_PER_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """N clips.

    Attributes:
        seed: of all random choices.
        vectors: (N, D) unit vectors.
        shown: what each shows, (N,) numbers into `COMBINATIONS`, or `EMPTY`.
        extra: (N,) whether it is one of the empty ones, or of those that show the same.
    """

    seed: int
    vectors: Floats
    shown: NDArray[np.int64]
    extra: NDArray[np.bool_]

    def only(self, chosen: NDArray[np.int64]) -> Pool:
        """The pool of these clips alone."""
        return Pool(self.seed, self.vectors[chosen], self.shown[chosen], self.extra[chosen])

    def distorted(self, distortion: Distortion) -> Pool:
        """The pool with distorted vectors."""
        vectors = [
            distortion.of_clip(v, v[None], content=f"{self.seed} {n}".encode())[0]
            for n, v in enumerate(self.vectors)
        ]
        return replace(self, vectors=np.stack(vectors))


def make_pool(
    seed: int,
    *,
    clips: int,
    embedder: Embedder,
    empty: int = 0,
    common: int = 0,
    folder: Path = CACHE,
) -> Pool:
    """Draw and embed a pool, or read the one that an earlier call kept.

    Args:
        seed: seed of all random choices.
        clips: number of clips, without the following.
        embedder: the model.
        empty: number of empty clips.
        common: number of further clips that show each of the first `COMMON_KINDS` combinations.
        folder: the folder to keep it in.
    """
    usual = np.arange(clips) % len(COMBINATIONS)
    extra = np.concatenate([np.full(empty, EMPTY), np.repeat(_common_kinds(seed), common)])
    shown = np.concatenate([usual, extra])
    digest = embedder.identity.model_digest[:12]
    name = f"pool {seed} of {clips} + {empty} + {common} by {digest}.npz"
    path = folder / f"answers {EDITION}" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, vectors=_embed(seed, shown, embedder=embedder))
    with np.load(path) as kept:
        return Pool(seed, kept["vectors"], shown, np.arange(len(shown)) >= clips)


def _common_kinds(seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([EDITION, seed]).permutation(len(COMBINATIONS))[:COMMON_KINDS]


def _embed(seed: int, shown: NDArray[np.int64], *, embedder: Embedder) -> Floats:
    identity = embedder.identity
    draw = partial(_draw, seed, frames=identity.frames_per_clip, size=identity.image_size)
    numbered = list(enumerate(shown.tolist()))
    parts = [numbered[n : n + _PER_BATCH] for n in range(0, len(shown), _PER_BATCH)]
    with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as workers:
        return np.concatenate([embedder.embed_clips(c) for c in workers.map(draw, parts)])


def _draw(
    seed: int, numbered: list[tuple[int, int]], *, frames: int, size: int
) -> NDArray[np.uint8]:
    clips = []
    for number, kind in numbered:
        rng = np.random.default_rng([EDITION, seed, number])
        if kind == EMPTY:  # the event is over before the clip begins
            clips.append(
                render_clip(COMBINATIONS[0], rng, frames=frames, size=size, lead=-2 * CLIP_SECONDS)
            )
        else:
            clips.append(draw_clip(COMBINATIONS[kind], rng, frames=frames, size=size).pixels)
    return np.stack(clips)


@contextmanager
def stored(pool: Pool, *, embedder: Embedder) -> Iterator[tuple[Catalog, dict[int, int]]]:
    """A catalog of a pool's clips, for as long as the block lasts; and what each clip shows, by id.

    A video holds `_PER_VIDEO` clips, far apart from each other.
    """
    with (
        TemporaryDirectory() as folder,
        Catalog.open(Path(folder) / "catalog", create=True) as catalog,
    ):
        catalog.bind(provenance_of(embedder, settings=IndexSettings()))
        for first in range(0, len(pool.vectors), _PER_VIDEO):
            _add_video(catalog, pool.vectors[first : first + _PER_VIDEO], name=f"{first}.mp4")
        ids = [
            match.clip_id
            for match in catalog.nearest_clips(pool.vectors[0], limit=len(pool.vectors))
        ]
        yield catalog, dict(zip(sorted(ids), pool.shown.tolist(), strict=True))


def _add_video(catalog: Catalog, vectors: Floats, *, name: str) -> None:
    starts = [_APART * n for n in range(len(vectors))]
    record = VideoRecord(name, starts[-1] + CLIP_SECONDS, 64, 64, 10.0, "h264", "mp4")
    catalog.add_video(
        record,
        location=FileLocation(Path("/pool"), Path("/pool", name), 1, 1),
        clips=[ClipSpan(start, start + CLIP_SECONDS) for start in starts],
        vectors=vectors,
    )
