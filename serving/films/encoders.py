"""Places for films that are made anew: few at a time, each in a thread of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event
from typing import TYPE_CHECKING

from machine import release_memory

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator

_PLACES = 2
_UNREAD = 2.0  # seconds without anybody reading, after which a place may be given away
_LOOK = 0.05  # seconds between looks for a place


class Encoder:
    """One film that is made anew. `pieces` are made in its thread when they are asked for."""

    def __init__(self) -> None:
        self.stopped = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._pieces: Generator[bytes, None, None] | None = None
        self._task = asyncio.current_task()
        self._unread_since: float | None = None
        self.given_away = False

    async def pieces(
        self, make: Callable[..., Generator[bytes, None, None]]
    ) -> AsyncGenerator[bytes, None]:
        """What `make` yields; its argument `stopped` says whether to end."""
        loop = asyncio.get_running_loop()
        self._pieces = make(stopped=self.stopped.is_set)
        while piece := await loop.run_in_executor(self._thread, next, self._pieces, b""):
            self._unread_since = loop.time()
            yield piece
            self._unread_since = None

    def unread_for(self, now: float) -> float:
        """Seconds for which the last piece has not been taken."""
        return 0.0 if self._unread_since is None else now - self._unread_since

    def give_away(self) -> None:
        """End it for another: its browser asks anew when it wants more."""
        self.given_away = True
        if self._task is not None:
            self._task.cancel()

    async def end(self) -> None:
        """Stop, and wait until its files are closed."""
        self.stopped.set()
        await asyncio.wait({asyncio.wrap_future(self._thread.submit(self._close))})
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._pieces is not None:
            self._pieces.close()
            self._pieces = None
        release_memory()


class Encoders:
    """The films that are made anew at the moment: `_PLACES` at most, others wait in order.

    When one waits, the one that nobody has read from for longest gives its place away.
    """

    def __init__(self) -> None:
        self._working: list[Encoder] = []
        self._door = asyncio.Lock()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Encoder]:
        """Wait for a place, and hold it for the block."""
        async with self._door:
            while len(self._working) >= _PLACES:
                self._make_room()
                await asyncio.sleep(_LOOK)
            encoder = Encoder()
            self._working.append(encoder)
        try:
            yield encoder
        finally:
            # Not to be cancelled: the place is free when the files are closed.
            ending = asyncio.ensure_future(self._end(encoder))
            _ENDING.add(ending)
            ending.add_done_callback(_ENDING.discard)

    async def _end(self, encoder: Encoder) -> None:
        await encoder.end()
        self._working.remove(encoder)

    def _make_room(self) -> None:
        now = asyncio.get_running_loop().time()
        if any(encoder.given_away or encoder.stopped.is_set() for encoder in self._working):
            return
        idle = max(self._working, key=lambda encoder: encoder.unread_for(now))
        if idle.unread_for(now) > _UNREAD:
            idle.give_away()


_ENDING: set[asyncio.Future[None]] = set()  # the loop alone would not keep them
