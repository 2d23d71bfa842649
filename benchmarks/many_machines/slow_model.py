"""Model that is no network: it sleeps for each clip, so that workers do not share a processor.

What several workers gain beside one is then what their claims leave of it, on any machine.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xclip_core import ModelIdentity

FRAMES, SIDE, DIM = 4, 8, 16  # T, S, D


@dataclass(frozen=True)
class Corner:
    """Frame processor: the upper left corner."""

    def resized(self, *, height: int, width: int) -> tuple[int, int]:
        """No change."""
        return height, width

    def prepare_frame(self, pixels: NDArray[np.uint8], /) -> NDArray[np.uint8]:
        """Cut the corner out of a frame (H, W, 3)."""
        return np.ascontiguousarray(pixels[:SIDE, :SIDE])


@dataclass(frozen=True)
class SmallClips:
    """Format of its clips."""

    processor: Corner = Corner()
    frames_per_clip: int = FRAMES
    image_size: int = SIDE
    dim: int = DIM


@dataclass(frozen=True)
class SlowModel:
    """Model that takes `seconds` for each clip; needs no loading.

    It embeds eight clips, and further ones when there is a file `hold`, if that is given.

    A vector depends on the clip's pixels alone, to the last bit: not on the clips beside it.
    """

    seconds: float
    name: str = "slow"
    hold: Path | None = None
    _embedded: list[int] = field(default_factory=list)
    calls_at_once: int = 1
    clips_wanted: int = 4

    @property
    def identity(self) -> ModelIdentity:
        """Its identity: by name, as it has no weights."""
        return ModelIdentity(
            model=self.name,
            revision=None,
            model_digest=self.name.encode().hex().ljust(64, "0"),
            dim=DIM,
            frames_per_clip=FRAMES,
            image_size=SIDE,
        )

    def clip_format(self) -> SmallClips:
        """See `indexer.ModelLoader`."""
        return SmallClips()

    def load(self) -> SlowModel:
        """See `indexer.ModelLoader`."""
        return self

    def embed_frames(
        self, clips: NDArray[np.uint8], /
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `indexer.ClipEmbedder`: a fixed projection of mean colours."""
        time.sleep(self.seconds * len(clips))
        while self.hold and sum(self._embedded) >= 8 and not self.hold.exists():
            time.sleep(0.02)
        self._embedded.append(len(clips))
        colours = clips.mean(axis=(2, 3)) / 255  # (B, T, 3)
        frames = np.stack([_unit(clip @ _PROJECTION + _OFFSET) for clip in colours])
        vectors = np.stack([_unit(clip.sum(axis=0, keepdims=True))[0] for clip in frames])
        return vectors.astype(np.float32), frames.astype(np.float32)


_PROJECTION = np.random.default_rng(0).normal(size=(3, DIM))
_OFFSET = np.random.default_rng(1).normal(size=DIM)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
