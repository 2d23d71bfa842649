"""The write side: find videos, cut them into clips, embed the clips, commit them.

What needs the catalog's database is imported at its first use: readers' processes do without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from indexer.counters import RunCounters
from indexer.decode.plan import Sampling, plan_clips, sample_times
from indexer.errors import (
    IndexingError,
    ModelAwayError,
    NoWatchesError,
    PathMissingError,
    SettingsError,
    StorageAwayError,
    UnreadableVideoError,
    WorkerStartError,
)
from indexer.events import (
    ClipsEmbedded,
    Event,
    FileDone,
    LibraryWalked,
    Outcome,
    VideoStarted,
    WaitingForOthers,
    Walking,
)
from indexer.progress import CurrentVideo, Progress
from indexer.report import IndexReport, LeftOut
from indexer.scan.fingerprint import Sample, read_fingerprint, read_sample
from indexer.scan.names import VIDEO_SUFFIXES
from indexer.scan.walk import FoundFile, Walk, find_videos
from indexer.settings import IndexSettings

if TYPE_CHECKING:
    from indexer.embed.binding import provenance_of
    from indexer.embed.threads import ClipEmbedder, ClipSpec, ModelLoader
    from indexer.pipeline import index_library
    from indexer.watch.debounce import ReportedFailures, WatchSettings
    from indexer.watch.loop import IndexPass, watch_library

__all__ = [
    "VIDEO_SUFFIXES",
    "ClipEmbedder",
    "ClipSpec",
    "ClipsEmbedded",
    "CurrentVideo",
    "Event",
    "FileDone",
    "FoundFile",
    "IndexPass",
    "IndexReport",
    "IndexSettings",
    "IndexingError",
    "LeftOut",
    "LibraryWalked",
    "ModelAwayError",
    "ModelLoader",
    "NoWatchesError",
    "Outcome",
    "PathMissingError",
    "Progress",
    "ReportedFailures",
    "RunCounters",
    "Sample",
    "Sampling",
    "SettingsError",
    "StorageAwayError",
    "UnreadableVideoError",
    "VideoStarted",
    "WaitingForOthers",
    "Walk",
    "Walking",
    "WatchSettings",
    "WorkerStartError",
    "find_videos",
    "index_library",
    "plan_clips",
    "provenance_of",
    "read_fingerprint",
    "read_sample",
    "sample_times",
    "watch_library",
]

_LATER = {
    "embed.binding": ("provenance_of",),
    "embed.threads": ("ClipEmbedder", "ClipSpec", "ModelLoader"),
    "pipeline": ("index_library",),
    "watch.debounce": ("ReportedFailures", "WatchSettings"),
    "watch.loop": ("IndexPass", "watch_library"),
}

if not TYPE_CHECKING:  # else type checkers would take any name for one of this package

    def __getattr__(name: str) -> Any:
        for module, names in _LATER.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
