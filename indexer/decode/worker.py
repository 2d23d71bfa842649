"""Worker process of the decode pool: it may crash, hang or run out of memory alone.

One connection carries jobs to it and messages back. It sends a clip at once: while nobody receives
it, the worker waits, and so reads at most one clip ahead.
"""

import os
import pickle
import resource
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeAlias

import numpy as np

from indexer.decode.clip_reader import ClipReader
from indexer.decode.details_reader import DetailsReader
from indexer.decode.messages import ClipRead, Message
from indexer.scan.jobs import Job

# Bytes that one video's decoding may take on top of what the process starts with. A video of
# 8192 x 4320 with 16 reference frames and four decoder threads needs about 1.5 GiB.
MEMORY_LIMIT = 4 << 30


@dataclass(frozen=True, slots=True)
class Ready:
    """First message: the worker runs."""


@dataclass(frozen=True, slots=True)
class WorkerError:
    """Exception that the frame processor raised, which is no fault of the video."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class _ClipHead:
    """Number of a clip, and the shape (T, S, S, 3) of its frames."""

    clip: int
    shape: tuple[int, ...]


WorkerMessage: TypeAlias = Message | Ready | WorkerError


def serve(connection: Connection) -> None:
    """Run as a worker: receive a reader, then its jobs, until the other end is closed."""
    _stand_alone()
    with suppress(EOFError, OSError):  # the run is gone
        reader: ClipReader | DetailsReader = connection.recv()
        connection.send(Ready())
        while True:
            job: Job = connection.recv()
            for message in _messages(reader, job):
                send(connection, message)


def send(connection: Connection, message: WorkerMessage) -> None:
    """Send a message; the frames of a clip follow as bytes, as pickling would copy them twice."""
    if isinstance(message, ClipRead):
        connection.send(_ClipHead(message.clip, message.frames.shape))
        connection.send_bytes(message.frames.data.cast("B"))
    else:
        connection.send(message)


def receive(connection: Connection) -> WorkerMessage:
    """Receive a message, all of it; raises EOFError or OSError when the worker has ended."""
    message: WorkerMessage | _ClipHead = connection.recv()
    if isinstance(message, _ClipHead):
        frames = np.frombuffer(connection.recv_bytes(), dtype=np.uint8)
        return ClipRead(message.clip, frames.reshape(message.shape))
    return message


def _messages(reader: ClipReader | DetailsReader, job: Job) -> Iterator[WorkerMessage]:
    try:
        yield from reader.read(job)
    except Exception as error:
        yield WorkerError(_picklable(error))


def _stand_alone() -> None:
    """Tie this process to its parent's life, and to nothing else that happens to it."""
    _limit_memory()
    _die_first()
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the parent, also when it was killed, and even in the middle of a frame."""
    os.read(0, 1)  # stdin, see `machine.child.start_python`
    os._exit(1)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not fill the disk
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + MEMORY_LIMIT
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _data_bytes() -> int:
    """Bytes of private memory of this process; 0 where that is unknown."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0  # not Linux
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmData")), 0)


def _die_first() -> None:
    """Ask the system to end a worker before the run that it belongs to, when memory runs out."""
    try:
        Path("/proc/self/oom_score_adj").write_text("500", encoding="utf-8")
    except OSError:
        return  # not Linux, or not allowed


def _picklable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
