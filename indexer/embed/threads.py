"""The model at work beside everything else: threads that load it and embed clips with it.

Each thread embeds clips of its own. On a CPU that beats a team of threads which share every
multiplication and wait for the slowest of them, whose core a decoder has taken: beside other work
base-patch32 went through twice as many clips, and with small models four times as many.
"""

import ctypes
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from indexer.decode.clip_reader import FrameProcessor
from indexer.decode.messages import Pixels
from xclip_core import ModelIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds. A batch grows while embedding it takes less: the model's own overhead counts no more, and
# what is left for the last thread at the end of a run, or after a Ctrl-C, is short.
_SHORT = 0.25


class ClipSpec(Protocol):
    """What a model wants to see of a clip, and what it makes of that: known without its weights."""

    @property
    def frames_per_clip(self) -> int:
        """T."""

    @property
    def image_size(self) -> int:
        """S, the side of a prepared frame in pixels."""

    @property
    def dim(self) -> int:
        """P, the length of a vector."""

    @property
    def processor(self) -> FrameProcessor:
        """What prepares frames."""


class ClipEmbedder(Protocol):
    """Embedder of clips: a model that is loaded. Safe to use from several threads."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is."""

    @property
    def clips_wanted(self) -> int:
        """B for the next call of `embed_clips`: as many clips as the device is quick with.

        It starts small and grows from call to call; it shrinks where the device lacks memory.
        """

    def embed_clips(self, clips: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Embed clips (B, T, S, S, 3) uint8 as unit vectors (B, D) float32; any B is allowed."""


class ModelLoader(Protocol):
    """What the indexer asks of a model: films are read while it loads."""

    def clip_format(self) -> ClipSpec:
        """How to prepare clips for it. Takes no time, but for a model that must be fetched."""

    def load(self) -> ClipEmbedder:
        """Load it, once; called in another thread."""

    @property
    def calls_at_once(self) -> int:
        """How many threads do well to call `embed_clips` at a time; asked when it is loaded."""


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """The vectors (B, P) of a batch, and what was handed in with it."""

    vectors: NDArray[np.float32]
    tags: Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Task:
    clips: Pixels
    tags: Sequence[Any]


class _StoppedError(BaseException):
    """Raised inside of a thread that has to end now."""


class EmbedderPool:
    """A context manager: embeds batches of clips in threads, until it is left.

    `limit` is the most clips that one call of the model gets. The model, too, is loaded in a
    thread, from `start` on; batches can be submitted before that is done.
    """

    def __init__(self, model: ModelLoader, *, limit: int) -> None:
        self._model = model
        self._limit = limit
        self._size = 1
        self._in_flight = 0
        self._loaded: ClipEmbedder | None = None
        self._failure: BaseException | None = None
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()  # None ends a thread
        self._done: SimpleQueue[EmbeddedBatch] = SimpleQueue()
        self._bell, self._ringer = Pipe(duplex=False)
        self._changing = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._loading = False
        self._stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._bell.close()
        self._ringer.close()

    def start(self) -> None:
        """Begin to load the model; nothing happens the second time."""
        if self._threads:
            return
        self._loading = True
        self._start_thread(self._load_and_embed)

    @property
    def bell(self) -> Connection:
        """Can be waited for: readable while there is something new to `collect`."""
        return self._bell

    @property
    def size(self) -> int:
        """How many clips make a full batch; it grows while the model is quick with them."""
        return self._size

    @property
    def in_flight(self) -> int:
        """How many batches were submitted and not collected."""
        return self._in_flight

    @property
    def is_full(self) -> bool:
        """Whether every thread has a batch, and another one waiting."""
        calls = self._model.calls_at_once if self._loaded else 1
        return self._in_flight >= 2 * calls

    def submit(self, clips: Pixels, *, tags: Sequence[Any]) -> None:
        """Have clips (B, T, S, S, 3) embedded; `tags` come back with their vectors."""
        self._in_flight += 1
        self._tasks.put(_Task(clips, tags))

    def collect(self) -> list[EmbeddedBatch]:
        """The batches that are done, at once; raises what loading or embedding failed with."""
        while self._bell.poll():
            self._bell.recv_bytes()
        if self._failure is not None:
            raise self._failure
        batches = []
        while not self._done.empty():
            batches.append(self._done.get())
        self._in_flight -= len(batches)
        return batches

    def embedder(self) -> ClipEmbedder:
        """The model, as soon as it is loaded; raises what that failed with."""
        while self._loaded is None:
            if self._failure is not None:
                raise self._failure
            wait([self._bell])
        return self._loaded

    def _start_thread(self, work: "Callable[[], None]") -> None:
        with self._changing:
            if not self._stopping:
                thread = threading.Thread(target=self._run, args=(work,), name="encoder")
                self._threads.append(thread)
                thread.start()

    def _stop(self) -> None:
        """End the threads, also in the middle of a clip: nobody waits for its vector any more.

        Loading goes on to its end: a library that is stopped while it is imported cannot be
        imported again in this process, which may have more to index.
        """
        with self._changing:
            self._stopping = True
            for thread in () if self._loading else self._threads:
                ident = ctypes.c_ulong(thread.ident or 0)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_StoppedError))
        # Only now: a thread that has ended its work cannot be stopped without a traceback.
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, work: "Callable[[], None]") -> None:
        try:
            try:
                work()
            except _StoppedError:
                raise
            except BaseException as error:
                self._failure = error
                self._ring()
                while self._tasks.get() is not None:
                    pass
        except _StoppedError:
            return

    def _load_and_embed(self) -> None:
        loaded = self._model.load()
        with self._changing:
            self._loading = False
            if self._stopping:
                return
            self._loaded = loaded
        self._ring()
        for _ in range(self._model.calls_at_once - 1):
            self._start_thread(self._embed)
        self._embed()

    def _embed(self) -> None:
        embedder = self.embedder()
        while (task := self._tasks.get()) is not None:
            began = time.perf_counter()
            vectors = embedder.embed_clips(task.clips)
            if time.perf_counter() - began < _SHORT and len(task.clips) == self._size:
                self._size = min(2 * self._size, self._limit)
            self._done.put(EmbeddedBatch(vectors, task.tags))
            self._ring()

    def _ring(self) -> None:
        with self._changing:
            self._ringer.send_bytes(b".")
