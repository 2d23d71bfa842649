"""Clips of several films, put together so that the model always sees full batches."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan
from indexer.reading import ClipRead, FilmJob, FilmOpened
from media import VideoInfo
from xclip_core import ModelIdentity


class Embedder(Protocol):
    """What the indexer asks of a model."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is, and how many frames it sees of a clip."""

    def prepare_frame(self, pixels: NDArray[np.uint8], /) -> NDArray[np.uint8]:
        """Make a frame (H, W, 3) uint8 RGB into one (S, S, 3); called from several threads."""

    def embed_clips(self, clips: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Embed clips (B, T, S, S, 3) uint8 as unit vectors (B, P) float32."""


@dataclass(slots=True, eq=False)
class FilmInProgress:
    """A film that is being read: its clips and those of their vectors that are there."""

    job: FilmJob
    video: VideoInfo
    spans: tuple[ClipSpan, ...]
    vectors: NDArray[np.float32]  # (len(spans), P)
    embedded: int = 0
    read: bool = False

    @property
    def complete(self) -> bool:
        """Whether the film was read to its end and every clip has its vector."""
        return self.read and self.embedded == len(self.spans)


@dataclass(slots=True)
class EmbeddingBatches:
    """Films in progress, and their clips that wait until a batch of `size` is full."""

    embedder: Embedder
    size: int
    _films: dict[FilmJob, FilmInProgress] = field(default_factory=dict)
    _waiting: list[ClipRead] = field(default_factory=list)

    def open(self, opened: FilmOpened) -> None:
        """Begin a film."""
        shape = (len(opened.spans), self.embedder.identity.dimension)
        self._films[opened.job] = FilmInProgress(
            job=opened.job,
            video=opened.video,
            spans=opened.spans,
            vectors=np.zeros(shape, dtype=np.float32),
        )

    def add(self, clip: ClipRead) -> tuple[FilmInProgress, ...]:
        """Add a clip; embeds when that fills a batch, and says which films got vectors."""
        self._waiting.append(clip)
        return self.flush() if len(self._waiting) == self.size else ()

    def flush(self) -> tuple[FilmInProgress, ...]:
        """Embed what waits, in one batch; says which films got vectors."""
        if not self._waiting:
            return ()
        clips, self._waiting = self._waiting, []
        vectors = self.embedder.embed_clips(np.stack([np.stack(clip.frames) for clip in clips]))
        for clip, vector in zip(clips, vectors, strict=True):
            film = self._films[clip.job]
            film.vectors[clip.clip] = vector
            film.embedded += 1
        return tuple(self._films[job] for job in dict.fromkeys(clip.job for clip in clips))

    def film(self, job: FilmJob) -> FilmInProgress:
        """Look up an opened film."""
        return self._films[job]

    def close(self, job: FilmJob) -> None:
        """Forget a film, with those of its clips that still wait; one never opened is fine."""
        self._films.pop(job, None)
        self._waiting = [clip for clip in self._waiting if clip.job != job]
