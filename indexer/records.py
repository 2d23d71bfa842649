"""What goes into an index run and what comes out of it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from indexer.errors import SettingsError
from indexer.plan import check_window


def _default_workers() -> int:
    return min(os.cpu_count() or 1, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """How to index; raises SettingsError where a number makes no sense.

    `window` and `stride` are the length of a clip and the distance between two starts, in
    seconds. `include` and `exclude` are glob patterns (see `indexer.find_videos`). `workers`
    films are decoded at a time. `clips_per_batch` clips are embedded at a time. Files that failed
    earlier and have not changed are tried again only with `retry_failed`.
    """

    window: float = 8.0
    stride: float = 4.0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    workers: int = field(default_factory=_default_workers)
    clips_per_batch: int = 16
    retry_failed: bool = False

    def __post_init__(self) -> None:
        check_window(window=self.window, stride=self.stride)
        for name, number in (("workers", self.workers), ("clips_per_batch", self.clips_per_batch)):
            if number < 1:
                raise SettingsError(f"{name} is {number}; give at least 1")


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that is not in the index, or a folder that could not be listed, and the reason.

    `tried` is False when the file failed in an earlier run, has not changed since, and was left
    alone this time.
    """

    path: Path
    error: str
    tried: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What one run did; counts are files unless said otherwise.

    `indexed`: decoded, embedded and committed. `unchanged`: nothing to do, mostly not even opened.
    `moved`: content that was already known, found at a new place (moved, renamed or a copy), so
    nothing was decoded. `removed`: known files that are gone, and did not turn up elsewhere.
    `clips` and `video_seconds` (seconds of video) belong to the indexed files. `interrupted`: the
    run was stopped before its end; what it counts is committed, the rest waits for the next run.
    """

    indexed: int
    unchanged: int
    moved: int
    removed: int
    failed: tuple[FailedFile, ...]
    clips: int
    video_seconds: float
    took_seconds: float
    interrupted: bool
