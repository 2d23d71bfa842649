"""The write side: find videos, cut them into clips, embed the clips, commit them."""

from indexer.batches import Embedder
from indexer.errors import (
    IndexingError,
    NoWatchesError,
    PathMissingError,
    SettingsError,
    UnreadableFilmError,
)
from indexer.events import (
    ClipsEmbedded,
    Event,
    FileDone,
    FilmStarted,
    LibraryWalked,
    Outcome,
    Report,
)
from indexer.fingerprint import Fingerprint, read_fingerprint
from indexer.pipeline import index_library
from indexer.plan import plan_clips, sample_times
from indexer.progress import Progress, ProgressMeter
from indexer.records import FailedFile, IndexReport, IndexSettings
from indexer.walk import VIDEO_SUFFIXES, FoundFile, Walk, find_videos
from indexer.watcher import IndexPass, watch_library
from indexer.watching import FailuresTold, WatchSettings

__all__ = [
    "VIDEO_SUFFIXES",
    "ClipsEmbedded",
    "Embedder",
    "Event",
    "FailedFile",
    "FailuresTold",
    "FileDone",
    "FilmStarted",
    "Fingerprint",
    "FoundFile",
    "IndexPass",
    "IndexReport",
    "IndexSettings",
    "IndexingError",
    "LibraryWalked",
    "NoWatchesError",
    "Outcome",
    "PathMissingError",
    "Progress",
    "ProgressMeter",
    "Report",
    "SettingsError",
    "UnreadableFilmError",
    "Walk",
    "WatchSettings",
    "find_videos",
    "index_library",
    "plan_clips",
    "read_fingerprint",
    "sample_times",
    "watch_library",
]
