"""How far an index run is: a bar on a terminal, a quiet line a minute elsewhere, on stderr."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from indexer import FileDone, Progress, ProgressMeter
from vsearch.output import clock, console, count, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console

    from indexer import Event

SECONDS_BETWEEN_LINES = 60.0


def progress_text(progress: Progress) -> str:
    """Where a run stands, in one line; the time left counts hours of video, not files."""
    parts = [f"{progress.files_done:,}/{count(progress.files, 'file')}"]
    if progress.speed is not None:
        parts.append(f"{progress.speed:.1f} × realtime")
    if progress.video_seconds_left is not None and progress.seconds_left is not None:
        parts.append(
            f"{clock(progress.video_seconds_left)} of video left: "
            f"about {clock(progress.seconds_left, up=True)}"
        )
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    return ", ".join(parts)


class IndexProgress(AbstractContextManager["IndexProgress"]):
    """Takes the events of an index run and shows where it stands, while its block is open.

    `verbose` adds a line for each file whose turn is over; `quiet` shows nothing at all.
    """

    def __init__(
        self,
        *,
        quiet: bool,
        verbose: bool,
        output: Console | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = output or console(stderr=True)
        self._verbose = verbose and not quiet
        self._meter = ProgressMeter(clock=now)
        self._view: _Bar | _Lines | None = None
        if not quiet:
            terminal = self._console.is_terminal
            self._view = _Bar(self._console) if terminal else _Lines(self._console, now=now)

    def __enter__(self) -> IndexProgress:
        """Nothing shows before the first event: loading a model has messages of its own."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal clean, whatever happened."""
        if self._view:
            self._view.stop()

    def __call__(self, event: Event) -> None:
        """Take one event of the run."""
        progress = self._meter.observe(event)
        if self._view:
            self._view.show(progress)
        if self._verbose and isinstance(event, FileDone):
            reason = f" ({event.error})" if event.error else ""
            self._console.print(f"{event.outcome.value} {shown(event.path)}{reason}")


class _Bar:
    """A bar over the seconds of video, with the numbers behind it."""

    def __init__(self, output: Console) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            BarColumn(bar_width=10),
            TextColumn("{task.description}", markup=False),
            console=output,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def show(self, progress: Progress) -> None:
        self._bar.start()  # the first time only; it does nothing to a bar that runs
        left = progress.video_seconds_left
        self._bar.update(
            self._task,
            completed=progress.video_seconds,
            total=None if left is None else progress.video_seconds + left,
            description=progress_text(progress),
        )

    def stop(self) -> None:
        self._bar.stop()


class _Lines:
    """One line a minute, for logs."""

    def __init__(self, output: Console, *, now: Callable[[], float]) -> None:
        self._console = output
        self._now = now
        self._last = now()

    def show(self, progress: Progress) -> None:
        if self._now() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = self._now()
            self._console.print(progress_text(progress))

    def stop(self) -> None:
        """Nothing is left open."""
