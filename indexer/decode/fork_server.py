"""Fork server: a process without threads that has imported what workers need, and forks them.

Forking the run itself would copy the locks of PyTorch and SQLite in whatever state they are;
starting each worker from nothing would load FFmpeg again for each video that crashes.

It receives requests through a socket without a name, one after the other, so nothing is left on
disk, however it ends. It ends with the run, and so do the workers.
"""

import atexit
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import NoReturn

from indexer.decode.worker import serve
from machine.child import end_python, start_python

# A request is what to do and with which process; the answer to it is one number.
_REQUEST = struct.Struct("=cq")
_ANSWER = struct.Struct("=q")
_FORK = b"f"  # a descriptor comes along; answered with the process id, or an error's number below 0
_KILL = b"k"
_LOOK = b"l"  # answered with the exit code
_STILL_RUNS = 1 << 20  # no exit code

_DESCRIPTORS = 1  # the connection of a worker
SECONDS_TO_START = 120.0  # Python, NumPy and FFmpeg from a cold disk
_SECONDS_TO_END = 5.0
_SECONDS_BETWEEN_LOOKS = 0.005

# Signals that the run handles: it decides when its workers end.
_FOR_THE_RUN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ForkServer:
    """Client of the server, which it starts.

    `preload` are modules that workers will need. A request without an answer raises OSError:
    ConnectionError if the server has ended, which its workers can do without; a server that does
    not answer in time is ended.
    """

    def __init__(self, *, preload: Iterable[str]) -> None:
        ours, theirs = socket.socketpair()
        # What is blocked here stays blocked there, until the server ignores it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_RUN)
        try:
            with theirs:
                self._process = start_python(
                    f"{__name__}:run_server",
                    str(theirs.fileno()),
                    *preload,
                    keep_open=[theirs.fileno()],
                )
        except BaseException:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        ours.settimeout(SECONDS_TO_START)
        self._socket = ours
        atexit.register(self.close)

    def fork(self, connection: Connection) -> "ForkedWorker":
        """Start a worker at the other end of `connection`."""
        answer = self.request(_FORK, 0, [connection.fileno()])
        if answer < 0:
            raise OSError(-answer, os.strerror(-answer))
        return ForkedWorker(self, answer)

    def request(self, order: bytes, process: int, descriptors: Iterable[int] = ()) -> int:
        """Send a request, and return the answer to it."""
        if self._socket.fileno() < 0:
            raise BrokenPipeError("it was ended")
        try:
            socket.send_fds(self._socket, [_REQUEST.pack(order, process)], list(descriptors))
            answer = self._socket.recv(_ANSWER.size)
            if not answer:
                raise BrokenPipeError("it ended at once")
        except ConnectionError:
            raise  # its workers can do without it
        except BaseException:
            self.close()  # a late answer would be taken for the answer to the next request
            raise
        return int(_ANSWER.unpack(answer)[0])

    def close(self) -> None:
        """End the server and all workers."""
        atexit.unregister(self.close)
        self._socket.close()
        end_python(self._process, seconds=_SECONDS_TO_END)


class ForkedWorker:
    """Worker process, as the run sees it."""

    def __init__(self, server: ForkServer, process: int) -> None:
        self.pid = process
        self._server = server
        self._exit_code: int | None = None

    def kill(self) -> None:
        """Kill it; it only reads, so nothing is lost."""
        if self._exit_code is None:
            with suppress(OSError):  # without the server it ends by itself
                self._server.request(_KILL, self.pid)

    def wait(self, *, seconds: float) -> int | None:
        """Wait for its exit code, below 0 for a signal; None when it has not ended in time."""
        deadline = time.monotonic() + seconds
        while self._exit_code is None:
            try:
                code = self._server.request(_LOOK, self.pid)
            except OSError:
                return None
            if code != _STILL_RUNS:
                self._exit_code = code
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        return self._exit_code


def run_server() -> None:
    """Run as the server: fork workers until the run closes the socket."""
    for number in _FOR_THE_RUN:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FOR_THE_RUN)
    descriptor, *preload = sys.argv[1:]
    for module in preload:
        with suppress(ImportError):  # the worker that needs it reports it
            import_module(module)
    # A run that ended in the middle of a request is no fault.
    with socket.socket(fileno=int(descriptor)) as run, suppress(ConnectionError):
        while True:
            request, descriptors, _, _ = socket.recv_fds(run, _REQUEST.size, _DESCRIPTORS)
            if not request:
                return
            order, process = _REQUEST.unpack(request)
            run.send(_ANSWER.pack(_answer(order, process, descriptors, run)))


def _answer(order: bytes, process: int, descriptors: list[int], run: socket.socket) -> int:
    if order == _FORK:
        return _forked(descriptors, run)
    if order == _KILL:
        os.kill(process, signal.SIGKILL)  # a zombie at worst: it is waited for below
        return 0
    ended, status = os.waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else _STILL_RUNS


def _forked(descriptors: list[int], run: socket.socket) -> int:
    try:
        process = os.fork()  # noqa: TID251 - the one place
    except OSError as error:
        return -(error.errno or 1)
    if process == 0:
        run.close()
        _read_and_end(*descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    return process


def _read_and_end(connection: int) -> NoReturn:
    """Run a worker in the forked process; the server's own code must not go on in it."""
    code = 1
    try:
        serve(Connection(connection))
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)
