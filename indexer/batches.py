"""Clips of several films, put together so that the model always sees full batches."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan, Draft
from indexer.reading import ClipRead, FilmJob, FilmOpened, FrameProcessor
from xclip_core import ModelIdentity

if TYPE_CHECKING:
    from media import VideoInfo


class Embedder(Protocol):
    """What the indexer asks of a model."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is, and how many frames of what size it sees of a clip."""

    @property
    def processor(self) -> FrameProcessor:
        """What prepares frames for it."""

    def embed_clips(self, clips: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Embed clips (B, T, S, S, 3) uint8 as unit vectors (B, P) float32."""


@dataclass(slots=True, eq=False)
class FilmInProgress:
    """A film that is being read: its clips and those of their vectors that are there."""

    job: FilmJob
    video: "VideoInfo"
    spans: tuple[ClipSpan, ...]
    vectors: NDArray[np.float32]  # (len(spans), P)
    damage: str | None
    embedded: int = 0
    seconds_reached: float = 0.0  # the latest end of a clip that has its vector
    read: bool = False
    _unsaved: list[int] = field(default_factory=list)
    _saved_at: float = field(default_factory=time.monotonic)

    @property
    def complete(self) -> bool:
        """Whether the film was read to its end and every clip has its vector."""
        return self.read and self.embedded == len(self.spans)

    def put(self, clip: int, vector: NDArray[np.float32]) -> None:
        """A clip has its vector (P,)."""
        self.vectors[clip] = vector
        self.embedded += 1
        self.seconds_reached = max(self.seconds_reached, self.spans[clip].end)

    def put_new(self, clip: int, vector: NDArray[np.float32]) -> None:
        """The same, for a vector that no draft holds yet."""
        self.put(clip, vector)
        self._unsaved.append(clip)

    def finish_reading(self, damage: str | None) -> None:
        """The film was read to its end, with this to be said of what could not be read."""
        self.damage = _joined(self.damage, damage)
        self.read = True

    def take_unsaved(self, *, older_than: float) -> list[int]:
        """Clips to be saved now, if the last time is longer ago than so many seconds."""
        now = time.monotonic()
        if not self._unsaved or now - self._saved_at < older_than:
            return []
        clips, self._unsaved, self._saved_at = self._unsaved, [], now
        return clips


@dataclass(slots=True)
class EmbeddingBatches:
    """Films in progress, and their clips that wait until a batch of `size` is full."""

    embedder: Embedder
    size: int
    _films: dict[FilmJob, FilmInProgress] = field(default_factory=dict)
    _waiting: list[tuple[FilmJob, ClipRead]] = field(default_factory=list)

    def open(self, job: FilmJob, opened: FilmOpened, *, draft: Draft | None) -> FilmInProgress:
        """Begin a film, with the vectors of `draft` for the clips that need not be read."""
        shape = (len(opened.spans), self.embedder.identity.dimension)
        film = FilmInProgress(
            job=job,
            video=opened.video,
            spans=opened.spans,
            vectors=np.zeros(shape, dtype=np.float32),
            damage=opened.video.damage,
        )
        self._films[job] = film
        if draft is not None and len(opened.wanted) < len(opened.spans):
            _resume(film, opened, draft=draft)
        return film

    def add(self, job: FilmJob, clip: ClipRead) -> tuple[FilmInProgress, ...]:
        """Add a clip; embeds when that fills a batch, and says which films got vectors."""
        self._waiting.append((job, clip))
        return self.flush() if len(self._waiting) == self.size else ()

    def flush(self) -> tuple[FilmInProgress, ...]:
        """Embed what waits, in one batch; says which films got vectors."""
        if not self._waiting:
            return ()
        waiting, self._waiting = self._waiting, []
        vectors = self.embedder.embed_clips(np.stack([clip.frames for _, clip in waiting]))
        for (job, clip), vector in zip(waiting, vectors, strict=True):
            self._films[job].put_new(clip.clip, vector)
        return tuple(self._films[job] for job in dict.fromkeys(job for job, _ in waiting))

    @property
    def films(self) -> Iterable[FilmInProgress]:
        """The films that are open now."""
        return tuple(self._films.values())

    def film(self, job: FilmJob) -> FilmInProgress:
        """Look up an opened film."""
        return self._films[job]

    def close(self, job: FilmJob) -> None:
        """Forget a film, with those of its clips that still wait; one never opened is fine."""
        self._films.pop(job, None)
        self._waiting = [entry for entry in self._waiting if entry[0] != job]


def _resume(film: FilmInProgress, opened: FilmOpened, *, draft: Draft) -> None:
    vector_of = dict(zip(draft.spans, draft.vectors, strict=True))
    for clip in set(range(len(opened.spans))).difference(opened.wanted):
        film.put(clip, vector_of[opened.spans[clip]])
    film.damage = _joined(draft.damage, film.damage)


def _joined(*notes: str | None) -> str | None:
    return "; ".join(dict.fromkeys(note for note in notes if note)) or None
