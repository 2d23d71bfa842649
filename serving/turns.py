"""Turns: questions of many askers, some at a time, the others in the order in which they came."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from machine import usable_cores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Result = TypeVar("Result")

_AT_A_TIME = 8  # at least: those that wait for each other's vectors have them made together
_SIGN_EACH = 1.0  # second


class Turns:
    """Threads that answer. Each connection has one question at a time, so that they take turns."""

    def __init__(self) -> None:
        threads = max(_AT_A_TIME, 2 * usable_cores())
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="answer")

    async def take(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, in its turn. A cancelled one that has not begun never begins."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def signs(self, work: Callable[[], bytes]) -> AsyncIterator[bytes]:
        """What `work` returns; before that a blank at once and each second, as a sign of life."""
        future = asyncio.ensure_future(self.take(work))
        try:
            yield b" "
            while not (await asyncio.wait((future,), timeout=_SIGN_EACH))[0]:
                yield b" "
            yield future.result()
        finally:
            future.cancel()

    def end(self) -> None:
        """Begin no further question."""
        self._threads.shutdown(wait=False, cancel_futures=True)
