"""A small embedder that is no network. Its half that prepares frames runs in reader processes."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xclip_core import ModelIdentity

FRAMES = 4
SIZE = 8
DIM = 16

COLOURS = ModelIdentity(
    model="colours",
    revision=None,
    model_digest="0" * 64,
    dim=DIM,
    frames_per_clip=FRAMES,
    image_size=SIZE,
)


class ModelBrokeError(Exception):
    """What a broken model fails with."""


@dataclass(frozen=True)
class ColourProcessor:
    """Picks every so manieth pixel. Pictures as bright as `trouble_above` bring it to `trouble`."""

    trouble: str = "none"
    trouble_above: float = 256.0
    until: Path | None = None  # slow pictures take until this file is there
    tally: Path | None = None  # grows by a byte with each frame
    side: int = SIZE  # S

    def resized(self, *, height: int, width: int) -> tuple[int, int]:
        return height, width

    def prepare_frame(self, pixels: np.ndarray) -> np.ndarray:
        if self.tally is not None:
            with self.tally.open("ab") as file:
                file.write(b".")
        if pixels.mean() > self.trouble_above:
            self._get_into_trouble()
        rows = np.linspace(0, pixels.shape[0] - 1, self.side).astype(int)
        columns = np.linspace(0, pixels.shape[1] - 1, self.side).astype(int)
        return np.ascontiguousarray(pixels[rows][:, columns])

    def _get_into_trouble(self) -> None:
        match self.trouble:
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(3600)
            case "memory":
                self._keep(np.ones(6 << 30, np.uint8))
            case "raise":
                raise ModelBrokeError
            case "slow":
                self._wait()

    def _keep(self, memory: np.ndarray) -> None:
        raise AssertionError(f"{memory.nbytes} bytes were to be had")

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while self.until is not None and not self.until.exists() and time.monotonic() < deadline:
            time.sleep(0.01)


@dataclass(frozen=True)
class ColourClips:
    """What the embedder below wants to see of a clip."""

    processor: ColourProcessor
    frames_per_clip: int = FRAMES
    image_size: int = SIZE
    dim: int = DIM


@dataclass
class ColourEmbedder:
    """Embeds a clip as a fixed random projection of its frames' mean colours.

    Keeps account of the clips that it saw. It is a model that needs no loading.
    """

    identity: ModelIdentity = COLOURS
    processor: ColourProcessor = field(default_factory=ColourProcessor)
    batches: list[np.ndarray] = field(default_factory=list)
    calls_at_once: int = 1
    clips_wanted: int = 16

    def clip_format(self) -> ColourClips:
        return ColourClips(self.processor, image_size=self.processor.side)

    def load(self) -> "ColourEmbedder":
        return self

    def embed_clips(self, clips: np.ndarray) -> np.ndarray:
        side = self.processor.side
        assert clips.shape[1:] == (FRAMES, side, side, 3)
        self.batches.append(clips)
        colours = clips.mean(axis=(2, 3)).reshape(len(clips), -1)  # (B, T * 3)
        projection = np.random.default_rng(0).normal(size=(colours.shape[1] + 1, DIM))
        # Row by row: the sum of a row must not depend on the rows beside it.
        vectors = np.stack([row @ projection for row in np.c_[colours / 255, np.ones(len(clips))]])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def embed_frames(self, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each frame differs from its clip by its own brightness, less the clip's."""
        vectors = self.embed_clips(clips)
        levels = clips.mean(axis=(2, 3, 4)) / 255  # (B, T)
        apart = (levels - levels.mean(axis=1, keepdims=True))[..., None]
        return vectors, (vectors[:, None] * (1 + apart)).astype(np.float32)

    @property
    def clips_seen(self) -> int:
        return sum(map(len, self.batches))

    @property
    def grey_levels(self) -> list[list[int]]:
        """Mean level of each frame of each clip, clips in the order in which they were seen."""
        levels = [clips.mean(axis=(2, 3, 4)).round().astype(int).tolist() for clips in self.batches]
        return [clip for batch in levels for clip in batch]
