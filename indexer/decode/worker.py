"""The inside of a process that reads films: it may crash, hang or run out of memory alone.

It talks through one pipe. To it come films and slots that are free again; from it go the messages
of `indexer.decode.messages`, except that the frames of a clip are left in a slot of shared memory.
"""

import math
import os
import pickle
import resource
import threading
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.decode.clip_reader import ClipReader
from indexer.decode.messages import ClipRead, End, VideoOpened
from indexer.decode.shared_bytes import attached_bytes
from indexer.scan.jobs import VideoJob

# Bytes that one film's decoding may take on top of what the process starts with. A film of
# 8192 x 4320 with 16 reference pictures and four decoder threads needs about 1.5 GiB.
MEMORY_LIMIT = 4 << 30


@dataclass(frozen=True, slots=True)
class Instructions:
    """The first that the process is told: `memory` is seen as (slots, T, S, S, 3) in `shape`."""

    reader: ClipReader
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """The process runs."""


@dataclass(frozen=True, slots=True)
class ClipInSlot:
    """The frames of clip number `clip` lie in a slot, which is the reader's until it is freed."""

    clip: int
    slot: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Preparing a frame failed with `error`, which is no film's fault."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class SlotFree:
    """What lay in a slot was taken out of it."""

    slot: int


Told: TypeAlias = Ready | VideoOpened | ClipInSlot | End | Broken


def serve(connection: Connection, memory: int) -> None:
    """Read the films that come through `connection`, until its other end is closed.

    `memory` is the descriptor of the slots, which is closed here.
    """
    _stand_alone()
    try:
        told: Instructions = connection.recv()
        slots = attached_bytes(memory, size=math.prod(told.shape)).reshape(told.shape)
        _Worker(connection, slots).read_films(told.reader)
    except (_ParentGoneError, EOFError, ConnectionError):
        return


class _ParentGoneError(Exception):
    """Nobody listens any more."""


class _Worker:
    def __init__(self, connection: Connection, slots: NDArray[np.uint8]) -> None:
        self._connection = connection
        self._slots = slots
        self._free = deque(range(len(slots)))
        self._films: deque[VideoJob] = deque()

    def read_films(self, reader: ClipReader) -> None:
        self._tell(Ready())
        while True:
            while not self._films:
                self._receive()
            try:
                for message in reader.read(self._films.popleft()):
                    self._tell(self._in_slot(message) if isinstance(message, ClipRead) else message)
            except _ParentGoneError:
                raise
            except Exception as error:
                self._tell(Broken(_picklable(error)))

    def _in_slot(self, clip: ClipRead) -> ClipInSlot:
        while not self._free:
            self._receive()
        slot = self._free.popleft()
        self._slots[slot] = clip.frames
        return ClipInSlot(clip.clip, slot)

    def _tell(self, message: Told) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            raise _ParentGoneError from error

    def _receive(self) -> None:
        try:
            message = self._connection.recv()
        except (EOFError, OSError) as error:
            raise _ParentGoneError from error
        if isinstance(message, SlotFree):
            self._free.append(message.slot)
        else:
            self._films.append(message)


def _stand_alone() -> None:
    """Tie this process to its parent's life, and to nothing else that happens to it."""
    _limit_memory()
    _die_first()
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the parent, also when it was killed, and even in the middle of a picture."""
    os.read(0, 1)  # stdin, see `machine.child.start_python`
    os._exit(1)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not fill the disk
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + MEMORY_LIMIT
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _data_bytes() -> int:
    """How much private memory this process has set aside; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0  # not Linux
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmData")), 0)


def _die_first() -> None:
    """When memory runs out, the system ends a reader before the run that it belongs to."""
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
