"""Progress of a run in numbers a person can follow: files, seconds of video, speed, time left."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from indexer.events import (
    ClipsEmbedded,
    Event,
    FileDone,
    LibraryWalked,
    Outcome,
    ReadingDetails,
    VideoStarted,
    WaitingForOthers,
    Walking,
)


@dataclass(frozen=True, slots=True)
class CurrentVideo:
    """The video that was embedded last: `reached` of its `duration`, in seconds, have vectors."""

    path: Path
    duration: float
    reached: float


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a run at one time.

    `walking` is the number of files found so far, None unless the walk goes on; `reading` how many
    files of how many were read for details or subtitles, None at other times. `files_done` of
    `files` are finished, `failed` of them without success, `indexed` of them committed.
    `video_seconds` of video are embedded; `video_seconds_left` is an estimate: exact for videos
    that have been opened, by size for the others. `speed` is seconds of video per second;
    `seconds_left` follows from both. `awaited` is the number of files that other runs are at, while
    there is nothing else left. What is not known yet is None.
    """

    files_done: int
    files: int
    failed: int
    indexed: int
    video_seconds: float
    video_seconds_left: float | None
    speed: float | None
    seconds_left: float | None
    walking: int | None = None
    current: CurrentVideo | None = None
    reading: tuple[int, int] | None = None
    awaited: int = 0

    @property
    def begun(self) -> bool:
        """Whether there is something to show."""
        return self.walking is not None or self.reading is not None or self.files > 0


@dataclass(slots=True)
class ProgressMeter:
    """Fold of a run's events into its progress; `clock` returns seconds and never moves back."""

    clock: Callable[[], float] = time.monotonic
    _started: float | None = None
    _walking: int | None = None
    _reading: tuple[int, int] | None = None
    _awaited: int = 0
    _files: int = 0
    _files_done: int = 0
    _failed: int = 0
    _indexed: int = 0
    _unopened_bytes: int = 0
    _opened_bytes: int = 0
    _opened_seconds: float = 0.0
    _finished_seconds: float = 0.0
    _lost_seconds: float = 0.0
    _resumed_seconds: float = 0.0  # of earlier runs: done, but not at this run's speed
    _open: dict[Path, CurrentVideo] = field(default_factory=dict)  # the last one is current

    def observe(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Walking():
                self._walking = event.files
            case LibraryWalked():
                self._walking = None
                self._started = self.clock()
                self._files = event.waiting
                self._unopened_bytes = event.waiting_bytes
            case ReadingDetails(done=done, files=files):
                self._reading = (done, files) if done < files else None
            case WaitingForOthers(files=files):
                self._awaited = files
            case VideoStarted():
                self._awaited = 0
                self._unopened_bytes -= event.size
                self._opened_bytes += event.size
                self._opened_seconds += event.duration
                self._resumed_seconds += event.resumed
                self._open[event.path] = CurrentVideo(event.path, event.duration, event.resumed)
            case ClipsEmbedded():
                duration = self._open.pop(event.path).duration
                self._open[event.path] = CurrentVideo(event.path, duration, event.video_seconds)
            case FileDone():
                self._finish(event)

    def progress(self) -> Progress:
        """Progress now."""
        done = self._finished_seconds + sum(video.reached for video in self._open.values())
        speed = self._speed(done)
        left = self._video_seconds_left(done)
        return Progress(
            files_done=self._files_done,
            files=self._files,
            failed=self._failed,
            indexed=self._indexed,
            video_seconds=done,
            video_seconds_left=left,
            speed=speed,
            seconds_left=left / speed if speed and left is not None else None,
            walking=self._walking,
            reading=self._reading,
            awaited=self._awaited,
            current=next(reversed(self._open.values()), None),
        )

    def _finish(self, event: FileDone) -> None:
        self._files_done += 1
        self._failed += event.outcome is Outcome.FAILED
        self._indexed += event.outcome is Outcome.INDEXED
        video = self._open.pop(event.path, None)
        if video is None:
            self._unopened_bytes -= event.size
        elif event.outcome is Outcome.INDEXED:
            self._finished_seconds += video.duration
        else:
            self._lost_seconds += video.duration

    def _speed(self, done: float) -> float | None:
        done_now = done - self._resumed_seconds
        if self._started is None or done_now <= 0:
            return None
        return done_now / max(self.clock() - self._started, 1e-9)

    def _video_seconds_left(self, done: float) -> float | None:
        if self._unopened_bytes <= 0:
            unopened = 0.0
        elif self._opened_bytes == 0:
            return None
        else:
            unopened = self._unopened_bytes * self._opened_seconds / self._opened_bytes
        return max(self._opened_seconds - self._lost_seconds - done, 0.0) + unopened
