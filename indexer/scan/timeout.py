"""Timeout for calls to the file system, which may never return."""

import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def call_with_timeout(seconds: float, work: Callable[[], _T]) -> _T:
    """Call `work` in a thread; return what it returns, or raise what it raises.

    Raises OSError after so many seconds. A call to a disk that hangs cannot be cancelled: its
    thread goes on, and ends no later than the process.
    """
    done: Future[_T] = Future()
    threading.Thread(target=_do, args=(work, done), name="timeout", daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except TimeoutError as error:
        if done.done():  # it is what the work raised
            raise
        raise OSError(
            errno.ETIMEDOUT,
            f"nothing came for {seconds:.0f} s; try it again with a longer"
            " --decode-timeout if its disk is that slow",
        ) from error


def _do(work: Callable[[], _T], done: "Future[_T]") -> None:
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
