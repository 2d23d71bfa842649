"""Python processes that begin with the large libraries loaded: for others that takes seconds.

They are forked from a process that has loaded these libraries and no module of ours. A test of how
a process starts, of what it loads, or of how it ends, starts one by itself.
"""

import atexit
import io
import os
import runpy
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]


@cache
def _context() -> Any:
    """Starts processes, all from one that starts with the first."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "tests.forked_libraries"])
    with pytest.MonkeyPatch.context() as patch:  # threads would not be there after a fork
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        forkserver.ensure_running()
    return context


class Forked:
    """A process that runs a function; text that it prints is read from `stdout` and `stderr`."""

    def __init__(
        self,
        function: Callable[..., object],
        *arguments: object,
        environment: Mapping[str, str],
        session: bool = False,
    ) -> None:
        out, err = _context().Pipe(duplex=False), _context().Pipe(duplex=False)
        given = (dict(environment), _cores(), session, out[1], err[1])
        self._process = _context().Process(target=_run, args=(*given, function, *arguments))
        self._process.start()
        self._session = session
        out[1].close()
        err[1].close()
        self.pid: int = self._process.pid
        self.stdout, self.stderr = (_opened(one[0]) for one in (out, err))

    def poll(self) -> int | None:
        """The exit code, below 0 for a signal; None while it runs."""
        return self._process.exitcode  # type: ignore[no-any-return]

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; its exit code."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
        return code

    def kill(self) -> None:
        """End it as a power cut does, with its session where it has one."""
        if self._session:
            with suppress(ProcessLookupError):  # it has ended, or has only just begun
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()


def _cores() -> set[int] | None:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


def _opened(connection: Any) -> io.TextIOWrapper:
    return open(os.dup(connection.fileno()), errors="surrogateescape")  # noqa: PTH123


def run_module(name: str, *words: str) -> None:
    """Run a module as `python -m` does."""
    sys.argv = [name, *words]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def forked_module(
    name: str, *words: object, environment: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run a module to its end in a forked process; its exit code, its stdout and its stderr."""
    process = Forked(run_module, name, *map(str, words), environment=environment)
    with ThreadPoolExecutor(1) as reader, process.stdout, process.stderr:
        err = reader.submit(process.stderr.read)
        out = process.stdout.read()
        return process.wait(timeout=300), out, err.result()


def _run(  # noqa: PLR0917
    environment: dict[str, str],
    cores: set[int] | None,
    session: bool,
    out: Any,
    err: Any,
    function: Callable[..., object],
    *arguments: object,
) -> None:
    """Take over what a process has from the one that starts it; then run the function."""
    if session:
        os.setsid()
    os.chdir(REPOSITORY)
    if cores is not None:
        os.sched_setaffinity(0, cores)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, pipe in enumerate((out, err), start=1):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", closefd=False, errors="backslashreplace")  # type: ignore[misc]  # noqa: SIM115
    try:
        function(*arguments)
    finally:
        atexit._run_exitfuncs()
