"""The write side: find videos, cut them into clips, embed the clips, commit them."""

from indexer.encoding import ClipFormat, Embedder, Model
from indexer.errors import (
    IndexingError,
    NoWatchesError,
    PathMissingError,
    ReaderError,
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
    Walking,
)
from indexer.fingerprint import Sample, read_fingerprint, read_sample
from indexer.names import VIDEO_SUFFIXES
from indexer.pipeline import index_library, provenance_of
from indexer.plan import Sampling, plan_clips, sample_times
from indexer.progress import Progress, ProgressMeter
from indexer.records import DamagedFile, FailedFile, IndexReport, IndexSettings, LeftOut
from indexer.walk import FoundFile, Walk, find_videos
from indexer.watcher import IndexPass, watch_library
from indexer.watching import FailuresTold, WatchSettings

__all__ = [
    "VIDEO_SUFFIXES",
    "ClipFormat",
    "ClipsEmbedded",
    "DamagedFile",
    "Embedder",
    "Event",
    "FailedFile",
    "FailuresTold",
    "FileDone",
    "FilmStarted",
    "FoundFile",
    "IndexPass",
    "IndexReport",
    "IndexSettings",
    "IndexingError",
    "LeftOut",
    "LibraryWalked",
    "Model",
    "NoWatchesError",
    "Outcome",
    "PathMissingError",
    "Progress",
    "ProgressMeter",
    "ReaderError",
    "Report",
    "Sample",
    "Sampling",
    "SettingsError",
    "UnreadableFilmError",
    "Walk",
    "Walking",
    "WatchSettings",
    "find_videos",
    "index_library",
    "plan_clips",
    "provenance_of",
    "read_fingerprint",
    "read_sample",
    "sample_times",
    "watch_library",
]
