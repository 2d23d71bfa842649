"""Patience with the file system: what may never come back is waited for beside the run."""

import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """What `work` returns, or raises.

    Raises OSError when that takes longer. A disk that hangs cannot be called off: the thread that
    asked it is left to itself, and ends no later than the process.
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
