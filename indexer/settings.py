"""Settings of an index run."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from indexer.decode.plan import Sampling, check_window
from indexer.errors import SettingsError
from indexer.scan.walk import Walk
from machine import usable_cores


def _default_workers() -> int:
    return min(usable_cores(), 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """Settings of an index run; raises SettingsError where a number makes no sense.

    Attributes:
        window: length of a clip in seconds.
        stride: seconds from the start of a clip to that of the next one.
        sampling: which of a clip's frames are decoded.
        accelerator: FFmpeg's name of the device that decodes, "auto" for one of this machine, or
            "none".
        include: glob patterns of files to index; empty for all.
        exclude: glob patterns of files and folders to leave out.
        ignore_files: whether `.nomedia` and similar files are honoured; see `find_videos`.
        workers: number of videos that are decoded at a time.
        retry_failed: whether unchanged files that failed earlier are tried again.
        add_frames: whether unchanged files are read again whose videos have no frame vectors.
        roots: folders; a path below one of them is indexed as a part of it; see `find_videos`.
        defer: called with the walk; returns the files and folders to leave as the catalog has them:
            files that are still being written, or were deleted a few seconds ago.
        decode_timeout: seconds without any progress after which decoding a video counts as failed,
            on top of what its size and length justify.
        save_every: seconds between two times that the embedded part of a long video is saved, for
            another run to go on from.
    """

    window: float = 8.0
    stride: float = 4.0
    sampling: Sampling = Sampling.AUTO
    accelerator: str = "none"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore_files: bool = True
    workers: int = field(default_factory=_default_workers)
    retry_failed: bool = False
    add_frames: bool = False
    roots: frozenset[Path] = frozenset()
    defer: Callable[[Walk], Iterable[Path]] | None = None
    decode_timeout: float = 120.0
    save_every: float = 20.0

    def __post_init__(self) -> None:
        check_window(window=self.window, stride=self.stride)
        if self.workers < 1:
            raise SettingsError(f"workers is {self.workers}; give at least 1")
        if not (math.isfinite(self.decode_timeout) and self.decode_timeout > 0):
            raise SettingsError(
                f"decode_timeout is {self.decode_timeout} seconds; give more than 0"
            )
