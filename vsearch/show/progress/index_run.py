"""Progress of an index run on stderr: a bar on a terminal, a line a minute in a log, or events."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

from indexer import FileDone, RunCounters, VideoStarted
from machine.clock_text import clock_text
from machine.names import shown
from vsearch.show.output import console
from vsearch.show.progress.views import BarView, EventView, LineView, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from indexer import Event

SECONDS_BETWEEN_LOOKS = 1.0


class IndexProgress(AbstractContextManager[RunCounters]):
    """Display of an index run's progress while its block is open; the run counts in the target.

    `verbose` adds a line for each file whose turn is over, `quiet` shows nothing at all,
    `as_events` writes JSON, an object a line. Lines and events are also written while the run sends
    no event. An error of stderr (a closed terminal, a full disk) ends the display, not the run.
    """

    def __init__(
        self,
        *,
        quiet: bool,
        verbose: bool,
        as_events: bool = False,
        output: Console | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = output or console(stderr=True)
        self._counters = RunCounters(self._take, clock=now)
        self._showing = threading.Lock()
        self._view = None if quiet else self._new_view(as_events=as_events, now=now)
        self._say = self._tell if verbose else None
        if isinstance(self._view, EventView):
            self._say = self._view.tell
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)

    def _new_view(self, *, as_events: bool, now: Callable[[], float]) -> View:
        if as_events:
            return EventView(self._console.file, now=now)
        if self._console.is_interactive:
            return BarView(self._console, progress=self._counters.progress)
        return LineView(self._console.file, now=now)

    def __enter__(self) -> RunCounters:
        """Start the display; nothing is shown before the first event."""
        self._ticker.start()
        return self._counters

    def __exit__(self, *_: object) -> None:
        """Stop the display, and remove the bar."""
        self._over.set()
        self._ticker.join()
        self._stop()

    def _take(self, event: Event) -> None:
        with self._showing:
            self._show(event)

    def _show(self, event: Event | None) -> None:
        if not self._view:
            return
        try:
            if self._say and event:
                self._say(event)
            self._view.show(self._counters.progress())
        except OSError:
            self._stop()

    def _stop(self) -> None:
        view, self._view = self._view, None
        with suppress(OSError):
            if view:
                view.stop()

    def _tell(self, event: Event) -> None:
        if isinstance(event, FileDone):
            remark = event.error or event.damage
            reason = f" ({shown(remark)})" if remark else ""
            self._console.print(f"{event.outcome.value} {shown(event.path)}{reason}")
        elif isinstance(event, VideoStarted) and event.resumed:
            self._console.print(f"going on with {shown(event.path)} at {clock_text(event.resumed)}")

    def _tick(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            with self._showing:
                if self._counters.progress().begun:
                    self._show(None)
