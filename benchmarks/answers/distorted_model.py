"""The demo model, whose vectors are distorted, as an index run and a search take a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers.distortions import Distortion
from xclip_core.checkpoint.files import ClipFormat
from xclip_core.embedder import Embedder
from xclip_core.identity import ModelIdentity
from xclip_core.text_embedder import TextEmbedder


class DistortedClips:
    """The clip side."""

    def __init__(self, embedder: Embedder, distortion: Distortion) -> None:
        self._embedder = embedder
        self._distortion = distortion

    @property
    def identity(self) -> ModelIdentity:
        """Return that of the model."""
        return self._embedder.identity

    @property
    def clips_wanted(self) -> int:
        """Return that of the model."""
        return self._embedder.clips_wanted

    def embed_frames(
        self, clips: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(B, T, S, S, 3) uint8 to (B, D) float32 unit vectors, and those of frames, (B, T, D)."""
        every = zip(*self._embedder.embed_frames(clips), clips, strict=True)
        distorted = [
            self._distortion.of_clip(vector, frames, content=clip.tobytes())
            for vector, frames, clip in every
        ]
        vectors, frames = (np.stack(part) for part in zip(*distorted, strict=True))
        return vectors, frames


@dataclass(frozen=True, slots=True)
class DistortedTexts:
    """The text side."""

    embedder: TextEmbedder
    distortion: Distortion

    @property
    def identity(self) -> ModelIdentity:
        """Return that of the model."""
        return self.embedder.identity

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (K, D) float32 of K texts."""
        return self.distortion.of_texts(self.embedder.embed_texts(texts))

    def letters_read(self, text: str) -> int | None:
        """Return what the model reads of a text."""
        return self.embedder.letters_read(text)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The clip side for an index run."""

    embedder: Embedder
    distortion: Distortion
    calls_at_once: int = 2

    def clip_format(self) -> ClipFormat:
        """Return the form of a clip."""
        identity = self.embedder.identity
        return ClipFormat(
            frames_per_clip=identity.frames_per_clip,
            image_size=identity.image_size,
            dim=identity.dim,
            processor=self.embedder.processor,
        )

    def load(self) -> DistortedClips:
        """Return the embedder."""
        return DistortedClips(self.embedder, self.distortion)
