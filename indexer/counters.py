"""The one account of a run: progress, events and the final report are read from it."""

import time
from collections.abc import Callable, Iterable
from operator import attrgetter
from pathlib import Path
from threading import Lock

from catalog import FileProblem
from indexer.events import Event, FileDone, Outcome
from indexer.progress import Progress, ProgressMeter
from indexer.report import IndexReport, LeftOut


def _ignore(_: Event) -> None:
    pass


class RunCounters:
    """Counts of one run's files by outcome, lists of what a person should know, and progress.

    The run counts in one thread; any thread may read `progress` meanwhile.
    """

    def __init__(
        self,
        on_event: Callable[[Event], None] = _ignore,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Count from zero.

        Args:
            on_event: called with each event, after it was counted.
            clock: returns seconds, never less than before.
        """
        self._on_event = on_event
        self._meter = ProgressMeter(clock)
        self._counting = Lock()
        self._counts = dict.fromkeys(Outcome, 0)
        self._failed: list[FileProblem] = []
        self._damaged: list[FileProblem] = []
        self._absent: list[Path] = []
        self._left_out: list[LeftOut] = []
        self._unchanged = 0  # most files: to look an Outcome up for each takes too long
        self._removed = 0
        self._details = 0
        self._subtitles = 0
        self._failed_subtitles: dict[Path, str] = {}
        self._clips = 0
        self._video_seconds = 0.0

    def record(self, event: Event) -> None:
        """Count an event, then pass it to `on_event`."""
        with self._counting:
            self._meter.observe(event)
            if isinstance(event, FileDone):
                self._count(event)
        self._on_event(event)

    def _count(self, event: FileDone) -> None:
        self._counts[event.outcome] += 1
        self._clips += event.clips
        self._video_seconds += event.video_seconds
        if event.outcome is Outcome.FAILED:
            self._failed.append(FileProblem(event.path, event.error or ""))
        if event.damage is not None:
            self._damaged.append(FileProblem(event.path, event.damage))

    def progress(self) -> Progress:
        """Progress now; safe in any thread."""
        with self._counting:
            return self._meter.progress()

    def unchanged(self) -> None:
        """Count a known file that need not be opened."""
        self._unchanged += 1

    def not_a_video(self) -> None:
        """Count a file that is known to be something else and need not be opened."""
        self._counts[Outcome.NO_VIDEO] += 1

    def failed_before(self, failure: FileProblem) -> None:
        """List a file that failed in an earlier run and was not tried again."""
        self._failed.append(failure)

    def absent(self, folder: FileProblem) -> None:
        """List a folder that may not be mounted; its files stay in the catalog."""
        self._absent.append(folder.path)
        self._failed.append(folder)

    def details_read(self) -> None:
        """Count an indexed video whose details were read."""
        self._details += 1

    def subtitles_read(self) -> None:
        """Count a subtitle file that was read."""
        self._subtitles += 1

    def subtitles_failed(self, failure: FileProblem) -> None:
        """List a subtitle file that cannot be read."""
        self._failed_subtitles[failure.path] = failure.reason

    def removed(self, files: int) -> None:
        """Count known files that are gone and were taken out of the catalog."""
        self._removed += files

    def left_out(self, known: Iterable[LeftOut]) -> None:
        """List known files that this run was to leave out; they stay in the catalog."""
        self._left_out.extend(known)

    def report(
        self,
        *,
        took_seconds: float,
        interrupted: bool,
        unsaved: str | None = None,
        model: str | None = None,
        without_frames: int = 0,
    ) -> IndexReport:
        """Everything that was counted, lists in the order of their paths."""
        by_path = attrgetter("path")
        return IndexReport(
            indexed=self._counts[Outcome.INDEXED],
            unchanged=self._unchanged + self._counts[Outcome.UNCHANGED],
            moved=self._counts[Outcome.MOVED],
            removed=self._removed,
            failed=tuple(sorted(self._failed, key=by_path)),
            damaged=tuple(sorted(self._damaged, key=by_path)),
            clips=self._clips,
            video_seconds=self._video_seconds,
            took_seconds=took_seconds,
            interrupted=interrupted,
            unsaved=unsaved,
            model=model,
            without_frames=without_frames,
            no_video=self._counts[Outcome.NO_VIDEO],
            left_out=tuple(sorted(self._left_out, key=by_path)),
            absent=frozenset(self._absent),
            details=self._details,
            by_others=self._counts[Outcome.BY_OTHERS],
            subtitles=self._subtitles,
            failed_subtitles=tuple(
                FileProblem(path, why) for path, why in sorted(self._failed_subtitles.items())
            ),
        )
