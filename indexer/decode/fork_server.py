"""The process that readers are forked from: it has all that they import, and no threads.

To fork the run itself would copy the threads' locks of PyTorch and SQLite as they happen to stand;
to start each reader from nothing would load FFmpeg once more for each video that crashes.

It is asked through a socket without a name, one question after the other, so it leaves nothing on
disk, whatever becomes of it. It ends with the run, and so do the readers.
"""

import atexit
import gc
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

# A question is what to do and with which process; the answer to it is one number.
_QUESTION = struct.Struct("=cq")
_ANSWER = struct.Struct("=q")
_FORK = b"f"  # a descriptor comes along; answered with the process id, or an error's number below 0
_KILL = b"k"
_LOOK = b"l"  # answered with the exit code
_STILL_RUNS = 1 << 20  # no exit code

_DESCRIPTORS = 1  # the connection of a worker
SECONDS_TO_START = 120.0  # Python, NumPy and FFmpeg from a cold disk
_SECONDS_TO_END = 5.0
_SECONDS_BETWEEN_LOOKS = 0.005

# Signals that are for the run to hear, which decides what becomes of its readers.
_FOR_THE_RUN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ForkServer:
    """The run's end: starts the server, and asks it.

    `preload` are modules that readers will need. A question that gets no answer raises OSError:
    ConnectionError if the server has ended, which its readers can do without; one that is silent
    for too long is ended.
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
        answer = self.ask(_FORK, 0, [connection.fileno()])
        if answer < 0:
            raise OSError(-answer, os.strerror(-answer))
        return ForkedWorker(self, answer)

    def ask(self, order: bytes, process: int, descriptors: Iterable[int] = ()) -> int:
        """The answer to one question."""
        if self._socket.fileno() < 0:
            raise BrokenPipeError("it was ended")
        try:
            socket.send_fds(self._socket, [_QUESTION.pack(order, process)], list(descriptors))
            answer = self._socket.recv(_ANSWER.size)
            if not answer:
                raise BrokenPipeError("it ended at once")
        except ConnectionError:
            raise  # its readers can do without it
        except BaseException:
            self.close()  # an answer that nobody took would be taken for that to the next question
            raise
        return int(_ANSWER.unpack(answer)[0])

    def close(self) -> None:
        """Have it end, and all readers."""
        atexit.unregister(self.close)
        self._socket.close()
        end_python(self._process, seconds=_SECONDS_TO_END)


class ForkedWorker:
    """A reader's process, as the run knows it."""

    def __init__(self, server: ForkServer, process: int) -> None:
        self.pid = process
        self._server = server
        self._exit_code: int | None = None

    def kill(self) -> None:
        """End it at once; it only reads, so nothing is lost."""
        if self._exit_code is None:
            with suppress(OSError):  # without the server it ends by itself
                self._server.ask(_KILL, self.pid)

    def wait(self, *, seconds: float) -> int | None:
        """Its exit code, below 0 for a signal; None when it has not ended in time."""
        deadline = time.monotonic() + seconds
        while self._exit_code is None:
            try:
                code = self._server.ask(_LOOK, self.pid)
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
    """The server's end: fork readers until the run closes the socket."""
    for number in _FOR_THE_RUN:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FOR_THE_RUN)
    descriptor, *preload = sys.argv[1:]
    for module in preload:
        with suppress(ImportError):  # whoever needs it will say so
            import_module(module)
    gc.freeze()  # what is there already is shared with the readers, as long as nobody writes to it
    # A run that ended in the middle of a question is no fault.
    with socket.socket(fileno=int(descriptor)) as run, suppress(ConnectionError):
        while True:
            question, descriptors, _, _ = socket.recv_fds(run, _QUESTION.size, _DESCRIPTORS)
            if not question:
                return
            order, process = _QUESTION.unpack(question)
            run.send(_ANSWER.pack(_answer(order, process, descriptors, run)))


def _answer(order: bytes, process: int, descriptors: list[int], run: socket.socket) -> int:
    if order == _FORK:
        return _forked(descriptors, run)
    if order == _KILL:
        os.kill(process, signal.SIGKILL)  # a zombie at worst: it is waited for only below
        return 0
    ended, status = os.waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else _STILL_RUNS


def _forked(descriptors: list[int], run: socket.socket) -> int:
    try:
        process = os.fork()  # noqa: TID251 - here it is
    except OSError as error:
        return -(error.errno or 1)
    if process == 0:
        run.close()
        _read_and_end(*descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    return process


def _read_and_end(connection: int) -> NoReturn:
    """The forked process's whole life; the server's own code must not go on in it."""
    code = 1
    try:
        serve(Connection(connection))
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)
