"""Clips of several films, put together so that the model always sees full batches."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan, PartialVideo
from indexer.decode.messages import ClipRead, VideoOpened
from indexer.embed.threads import EmbedderPool
from indexer.scan.jobs import Content, VideoJob

if TYPE_CHECKING:
    from media import VideoInfo


@dataclass(slots=True, eq=False)
class VideoInProgress:
    """A film that is being read: its clips and those of their vectors that are there."""

    job: VideoJob
    content: Content
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
class Batcher:
    """Films in progress, and their clips that wait until a batch for `encoder` is full.

    A vector has `dim` numbers.
    """

    encoder: EmbedderPool
    dim: int
    _films: dict[VideoJob, VideoInProgress] = field(default_factory=dict)
    _waiting: list[tuple[VideoInProgress, ClipRead]] = field(default_factory=list)

    def open(
        self, job: VideoJob, opened: VideoOpened, *, draft: PartialVideo | None
    ) -> VideoInProgress:
        """Begin a film, with the vectors of `draft` for the clips that need not be read."""
        film = VideoInProgress(
            job=job,
            content=opened.content,
            video=opened.video,
            spans=opened.spans,
            vectors=np.zeros((len(opened.spans), self.dim), dtype=np.float32),
            damage=opened.video.damage,
        )
        self._films[job] = film
        if draft is not None and len(opened.wanted) < len(opened.spans):
            _resume(film, opened, draft=draft)
        return film

    def add(self, job: VideoJob, clip: ClipRead) -> None:
        """Add a clip; it is embedded as soon as a batch is full and a thread has time for it."""
        self._waiting.append((self._films[job], clip))

    def submit(self, *, least: int | None = None) -> None:
        """Have what waits embedded as far as that makes batches of `least` clips, or full ones."""
        size = self.encoder.size  # which a thread may change meanwhile
        while not self.encoder.is_full and len(self._waiting) >= (least or size):
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            clips = np.stack([clip.frames for _, clip in batch])
            self.encoder.submit(clips, tags=[(film, clip.clip) for film, clip in batch])

    def collect(self) -> tuple[VideoInProgress, ...]:
        """Give the vectors that are there to their films; those of them that are open still."""
        embedded: dict[VideoJob, VideoInProgress] = {}
        for batch in self.encoder.collect():
            for (film, clip), vector in zip(batch.tags, batch.vectors, strict=True):
                film.put_new(clip, vector)
                embedded[film.job] = film
        return tuple(film for film in embedded.values() if self._films.get(film.job) is film)

    def wait(self) -> None:
        """Wait until there is something to collect."""
        wait([self.encoder.bell])

    @property
    def is_full(self) -> bool:
        """Whether clips wait for which the encoder has no time yet."""
        return self.encoder.is_full and len(self._waiting) >= self.encoder.size

    @property
    def is_empty(self) -> bool:
        """Whether no clip waits, and none is being embedded."""
        return not self._waiting and not self.encoder.in_flight

    @property
    def films(self) -> Iterable[VideoInProgress]:
        """The films that are open now."""
        return tuple(self._films.values())

    def film(self, job: VideoJob) -> VideoInProgress:
        """Look up an opened film."""
        return self._films[job]

    def close(self, job: VideoJob) -> None:
        """Forget a film, with those of its clips that still wait; one never opened is fine."""
        closed = self._films.pop(job, None)
        self._waiting = [entry for entry in self._waiting if entry[0] is not closed]


def _resume(film: VideoInProgress, opened: VideoOpened, *, draft: PartialVideo) -> None:
    vector_of = dict(zip(draft.spans, draft.vectors, strict=True))
    for clip in set(range(len(opened.spans))).difference(opened.wanted):
        film.put(clip, vector_of[opened.spans[clip]])
    film.damage = _joined(draft.damage, film.damage)


def _joined(*notes: str | None) -> str | None:
    return "; ".join(dict.fromkeys(note for note in notes if note)) or None
