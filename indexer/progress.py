"""From the events of a run to numbers a person can follow: files, × realtime, time left."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from indexer.events import ClipsEmbedded, Event, FileDone, FilmStarted, LibraryWalked, Outcome


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    `files_done` of `files` have had their turn, `failed` of them badly. `video_seconds` of film
    are embedded; `video_seconds_left` is an estimate: exact for films that have been opened, by
    size for the others. `speed` is seconds of film per second. `seconds_left` follows from both.
    What cannot be told yet is None.
    """

    files_done: int
    files: int
    failed: int
    video_seconds: float
    video_seconds_left: float | None
    speed: float | None
    seconds_left: float | None


@dataclass(slots=True)
class ProgressMeter:
    """Counts events; `clock` gives seconds and only ever moves forward."""

    clock: Callable[[], float] = time.monotonic
    _started: float | None = None
    _files: int = 0
    _files_done: int = 0
    _failed: int = 0
    _unopened_bytes: int = 0
    _opened_bytes: int = 0
    _opened_seconds: float = 0.0
    _finished_seconds: float = 0.0
    _lost_seconds: float = 0.0
    _resumed_seconds: float = 0.0  # of earlier runs: done, but not at this run's speed
    _open: dict[Path, FilmStarted] = field(default_factory=dict)
    _reached: dict[Path, float] = field(default_factory=dict)

    def observe(self, event: Event) -> Progress:
        """Take one event into account and say where the run stands now."""
        match event:
            case LibraryWalked():
                self._started = self.clock()
                self._files = event.waiting
                self._unopened_bytes = event.waiting_bytes
            case FilmStarted():
                self._open[event.path] = event
                self._unopened_bytes -= event.size
                self._opened_bytes += event.size
                self._opened_seconds += event.duration
                self._resumed_seconds += event.resumed
                self._reached[event.path] = event.resumed
            case ClipsEmbedded():
                self._reached[event.path] = event.video_seconds
            case FileDone():
                self._finish(event)
        return self.progress()

    def progress(self) -> Progress:
        """Where the run stands now."""
        done = self._finished_seconds + sum(self._reached.values())
        speed = self._speed(done)
        left = self._seconds_of_film_left(done)
        return Progress(
            files_done=self._files_done,
            files=self._files,
            failed=self._failed,
            video_seconds=done,
            video_seconds_left=left,
            speed=speed,
            seconds_left=left / speed if speed and left is not None else None,
        )

    def _finish(self, event: FileDone) -> None:
        self._files_done += 1
        self._failed += event.outcome is Outcome.FAILED
        self._reached.pop(event.path, None)
        film = self._open.pop(event.path, None)
        if film is None:
            self._unopened_bytes -= event.size
        elif event.outcome is Outcome.INDEXED:
            self._finished_seconds += film.duration
        else:
            self._lost_seconds += film.duration

    def _speed(self, done: float) -> float | None:
        done_now = done - self._resumed_seconds
        if self._started is None or done_now <= 0:
            return None
        return done_now / max(self.clock() - self._started, 1e-9)

    def _seconds_of_film_left(self, done: float) -> float | None:
        if self._unopened_bytes <= 0:
            unopened = 0.0
        elif self._opened_bytes == 0:
            return None
        else:
            unopened = self._unopened_bytes * self._opened_seconds / self._opened_bytes
        return max(self._opened_seconds - self._lost_seconds - done, 0.0) + unopened
