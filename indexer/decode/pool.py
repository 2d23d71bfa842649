"""Decode pool: worker processes that read videos side by side; a crash costs one worker.

A worker sends each clip through its pipe. While nobody receives it the pipe is full, and the worker
waits.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait

from catalog import SubtitleFile, VideoDetails
from indexer.decode.clip_reader import ClipReader
from indexer.decode.details_reader import DetailsReader
from indexer.decode.fork_server import SECONDS_TO_START, ForkedWorker, ForkServer
from indexer.decode.messages import (
    ClipRead,
    End,
    Message,
    VideoChanged,
    VideoOpened,
    VideoRead,
    VideoUnreadable,
)
from indexer.decode.worker import Ready, WorkerError, WorkerMessage, receive
from indexer.errors import WorkerStartError
from indexer.scan.fingerprint import Content
from indexer.scan.jobs import Job

# Time that decoding may take on top of the timeout of the settings: beyond that it hangs.
_BYTES_PER_SECOND = 4e6  # to read every packet of a file, over a slow network
_SECONDS_PER_SECOND = 10.0  # to decode a second of video: 8K on one slow core
_SECONDS_TO_END = 5.0
_DESCRIPTORS_TO_START = 16  # with the server itself


@dataclass(slots=True, eq=False)
class _Worker:
    """Worker process; its next message is due `allowance` seconds after `last_message`."""

    process: ForkedWorker
    connection: Connection
    allowance: float = SECONDS_TO_START
    last_message: float = field(default_factory=time.monotonic)
    job: Job | None = None
    opened: VideoOpened | None = None
    ready: bool = False

    def begin(self, job: Job, *, allowance: float) -> None:
        self.job = job
        self.connection.send(job)
        if self.ready:
            self.expect(allowance)

    def expect(self, allowance: float) -> None:
        self.allowance = allowance
        self.last_message = time.monotonic()

    @property
    def is_late(self) -> bool:
        waited_for = self.job is not None or not self.ready
        return waited_for and time.monotonic() - self.last_message > self.allowance

    def end(self) -> None:
        """Kill it; it only reads, so nothing is lost."""
        self.connection.close()
        self.process.kill()


class DecodePool:
    """Pool of up to `workers` processes that read the submitted videos, until it is closed.

    `timeout` are the seconds that any step of reading may take on top of what the size and the
    length of a video justify. Processes are started when there is work for them.
    """

    def __init__(
        self,
        reader: ClipReader | DetailsReader,
        *,
        workers: int,
        timeout: float,
    ) -> None:
        self._reader = reader
        self._workers = workers
        self._timeout = timeout
        self._pool: list[_Worker] = []
        self._ended: list[ForkedWorker] = []
        self._waiting: deque[Job] = deque()
        self._received: deque[tuple[Job, Message]] = deque()
        self._unfinished = 0

    def close(self) -> None:
        """End all workers; nothing is lost, as they only read."""
        for worker in list(self._pool):
            self._end(worker)
        deadline = time.monotonic() + _SECONDS_TO_END
        for process in self._ended:  # one that waits for a dead disk cannot even be killed
            process.wait(seconds=max(deadline - time.monotonic(), 0.0))

    @property
    def unfinished(self) -> int:
        """Number of submitted videos whose last message was not received."""
        return self._unfinished

    def submit(self, job: Job) -> None:
        """Read a video as soon as a worker is free."""
        self._unfinished += 1
        self._waiting.append(job)
        idle = any(worker.job is None for worker in self._pool)
        if not idle and len(self._pool) < self._workers:
            self._start()
        self._assign()

    def receive(
        self, *, timeout: float, wakeup: Connection | None = None
    ) -> tuple[Job, Message] | None:
        """Wait for the next message of any video; None when none came for `timeout` seconds.

        None as well when `wakeup` is readable. A video whose worker dies, or is silent for too
        long, ends with VideoUnreadable.

        Raises:
            WorkerStartError: no worker can be started. What the frame processor raises in a worker
                is raised as it is.
        """
        deadline = time.monotonic() + timeout
        while not self._received:
            left = deadline - time.monotonic()
            if left < 0 or self._receive_all(timeout=left, wakeup=wakeup):
                return None
        job, message = self._received.popleft()
        if isinstance(message, End):
            self._unfinished -= 1
        return job, message

    def _receive_all(self, *, timeout: float, wakeup: Connection | None) -> bool:
        """Receive from workers within `timeout` seconds; returns whether `wakeup` is readable."""
        extra = [wakeup] if wakeup else []
        senders = wait([*(worker.connection for worker in self._pool), *extra], timeout)
        for worker in list(self._pool):
            if worker.connection in senders:
                self._receive_from(worker)
            elif worker.is_late:  # its pipe is empty, however busy this process was
                self._give_up(worker)
        self._assign()
        return wakeup in senders

    def _receive_from(self, worker: _Worker) -> None:
        try:
            message = receive(worker.connection)
        except (EOFError, OSError):
            self._lose(worker, error=_end_of(worker))
            return
        if isinstance(message, Ready):
            worker.ready = True
            if worker.job is not None:
                worker.expect(self._time_to_open(worker.job))
        elif isinstance(message, WorkerError):
            raise message.error
        elif worker.job is not None:
            self._pass_on(worker, job=worker.job, message=message)

    def _pass_on(self, worker: _Worker, *, job: Job, message: WorkerMessage) -> None:
        match message:
            case VideoOpened():
                worker.opened = message
                worker.expect(self._time_to_first_clip(message))
                self._received.append((job, message))
            case ClipRead():
                if worker.opened is not None:
                    worker.expect(self._time_between_clips(worker.opened))
                self._received.append((job, message))
            case (
                VideoRead()
                | VideoUnreadable()
                | VideoChanged()
                | Content()
                | VideoDetails()
                | SubtitleFile()
            ):
                worker.job = None
                self._received.append((job, message))

    def _give_up(self, worker: _Worker) -> None:
        self._lose(
            worker,
            error=f"reading it hangs: nothing came for {worker.allowance:.0f} s; "
            "try it again with a longer --decode-timeout if its disk is that slow",
            hung=True,
        )

    def _lose(self, worker: _Worker, *, error: str, hung: bool = False) -> None:
        self._end(worker)
        if not worker.ready:
            raise WorkerStartError(f"a process that decodes videos does not start: {error}")
        if worker.job is not None:
            self._received.append((worker.job, VideoUnreadable(error, hung=hung)))
        if self._waiting:
            self._start()

    def _end(self, worker: _Worker) -> None:
        self._pool.remove(worker)
        worker.end()
        self._ended.append(worker.process)  # and nothing else of it: its memory goes

    def _assign(self) -> None:
        for worker in list(self._pool):
            if not self._waiting:
                return
            if worker.job is None:
                job = self._waiting.popleft()
                try:
                    worker.begin(job, allowance=self._time_to_open(job))
                except OSError:  # it died without a video; another one takes its place
                    worker.job = None
                    self._waiting.appendleft(job)
                    self._lose(worker, error=_end_of(worker))

    def _time_to_open(self, job: Job) -> float:
        return self._timeout + job.file.size / _BYTES_PER_SECOND

    def _time_to_first_clip(self, opened: VideoOpened) -> float:
        """Seconds; in a video without seeking, all that is ready has to be decoded once more."""
        resumed = opened.spans[opened.wanted[0]].start if opened.wanted else 0.0
        return self._time_between_clips(opened) + _SECONDS_PER_SECOND * resumed

    def _time_between_clips(self, opened: VideoOpened) -> float:
        seconds = min(self._reader.seconds_of_clip, opened.record.duration)
        return self._timeout + _SECONDS_PER_SECOND * seconds

    def _start(self) -> None:
        """Start one more worker; if the system refuses, the others go on without it."""
        try:
            self._pool.append(self._started())
        except OSError as error:
            if not self._pool:
                raise WorkerStartError(
                    "a process that decodes videos cannot be started "
                    f"({error.strerror or error}); see which limits are set for you (`ulimit -a`), "
                    "and that there is enough memory"
                ) from error

    def _started(self) -> _Worker:
        _require_spare_descriptors()
        ours, theirs = Pipe()
        try:
            with theirs:
                process = _forked(theirs, preload=self._reader.preload)
            ours.send(self._reader)
        except BaseException:
            ours.close()
            raise
        return _Worker(process, ours)


_servers: list[ForkServer] = []


def _forked(connection: Connection, *, preload: Iterable[str]) -> ForkedWorker:
    """A worker from the server of this process, or from a new one where something ended that."""
    if _servers:
        with suppress(ConnectionError):
            return _servers[0].fork(connection)
    _servers[:] = [ForkServer(preload=preload)]
    return _servers[0].fork(connection)


def _require_spare_descriptors() -> None:
    """Raise OSError unless as many files can still be opened as it takes to start a process.

    A server without them would start, and end again.
    """
    with ExitStack() as spare:
        for _ in range(_DESCRIPTORS_TO_START):
            spare.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def _end_of(worker: _Worker) -> str:
    """Reason for the end of a process that sent nothing more."""
    code = worker.process.wait(seconds=_SECONDS_TO_END)
    if code is None or code >= 0:
        return f"its decoder ended unexpectedly (exit code {code})"
    if -code == signal.SIGKILL:
        return "its decoder was killed, perhaps for lack of memory"
    return f"its decoder crashed ({signal.Signals(-code).name})"
