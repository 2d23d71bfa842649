"""Threads that read films side by side and hand over what they read through one bounded queue."""

import queue
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from indexer.reading import FilmJob, FilmRead, FilmUnreadable, Message

# Seconds to wait for threads when a run is stopped. A thread looks up after every frame; one that
# is lost in a broken film is left behind: it is a daemon and ends with the process.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class _Crashed:
    error: BaseException


class FilmReaders:
    """A context manager: `workers` threads run `read` on submitted jobs until it is left.

    Films are decoded in threads because libavcodec works outside Python's lock. At most
    `capacity` messages wait to be received; readers pause when that many do.
    """

    def __init__(
        self,
        read: Callable[[FilmJob], Generator[Message, None, None]],
        *,
        workers: int,
        capacity: int,
    ) -> None:
        self._read = read
        self._jobs: queue.SimpleQueue[FilmJob | None] = queue.SimpleQueue()
        self._messages: queue.Queue[Message | _Crashed] = queue.Queue(capacity)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"film-reader-{number}", daemon=True)
            for number in range(workers)
        ]
        self._unfinished = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for _ in self._threads:
            self._jobs.put(None)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and any(t.is_alive() for t in self._threads):
            self._make_room()  # wakes readers that wait to hand something over
            for thread in self._threads:
                thread.join(timeout=0.01)

    @property
    def unfinished(self) -> int:
        """How many submitted films have not told their end yet."""
        return self._unfinished

    def submit(self, job: FilmJob) -> None:
        """Have a film read as soon as a thread is free."""
        self._jobs.put(job)
        self._unfinished += 1

    def receive(self, *, timeout: float) -> Message | None:
        """Wait for the next message of any film; None when none came for `timeout` seconds.

        Raises what a reader died of.
        """
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(message, _Crashed):
            raise message.error
        if isinstance(message, FilmRead | FilmUnreadable):
            self._unfinished -= 1
        return message

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._stopping.is_set():
            try:
                with closing(self._read(job)) as messages:
                    for message in messages:
                        if self._stopping.is_set():
                            return
                        self._messages.put(message)
            except BaseException as error:  # raised again by receive()
                self._messages.put(_Crashed(error))
                return

    def _make_room(self) -> None:
        try:
            while True:
                self._messages.get_nowait()
        except queue.Empty:
            return
