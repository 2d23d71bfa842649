"""Videos in progress, and the batcher: clips of several videos share the model's batches."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan, FileLocation, PartialVideo, QuantisedVectors, VideoRecord
from indexer.decode.messages import ClipRead, VideoOpened
from indexer.embed.threads import EmbedderPool
from indexer.scan.jobs import VideoJob

# Clips that may wait for the model, unless a batch holds more: decoding goes on in bursts, and
# while the model loads. 32 clips of 8 frames of 224 pixels are 39 MB.
READ_AHEAD = 32


@dataclass(slots=True, eq=False)
class VideoInProgress:
    """A video that is being decoded: its clips, and those of their vectors that exist."""

    job: VideoJob
    record: VideoRecord
    location: FileLocation
    spans: tuple[ClipSpan, ...]
    vectors: NDArray[np.float32]  # (len(spans), D)
    frames: list[QuantisedVectors | None]  # of each clip, (T, D); None: not there, or not kept
    embedded: int = 0
    seconds_reached: float = 0.0  # the latest end of a clip that has its vector
    read: bool = False
    _unsaved: list[int] = field(default_factory=list)
    _saved_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.spans):
            raise ValueError(f"{self.vectors.shape} vectors for {len(self.spans)} clips")
        if len(self.frames) != len(self.spans):
            raise ValueError(f"frames of {len(self.frames)} clips for {len(self.spans)} clips")

    @property
    def complete(self) -> bool:
        """Whether the video was decoded to its end and every clip has its vector."""
        return self.read and self.embedded == len(self.spans)

    def put(self, clip: int, vector: NDArray[np.float32], frames: QuantisedVectors | None) -> None:
        """Set the vector (D,) float32 of a clip, and those of its frames (T, D)."""
        self.vectors[clip] = vector
        self.frames[clip] = frames
        self.embedded += 1
        self.seconds_reached = max(self.seconds_reached, self.spans[clip].end)

    def put_new(self, clip: int, vector: NDArray[np.float32], frames: QuantisedVectors) -> None:
        """Set the vectors of a clip that the catalog's partial video lacks, as in `put`."""
        self.put(clip, vector, frames)
        self._unsaved.append(clip)

    def resume(self, partial: PartialVideo, *, wanted: Iterable[int]) -> None:
        """Take the vectors of all clips but those `wanted`, and the damage, from an earlier run."""
        kept = zip(partial.vectors, partial.frames, strict=True)
        vectors_of = dict(zip(partial.spans, kept, strict=True))
        for clip in set(range(len(self.spans))).difference(wanted):
            self.put(clip, *vectors_of[self.spans[clip]])
        self._set_damage(partial.damage, self.record.damage)

    def finish_reading(self, damage: str | None) -> None:
        """Note that all clips were decoded, and what could not be decoded."""
        self._set_damage(self.record.damage, damage)
        self.read = True

    def take_unsaved(self, *, older_than: float) -> list[int]:
        """Clips to be saved now, if the last time is longer ago than so many seconds."""
        now = time.monotonic()
        if not self._unsaved or now - self._saved_at < older_than:
            return []
        clips, self._unsaved, self._saved_at = self._unsaved, [], now
        return clips

    def _set_damage(self, *notes: str | None) -> None:
        damage = "; ".join(dict.fromkeys(note for note in notes if note)) or None
        self.record = replace(self.record, damage=damage)


@dataclass(slots=True)
class Batcher:
    """Open videos, and their clips that wait for a batch of the size that the model wants.

    A vector has `dim` numbers. At most two batches for each thread of `pool` and one more batch, or
    `READ_AHEAD` clips, are in memory while nothing is added beyond `is_full`.
    """

    pool: EmbedderPool
    dim: int
    _videos: dict[VideoJob, VideoInProgress] = field(default_factory=dict)
    _waiting: list[tuple[VideoInProgress, ClipRead]] = field(default_factory=list)

    def open(
        self, job: VideoJob, opened: VideoOpened, *, partial: PartialVideo | None
    ) -> VideoInProgress:
        """Open a video, with the vectors of `partial` for the clips that need not be decoded."""
        video = VideoInProgress(
            job=job,
            record=opened.record,
            location=opened.location,
            spans=opened.spans,
            vectors=np.zeros((len(opened.spans), self.dim), dtype=np.float32),
            frames=[None] * len(opened.spans),
        )
        self._videos[job] = video
        if partial is not None and len(opened.wanted) < len(opened.spans):
            video.resume(partial, wanted=opened.wanted)
        return video

    def add(self, job: VideoJob, clip: ClipRead) -> None:
        """Add a clip; it is embedded as soon as a batch is full and a thread has time for it."""
        self._waiting.append((self._videos[job], clip))

    def submit(self, *, least: int | None = None) -> None:
        """Submit waiting clips in full batches, or in batches of at least `least` clips."""
        while not self.pool.is_full:
            size = self.pool.clips_wanted
            if len(self._waiting) < (least or size):
                return
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            clips = np.stack([clip.frames for _, clip in batch])
            self.pool.submit(clips, tags=[(video, clip.clip) for video, clip in batch])

    def collect(self) -> tuple[VideoInProgress, ...]:
        """Store the vectors that are done; returns the open videos that got some."""
        embedded: dict[VideoJob, VideoInProgress] = {}
        for batch in self.pool.collect():
            for place, (video, clip) in enumerate(batch.tags):
                video.put_new(clip, batch.vectors[place], batch.frames[place])
                embedded[video.job] = video
        return tuple(v for v in embedded.values() if self._videos.get(v.job) is v)

    def wait(self) -> None:
        """Wait until there is something to collect."""
        wait([self.pool.wakeup])

    @property
    def is_full(self) -> bool:
        """Whether as many clips wait as may, and no thread has time for them."""
        return self.pool.is_full and len(self._waiting) >= max(self.pool.clips_wanted, READ_AHEAD)

    @property
    def is_empty(self) -> bool:
        """Whether no clip waits, and none is being embedded."""
        return not self._waiting and not self.pool.in_flight

    @property
    def videos(self) -> tuple[VideoInProgress, ...]:
        """The open videos."""
        return tuple(self._videos.values())

    def video(self, job: VideoJob) -> VideoInProgress:
        """Look up an open video."""
        return self._videos[job]

    def close(self, job: VideoJob) -> None:
        """Drop a video and those of its clips that still wait; one never opened is fine."""
        closed = self._videos.pop(job, None)
        self._waiting = [entry for entry in self._waiting if entry[0] is not closed]
