"""Processes that read films side by side: a film that crashes its decoder costs one of them.

Every process has a few slots of shared memory. It leaves a clip's frames in one and says so through
its pipe; they are taken out here and the slot goes back. A process without a free slot waits.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait

from indexer.decode.clip_reader import ClipReader
from indexer.decode.fork_server import ForkedWorker, ForkServer
from indexer.decode.messages import (
    ClipRead,
    End,
    Message,
    VideoChanged,
    VideoMeasured,
    VideoOpened,
    VideoRead,
    VideoUnreadable,
)
from indexer.decode.worker import Ready, WorkerError, WorkerMessage
from indexer.errors import WorkerStartError
from indexer.scan.jobs import VideoJob

# What reading may take on top of the timeout that was asked for: beyond that a decoder hangs.
_BYTES_PER_SECOND = 4e6  # to read every packet of a file, over a slow network
_SECONDS_PER_SECOND = 10.0  # to decode a second of film: 8K on one slow core
_SECONDS_TO_START = 120.0  # Python, NumPy and FFmpeg from a cold disk
_SECONDS_TO_END = 5.0
_DESCRIPTORS_TO_START = 16  # with the server itself


@dataclass(slots=True, eq=False)
class _Reader:
    """A process, and what is known of it. `heard` is when it last had no reason to be silent."""

    process: ForkedWorker
    connection: Connection
    allowance: float = _SECONDS_TO_START
    heard: float = field(default_factory=time.monotonic)
    job: VideoJob | None = None
    film: VideoOpened | None = None
    ready: bool = False

    def begin(self, job: VideoJob, *, allowance: float) -> None:
        self.job = job
        self.connection.send(job)
        if self.ready:
            self.expect(allowance)

    def expect(self, allowance: float) -> None:
        self.allowance = allowance
        self.heard = time.monotonic()

    @property
    def is_late(self) -> bool:
        waited_for = self.job is not None or not self.ready
        return waited_for and time.monotonic() - self.heard > self.allowance

    def end(self) -> None:
        """It only reads, so nothing is lost when it is killed."""
        self.connection.close()
        self.process.kill()


class DecodePool:
    """A context manager: up to `workers` processes read submitted films until it is left.

    `timeout` are the seconds that any step of reading may take on top of what the
    size and the length of a film justify. Processes are started when there is work for them.
    """

    def __init__(
        self,
        reader: ClipReader,
        *,
        workers: int,
        timeout: float,
    ) -> None:
        self._reader = reader
        self._workers = workers
        self._timeout = timeout
        self._preload = ("media", type(reader.processor).__module__)
        self._readers: list[_Reader] = []
        self._ended: list[ForkedWorker] = []
        self._waiting: deque[VideoJob] = deque()
        self._received: deque[tuple[VideoJob, Message]] = deque()
        self._unfinished = 0

    def close(self) -> None:
        """End all workers; nothing is lost, as they only read."""
        for reader in list(self._readers):
            self._end(reader)
        deadline = time.monotonic() + _SECONDS_TO_END
        for process in self._ended:  # one that waits for a dead disk cannot even be killed
            process.wait(seconds=max(deadline - time.monotonic(), 0.0))

    @property
    def unfinished(self) -> int:
        """How many submitted films have not told their end yet."""
        return self._unfinished

    def submit(self, job: VideoJob) -> None:
        """Have a film read as soon as a process is free."""
        self._unfinished += 1
        self._waiting.append(job)
        idle = any(reader.job is None for reader in self._readers)
        if not idle and len(self._readers) < self._workers:
            self._start()
        self._assign()

    def receive(
        self, *, timeout: float, wakeup: Connection | None = None
    ) -> tuple[VideoJob, Message] | None:
        """Wait for the next message of any film; None when none came for `timeout` seconds.

        None as well when there is something to be read from `wakeup`. A film whose process dies, or
        is silent for too long, is told as VideoUnreadable.

        Raises:
            WorkerStartError: no process can be started. What preparing a frame fails with is raised
                as it is.
        """
        deadline = time.monotonic() + timeout
        while not self._received:
            left = deadline - time.monotonic()
            if left < 0 or self._hear(timeout=left, wakeup=wakeup):
                return None
        job, message = self._received.popleft()
        if isinstance(message, End):
            self._unfinished -= 1
        return job, message

    def _hear(self, *, timeout: float, wakeup: Connection | None) -> bool:
        """Listen to whoever speaks within `timeout` seconds; whether `wakeup` is readable."""
        extra = [wakeup] if wakeup else []
        speakers = wait([*(reader.connection for reader in self._readers), *extra], timeout)
        for reader in list(self._readers):
            if reader.connection in speakers:
                self._listen(reader)
            elif reader.is_late:  # it had the chance to speak, however busy we were
                self._give_up(reader)
        self._assign()
        return wakeup in speakers

    def _listen(self, reader: _Reader) -> None:
        try:
            told: WorkerMessage = reader.connection.recv()
        except (EOFError, OSError):
            self._lose(reader, error=_end_of(reader))
            return
        if isinstance(told, Ready):
            reader.ready = True
            if reader.job is not None:
                reader.expect(self._time_to_open(reader.job))
        elif isinstance(told, WorkerError):
            raise told.error
        elif reader.job is not None:
            self._pass_on(reader, job=reader.job, told=told)

    def _pass_on(self, reader: _Reader, *, job: VideoJob, told: WorkerMessage) -> None:
        match told:
            case VideoOpened():
                reader.film = told
                reader.expect(self._time_to_first_clip(told))
                self._received.append((job, told))
            case ClipRead():
                if reader.film is not None:
                    reader.expect(self._time_between_clips(reader.film))
                self._received.append((job, told))
            case VideoRead() | VideoUnreadable() | VideoChanged() | VideoMeasured():
                reader.job = None
                self._received.append((job, told))

    def _give_up(self, reader: _Reader) -> None:
        self._lose(
            reader,
            error=f"reading it hangs: nothing came for {reader.allowance:.0f} s; "
            "try it again with a longer --decode-timeout if its disk is that slow",
        )

    def _lose(self, reader: _Reader, *, error: str) -> None:
        self._end(reader)
        if not reader.ready:
            raise WorkerStartError(f"a process that decodes films does not start: {error}")
        if reader.job is not None:
            self._received.append((reader.job, VideoUnreadable(error)))
        if self._waiting:
            self._start()

    def _end(self, reader: _Reader) -> None:
        self._readers.remove(reader)
        reader.end()
        self._ended.append(reader.process)  # and nothing else of it: its memory goes

    def _assign(self) -> None:
        for reader in list(self._readers):
            if not self._waiting:
                return
            if reader.job is None:
                job = self._waiting.popleft()
                try:
                    reader.begin(job, allowance=self._time_to_open(job))
                except OSError:  # it died without a film; another one takes its place
                    reader.job = None
                    self._waiting.appendleft(job)
                    self._lose(reader, error=_end_of(reader))

    def _time_to_open(self, job: VideoJob) -> float:
        return self._timeout + job.sample.size / _BYTES_PER_SECOND

    def _time_to_first_clip(self, opened: VideoOpened) -> float:
        """Where a film cannot be sought in, all that is ready has to be decoded once more."""
        resumed = opened.spans[opened.wanted[0]].start if opened.wanted else 0.0
        return self._time_between_clips(opened) + _SECONDS_PER_SECOND * resumed

    def _time_between_clips(self, film: VideoOpened) -> float:
        seconds = min(self._reader.window + self._reader.stride, film.video.duration)
        return self._timeout + _SECONDS_PER_SECOND * seconds

    def _start(self) -> None:
        """Start one more reader; what the system refuses is done without, if there is another."""
        try:
            self._readers.append(self._started())
        except OSError as error:
            if not self._readers:
                raise WorkerStartError(
                    f"a process that decodes films cannot be had ({error.strerror or error}); see "
                    "which limits are set for you (`ulimit -a`), and that there is memory to be had"
                ) from error

    def _started(self) -> _Reader:
        _require_spare_descriptors()
        ours, theirs = Pipe()
        try:
            with theirs:
                process = _forked(theirs, preload=self._preload)
            ours.send(self._reader)
        except BaseException:
            ours.close()
            raise
        return _Reader(process, ours)


_servers: list[ForkServer] = []


def _forked(connection: Connection, *, preload: Iterable[str]) -> ForkedWorker:
    """A reader from the server of this process, or from a new one where something ended that."""
    if _servers:
        with suppress(ConnectionError):
            return _servers[0].fork(connection)
    _servers[:] = [ForkServer(preload=preload)]
    return _servers[0].fork(connection)


def _require_spare_descriptors() -> None:
    """See that as many files may still be open as it takes to start a process.

    A server that starts half-way would only end again. Raises OSError.
    """
    with ExitStack() as spare:
        for _ in range(_DESCRIPTORS_TO_START):
            spare.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def _end_of(reader: _Reader) -> str:
    """What became of a process that said nothing more."""
    code = reader.process.wait(seconds=_SECONDS_TO_END)
    if code is None or code >= 0:
        return f"its decoder ended unexpectedly (exit code {code})"
    if -code == signal.SIGKILL:
        return "its decoder was killed, perhaps for lack of memory"
    return f"its decoder crashed ({signal.Signals(-code).name})"
