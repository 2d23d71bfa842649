"""What one run has done so far: counted here, told to whoever listens, summed up at the end."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from catalog import FileProblem
from indexer.events import FileDone, Outcome, Report
from indexer.report import IndexReport, LeftOut
from indexer.scan.walk import FoundFile


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Counts of files by outcome, and lists of those that a person should know of."""

    report: Report
    _started: float = field(default_factory=time.monotonic)
    # Of most files it is only known that they have not changed: hashing an Outcome takes too long.
    _unchanged: int = 0
    _counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    _failed: list[FileProblem] = field(default_factory=list)
    _damaged: list[FileProblem] = field(default_factory=list)
    _absent: set[Path] = field(default_factory=set)
    _removed: int = 0
    _left_out: tuple[LeftOut, ...] = ()
    _clips: int = 0
    _video_seconds: float = 0.0

    def indexed(
        self, file: FoundFile, *, clips: int, video_seconds: float, damage: str | None
    ) -> None:
        """A film was decoded, embedded and committed."""
        self._clips += clips
        self._video_seconds += video_seconds
        if damage is not None:
            self._damaged.append(FileProblem(file.path, damage))
        self._done(
            FileDone(
                file.path,
                file.size,
                Outcome.INDEXED,
                clips=clips,
                video_seconds=video_seconds,
                damage=damage,
            )
        )

    def found(self, file: FoundFile, outcome: Outcome) -> None:
        """A file that had to be looked into holds what is known already."""
        self._done(FileDone(file.path, file.size, outcome))

    def failed(self, file: FoundFile, *, error: str) -> None:
        """A file was tried and cannot be indexed."""
        self._failed.append(FileProblem(file.path, error))
        self._done(FileDone(file.path, file.size, Outcome.FAILED, error=error))

    def no_video(self, file: FoundFile, *, error: str) -> None:
        """A file that was looked into is something else than a video."""
        self._done(FileDone(file.path, file.size, Outcome.NO_VIDEO, error=error))

    def known_as_no_video(self) -> None:
        """A file is known to be something else and need not be opened."""
        self._counts[Outcome.NO_VIDEO] += 1

    def unreadable(self, failure: FileProblem) -> None:
        """The system would not show a file or folder, or what it shows is none."""
        self._failed.append(failure)
        self._done(FileDone(failure.path, 0, Outcome.FAILED, error=failure.reason))

    def left_alone(self, failure: FileProblem) -> None:
        """Something is not in the index that this run did not try to open."""
        self._failed.append(failure)

    def absent(self, folder: FileProblem) -> None:
        """A folder that may not be mounted: its files stay in the catalog."""
        self._absent.add(folder.path)
        self._failed.append(folder)

    def unchanged(self) -> None:
        """A known file need not be opened."""
        self._unchanged += 1

    def removed(self, files: int) -> None:
        """Known files are gone and were forgotten."""
        self._removed += files

    def left_out(self, known: Iterable[LeftOut]) -> None:
        """Known files were not looked at, and stay."""
        self._left_out = tuple(known)

    def summary(self, *, interrupted: bool, unsaved: str | None) -> IndexReport:
        """Everything that was counted, lists in path order."""
        return IndexReport(
            indexed=self._counts[Outcome.INDEXED],
            unchanged=self._unchanged + self._counts[Outcome.UNCHANGED],
            moved=self._counts[Outcome.MOVED],
            removed=self._removed,
            failed=tuple(sorted(self._failed, key=_path)),
            absent=frozenset(self._absent),
            damaged=tuple(sorted(self._damaged, key=_path)),
            clips=self._clips,
            video_seconds=self._video_seconds,
            took_seconds=time.monotonic() - self._started,
            interrupted=interrupted,
            unsaved=unsaved,
            no_video=self._counts[Outcome.NO_VIDEO],
            left_out=tuple(sorted(self._left_out, key=lambda one: one.path)),
        )

    def _done(self, event: FileDone) -> None:
        self._counts[event.outcome] += 1
        self.report(event)


def _path(listed: FileProblem) -> Path:
    return listed.path
