"""Errors of indexing.

IndexingError                 root: one sentence for the user
├── PathMissingError          a path to index is not there; nothing was changed
├── SettingsError             a window, stride, batch or worker count that makes no sense
├── NoWatchesError            the system allows no more watched folders; polling needs none
├── WorkerStartError          no process can be started that decodes videos
├── StorageAwayError          the storage of the videos does not answer; no file counts as failed
├── ModelAwayError            a model on another machine does not answer; no file counts as failed
└── UnreadableVideoError       one file cannot be indexed; it is listed and the run goes on
    ├── NotAVideoError        it is no video: counted, and no failure
    └── ReadError             the system does not read it: perhaps the storage is away
"""

from pathlib import Path
from typing import Self


class IndexingError(Exception):
    """Root of everything that the indexer raises on purpose; its text is one sentence."""


class PathMissingError(IndexingError):
    """A path that was to be indexed is neither a file nor a folder."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """The error for this path, with what to check."""
        return cls(
            f"{path} is not there or cannot be reached; "
            "check the spelling, and whether its disk is mounted"
        )


class SettingsError(IndexingError):
    """A setting outside its allowed range; the message names the range."""


class NoWatchesError(IndexingError):
    """The system allows no more watched folders; the message says how to allow more."""


class WorkerStartError(IndexingError):
    """A process that decodes videos cannot be started; the run ends, its videos are not blamed."""


class StorageAwayError(IndexingError):
    """The storage of the videos does not answer; the run ends, its videos are not blamed."""

    @classmethod
    def of(cls, folder: Path, why: str) -> Self:
        """The error for a folder, with what was found there."""
        return cls(
            f"the storage of {folder} is away ({why}); see that it is mounted and answers, then run"
            " the command again: what is finished stays, and no file counts as failed"
        )


class ModelAwayError(IndexingError):
    """A model that runs on another machine does not answer; the run ends, no video is blamed."""


class UnreadableVideoError(IndexingError):
    """One file cannot be turned into clips; the message is the plain reason."""


class NotAVideoError(UnreadableVideoError):
    """One file is no video, in spite of its name; the message says what it is."""


class ReadError(UnreadableVideoError):
    """The system does not read one file, which says nothing of what it holds."""


def reason(error: OSError) -> str:
    """Reason in plain words why the system refused to read a file or folder."""
    return f"cannot be read: {error.strerror or error}"
