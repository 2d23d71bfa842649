"""Making of pictures: few at a time, first asked first, none that nobody waits for any more."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from machine import release_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.films.kept import KeptFiles

    Make = Callable[[Callable[[], bool]], bytes]

_AT_ONCE = 2


@dataclass(slots=True)
class _Job:
    """A picture that is being made, or will be, and how many wait for it."""

    future: Future[bytes]
    stopped: Event
    waiting: int = field(default=0)


class Workshop:
    """Makes each picture once, however many ask for it meanwhile, and keeps it among `kept`."""

    def __init__(self, kept: KeptFiles) -> None:
        self._kept = kept
        self._makers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="picture")
        self._jobs: dict[str, _Job] = {}

    async def get(self, key: str, make: Make) -> bytes:
        """The picture of this key, else what `make` returns; it is told whether to stop.

        Raises what `make` raises.
        """
        kept = await asyncio.to_thread(self._kept.read, key)
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

    def _begun(self, key: str, make: Make) -> _Job:
        stopped = Event()

        def made() -> bytes:
            try:
                picture = make(stopped.is_set)
            finally:
                release_memory()
            self._kept.keep(key, picture)
            return picture

        job = self._jobs[key] = _Job(self._makers.submit(made), stopped)
        return job
