"""The write side: find videos, cut them into clips, embed the clips, commit them."""

from indexer.counters import RunCounters
from indexer.decode.plan import Sampling, plan_clips, sample_times
from indexer.embed.binding import provenance_of
from indexer.embed.threads import ClipEmbedder, ClipSpec, ModelLoader
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
from indexer.pipeline import index_library
from indexer.progress import CurrentVideo, Progress
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
