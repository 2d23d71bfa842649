"""The model beside everything else: threads that load it and embed batches of clips.

Each thread embeds batches of its own. On a CPU that beats a team of threads which share every
multiplication and wait for the slowest of them, whose core a decoder has taken: beside other work
base-patch32 embedded twice as many clips, and small models four times as many.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import QuantisedVectors
from indexer.decode.clip_reader import FrameProcessor
from indexer.decode.messages import Pixels
from xclip_core import ModelIdentity


class ClipSpec(Protocol):
    """Format of a model's clips and vectors, known without its weights."""

    @property
    def frames_per_clip(self) -> int:
        """T."""

    @property
    def image_size(self) -> int:
        """S, the side of a prepared frame in pixels."""

    @property
    def dim(self) -> int:
        """D, the length of a vector."""

    @property
    def processor(self) -> FrameProcessor:
        """Frame processor: prepares the frames of a clip."""


class ClipEmbedder(Protocol):
    """Embedder of clips: a model that is loaded. Safe to use from several threads."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is."""

    @property
    def clips_wanted(self) -> int:
        """B for the next call of `embed_frames`: as many clips as the device is quick with.

        It starts small and grows from call to call; it shrinks where the device lacks memory.
        """

    def embed_frames(
        self, clips: NDArray[np.uint8], /
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embed clips (B, T, S, S, 3) uint8, any B, as unit vectors (B, D) float32.

        With those of their frames (B, T, D) float32, whose mean over a clip is the clip's.
        """


class ModelLoader(Protocol):
    """Loader of a model: videos are decoded while it loads."""

    def clip_format(self) -> ClipSpec:
        """Format of its clips. Takes no time, unless the model must be fetched."""

    def load(self) -> ClipEmbedder:
        """Load it, once; called in another thread."""

    @property
    def calls_at_once(self) -> int:
        """Number of threads that should call `embed_frames` at a time; read when it is loaded."""


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """Vectors (B, D) float32 of a batch, with those of the frames of each clip, (B, T, D).

    `tags` are those it was submitted with, one a clip.
    """

    vectors: NDArray[np.float32]
    frames: QuantisedVectors
    tags: Sequence[Any]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.tags):
            raise ValueError(f"{self.vectors.shape} vectors for {len(self.tags)} clips")
        if self.frames.scales.ndim != 2 or len(self.frames.scales) != len(self.tags):
            raise ValueError(f"frames {self.frames.values.shape} for {len(self.tags)} clips")


@dataclass(frozen=True, slots=True)
class _Batch:
    clips: Pixels  # (B, T, S, S, 3) uint8
    tags: Sequence[Any]


class EmbedderPool:
    """Threads that embed batches of clips, until it is closed.

    The model, too, is loaded in a thread, from `start` on; batches can be submitted before that is
    done.
    """

    def __init__(self, model: ModelLoader) -> None:
        self._model = model
        self._in_flight = 0
        self._loaded: ClipEmbedder | None = None
        self._failure: BaseException | None = None
        self._batches: SimpleQueue[_Batch | None] = SimpleQueue()  # None ends a thread
        self._done: SimpleQueue[EmbeddedBatch] = SimpleQueue()
        self._wakeup, self._waker = Pipe(duplex=False)
        self._changing = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def start(self) -> None:
        """Begin to load the model; nothing happens the second time."""
        if not self._threads:
            self._start_thread(self._load_and_embed)

    def close(self) -> None:
        """End the threads, each after the batch it is embedding; nobody waits for the others.

        Loading goes on to its end: a library that is stopped while it is imported cannot be
        imported again in this process, which may have more to index.
        """
        with self._changing:
            self._stopping = True
        for _ in self._threads:
            self._batches.put(None)
        for thread in self._threads:
            thread.join()
        self._wakeup.close()
        self._waker.close()

    @property
    def wakeup(self) -> Connection:
        """Connection that is readable while there is something new to `collect`."""
        return self._wakeup

    @property
    def clips_wanted(self) -> int:
        """Number of clips that the next batch should hold; a thread may change it at any time."""
        return self._loaded.clips_wanted if self._loaded else 1

    @property
    def in_flight(self) -> int:
        """Number of batches that were submitted and not collected."""
        return self._in_flight

    @property
    def is_full(self) -> bool:
        """Whether every thread has a batch, and another one waiting."""
        calls = self._model.calls_at_once if self._loaded else 1
        return self._in_flight >= 2 * calls

    def submit(self, clips: Pixels, *, tags: Sequence[Any]) -> None:
        """Have clips (B, T, S, S, 3) uint8 embedded; `tags` come back with their vectors."""
        self._in_flight += 1
        self._batches.put(_Batch(clips, tags))

    def collect(self) -> list[EmbeddedBatch]:
        """Take the batches that are done, without waiting; raises what the model failed with."""
        while self._wakeup.poll():
            self._wakeup.recv_bytes()
        if self._failure is not None:
            raise self._failure
        batches = []
        while not self._done.empty():
            batches.append(self._done.get())
        self._in_flight -= len(batches)
        return batches

    def embedder(self) -> ClipEmbedder:
        """Wait until the model is loaded and return it; raises what loading failed with."""
        while self._loaded is None:
            if self._failure is not None:
                raise self._failure
            wait([self._wakeup])
        return self._loaded

    def _start_thread(self, work: Callable[[], None]) -> None:
        with self._changing:
            if not self._stopping:
                thread = threading.Thread(
                    target=self._run, args=(work,), name="embedder", daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._failure = error
            self._wake()

    def _load_and_embed(self) -> None:
        self._loaded = self._model.load()
        self._wake()
        for _ in range(self._model.calls_at_once - 1):
            self._start_thread(self._embed)
        self._embed()

    def _embed(self) -> None:
        embedder = self.embedder()
        while (batch := self._batches.get()) is not None and not self._stopping:
            vectors, frames = embedder.embed_frames(batch.clips)
            self._done.put(EmbeddedBatch(vectors, QuantisedVectors.of(frames), batch.tags))
            self._wake()

    def _wake(self) -> None:
        with self._changing:
            self._waker.send_bytes(b".")
