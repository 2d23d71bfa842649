"""Pools of single clips, of which libraries of any size are made without encoding a video.

A pool shows each of the 448 combinations about as often as any other, one in a clip. Its vectors
are kept, so that a later run need not draw it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
from indexer.pipeline import provenance_of
from machine import usable_cores
from toyworld.world import COMBINATIONS
from training.toy_batches import draw_clip
from xclip_core.embedder import Embedder

EDITION = 1  # increase it when the same seed gives other clips
CLIP_SECONDS = 8.0
_APART = 100.0  # seconds between the starts of clips in one video: none is beside another
_PER_VIDEO = 100
_PER_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """N clips: their vectors (N, D), and what each shows, (N,) numbers into `COMBINATIONS`."""

    seed: int
    vectors: Floats
    shown: NDArray[np.int64]

    def only(self, chosen: NDArray[np.int64]) -> Pool:
        """The pool of these clips alone."""
        return Pool(self.seed, self.vectors[chosen], self.shown[chosen])

    def distorted(self, distortion: Distortion) -> Pool:
        """The pool with distorted vectors."""
        vectors = [
            distortion.of_clip(v, v[None], content=f"{self.seed} {n}".encode())[0]
            for n, v in enumerate(self.vectors)
        ]
        return Pool(self.seed, np.stack(vectors), self.shown)


def make_pool(seed: int, *, clips: int, embedder: Embedder, folder: Path = CACHE) -> Pool:
    """Draw and embed a pool, or read the one that an earlier call kept."""
    digest = embedder.identity.model_digest[:12]
    path = folder / f"answers {EDITION}" / f"pool {seed} of {clips} by {digest}.npz"
    shown = np.arange(clips) % len(COMBINATIONS)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, vectors=_embed(seed, shown, embedder=embedder))
    with np.load(path) as kept:
        return Pool(seed, kept["vectors"], shown)


def _embed(seed: int, shown: NDArray[np.int64], *, embedder: Embedder) -> Floats:
    identity = embedder.identity
    draw = partial(_draw, seed, frames=identity.frames_per_clip, size=identity.image_size)
    numbers = [range(n, min(n + _PER_BATCH, len(shown))) for n in range(0, len(shown), _PER_BATCH)]
    with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as workers:
        return np.concatenate([embedder.embed_clips(c) for c in workers.map(draw, numbers)])


def _draw(seed: int, numbers: range, *, frames: int, size: int) -> NDArray[np.uint8]:
    clips = []
    for number in numbers:
        rng = np.random.default_rng([EDITION, seed, number])
        combination = COMBINATIONS[number % len(COMBINATIONS)]
        clips.append(draw_clip(combination, rng, frames=frames, size=size).pixels)
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
