"""Making of pictures: few at a time, first asked first, none that nobody waits for any more."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from machine import release_memory
from ui.byte_cache import ByteCache

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    Make = Callable[[Callable[[], bool]], bytes]

_AT_ONCE = 2
_BYTES_KEPT = 32 << 20


@dataclass(slots=True)
class _Job:
    """A picture that is being made, or will be, and how many wait for it."""

    future: Future[bytes]
    stopped: Event
    waiting: int = field(default=0)


class Workshop:
    """Makes each picture once, however many ask for it meanwhile, and keeps the latest ones."""

    def __init__(self, *, max_bytes: int = _BYTES_KEPT) -> None:
        self._cache = ByteCache(max_bytes=max_bytes)
        self._makers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="picture")
        self._jobs: dict[Hashable, _Job] = {}

    async def get(self, key: Hashable, make: Make) -> bytes:
        """The picture of this key, else what `make` returns; it is told whether to stop.

        Raises what `make` raises.
        """
        kept = self._cache.peek(key)
        if kept is not None:
            return kept
        job = self._jobs.get(key) or self._begun(key, make)
        job.waiting += 1
        try:
            return await asyncio.shield(asyncio.wrap_future(job.future))
        finally:
            job.waiting -= 1
            if not job.waiting:
                job.stopped.set()
                job.future.cancel()
                if self._jobs.get(key) is job:
                    del self._jobs[key]

    def _begun(self, key: Hashable, make: Make) -> _Job:
        stopped = Event()

        def made() -> bytes:
            try:
                return self._cache.get(key, lambda: make(stopped.is_set))
            finally:
                release_memory()

        job = self._jobs[key] = _Job(self._makers.submit(made), stopped)
        return job
