"""How to index: the settings of a run."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from indexer.decode.plan import Sampling, check_window
from indexer.errors import SettingsError
from machine import usable_cores


def _default_workers() -> int:
    return min(usable_cores(), 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSettings:
    """How to index; raises SettingsError where a number makes no sense.

    `window` and `stride` are the length of a clip and the distance between two starts, in
    seconds; `sampling` is which of a clip's frames are looked at. `accelerator` is FFmpeg's name
    for the device that decodes films, "auto" for one that is here, or "none". `include` and
    `exclude` are glob patterns, and `ignore_files` says whether `.nomedia` and its kin are honoured
    (see `indexer.find_videos`). `workers` films are decoded at a time.
    At most `clips_per_batch` clips are embedded by one call of the model. Files that failed earlier
    and have not changed are tried again only with `retry_failed`. Files that are `held`,
    or lie in folders that are, are left as the catalog has them: they are still being written, or
    went a moment ago. Paths below a folder of `within` are indexed as parts of that folder (see
    `indexer.find_videos`). `patience` are the seconds that
    reading a film may be silent on top of what its size and length justify. Every `save_every`
    seconds what is embedded of a long film is saved, for another run to go on from.
    """

    window: float = 8.0
    stride: float = 4.0
    sampling: Sampling = Sampling.AUTO
    accelerator: str = "none"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore_files: bool = True
    workers: int = field(default_factory=_default_workers)
    clips_per_batch: int = 16
    retry_failed: bool = False
    held: frozenset[Path] = frozenset()
    within: frozenset[Path] = frozenset()
    patience: float = 120.0
    save_every: float = 20.0

    def __post_init__(self) -> None:
        check_window(window=self.window, stride=self.stride)
        for name, number in (("workers", self.workers), ("clips_per_batch", self.clips_per_batch)):
            if number < 1:
                raise SettingsError(f"{name} is {number}; give at least 1")
        if not (math.isfinite(self.patience) and self.patience > 0):
            raise SettingsError(f"patience is {self.patience} seconds; give more than 0")

    def holds(self, pathname: str) -> bool:
        """Whether the file of this absolute path is to be left as the catalog has it."""
        if not self.held:
            return False
        path = Path(pathname)
        return not self.held.isdisjoint((path, *path.parents))
