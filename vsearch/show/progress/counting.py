"""Progress of counted work on stderr: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

from machine.clock_text import clock_text
from vsearch.show.output import console
from vsearch.show.progress.views import SECONDS_BETWEEN_LINES, SECONDS_TO_FIRST_LINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress


class CountProgress(AbstractContextManager["CountProgress"]):
    """Display of how much is done, while its block is open; `what` as in `clips checked`."""

    def __init__(
        self,
        what: str,
        *,
        quiet: bool,
        output: Console | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._console = output or console(stderr=True)
        self._quiet = quiet
        self._now = now
        self._began = now()
        self._next = self._began + SECONDS_TO_FIRST_LINE
        self._bar: Progress | None = None

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        if self._bar:
            with suppress(OSError):
                self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        if self._quiet:
            return
        with suppress(OSError):  # a closed terminal ends no work
            if self._console.is_interactive:
                self._draw(done, total)
            else:
                self._write(done, total)

    def _draw(self, done: int, total: int) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        if self._bar is None:
            bar, left = BarColumn(bar_width=10), TimeRemainingColumn(compact=True)
            columns = (bar, MofNCompleteColumn(), TextColumn(self._what), left)
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.add_task("")
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def _write(self, done: int, total: int) -> None:
        if self._now() >= self._next:
            self._next = self._now() + SECONDS_BETWEEN_LINES
            left = (self._now() - self._began) * (total - done) / done if done else None
            to_go = "" if left is None else f", about {clock_text(left, up=True)} to go"
            self._console.print(f"{done:,} of {total:,} {self._what}{to_go}")
