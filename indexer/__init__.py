"""The write side: find videos, cut them into clips, embed the clips, commit them."""

from indexer.decode.plan import Sampling, plan_clips, sample_times
from indexer.embed.threads import ClipEmbedder, ClipFormat, Model
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
from indexer.pipeline import index_library, provenance_of
from indexer.progress import Progress, ProgressMeter
from indexer.report import IndexReport, LeftOut
from indexer.scan.fingerprint import Sample, read_fingerprint, read_sample
from indexer.scan.names import VIDEO_SUFFIXES
from indexer.scan.walk import FoundFile, Walk, find_videos
from indexer.settings import IndexSettings
from indexer.watch.debounce import ReportedFailures, WatchSettings
from indexer.watch.loop import IndexPass, watch_library

__all__ = [
    "VIDEO_SUFFIXES",
    "ClipEmbedder",
    "ClipFormat",
    "ClipsEmbedded",
    "Event",
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
    "ReportedFailures",
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
