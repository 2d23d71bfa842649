"""The write side: find videos, cut them into clips, embed the clips, commit them."""

from indexer.batches import Embedder
from indexer.errors import IndexingError, PathMissingError, SettingsError, UnreadableFilmError
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

__all__ = [
    "VIDEO_SUFFIXES",
    "ClipsEmbedded",
    "Embedder",
    "Event",
    "FailedFile",
    "FileDone",
    "FilmStarted",
    "Fingerprint",
    "FoundFile",
    "IndexReport",
    "IndexSettings",
    "IndexingError",
    "LibraryWalked",
    "Outcome",
    "PathMissingError",
    "Progress",
    "ProgressMeter",
    "Report",
    "SettingsError",
    "UnreadableFilmError",
    "Walk",
    "find_videos",
    "index_library",
    "plan_clips",
    "read_fingerprint",
    "sample_times",
]
