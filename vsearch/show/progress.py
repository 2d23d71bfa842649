"""How far an index run is, on stderr: a bar on a terminal, a line a minute in a log, or events."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

from indexer import (
    ClipsEmbedded,
    FileDone,
    FilmStarted,
    LibraryWalked,
    Outcome,
    ProgressMeter,
    Walking,
)
from machine.names import shown
from vsearch.show.output import clock, console
from vsearch.show.progress_views import BarView, CurrentFilm, EventView, LineView, Standing, View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from rich.console import Console

    from indexer import Event

SECONDS_BETWEEN_LOOKS = 1.0


class IndexProgress(AbstractContextManager["IndexProgress"]):
    """Takes the events of an index run and shows where it stands, while its block is open.

    `verbose` adds a line for each file whose turn is over, `quiet` shows nothing at all,
    `as_events` writes JSON, an object a line. A log and events go on while a run is silent. That
    stderr can be written to no longer (its terminal was closed, its disk is full) ends no run:
    nothing more is shown.
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
        self._meter = ProgressMeter(clock=now)
        self._films = _Films()
        self._walking: int | None = None
        self._indexed = 0
        # Whoever shows holds `_showing`, and takes `_counting` for as long as it reads: the bar
        # draws itself in a thread of its own, which must never wait for one that waits for it.
        self._counting = threading.Lock()
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
            return BarView(self._console, standing=self._standing)
        return LineView(self._console.file, now=now)

    def __enter__(self) -> IndexProgress:
        """Nothing shows before the first event."""
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal clean, whatever happened."""
        self._over.set()
        self._ticker.join()
        self._stop()

    @property
    def indexed(self) -> int:
        """How many videos were committed so far."""
        return self._indexed

    def __call__(self, event: Event) -> None:
        """Take one event of the run."""
        with self._counting:
            self._meter.observe(event)
            self._films.observe(event)
            if isinstance(event, Walking):
                self._walking = event.files
            elif isinstance(event, LibraryWalked):
                self._walking = None
            elif isinstance(event, FileDone):
                self._indexed += event.outcome is Outcome.INDEXED
        with self._showing:
            self._show(event)

    def _show(self, event: Event | None) -> None:
        if not self._view:
            return
        try:
            if self._say and event:
                self._say(event)
            self._view.show(self._standing())
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
        elif isinstance(event, FilmStarted) and event.resumed:
            self._console.print(f"going on with {shown(event.path)} at {clock(event.resumed)}")

    def _standing(self) -> Standing:
        with self._counting:
            return Standing(
                progress=self._meter.progress(),
                walking=self._walking,
                current=self._films.current,
            )

    def _tick(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            with self._showing:
                if self._standing().begun:
                    self._show(None)


class _Films:
    """The films that are being decoded; the current one is that which got on last."""

    def __init__(self) -> None:
        self._open: dict[Path, CurrentFilm] = {}

    @property
    def current(self) -> CurrentFilm | None:
        return next(reversed(self._open.values()), None)

    def observe(self, event: Event) -> None:
        if isinstance(event, FilmStarted):
            self._put(CurrentFilm(event.path, event.duration, event.resumed))
        elif isinstance(event, ClipsEmbedded) and event.path in self._open:
            film = self._open[event.path]
            self._put(CurrentFilm(event.path, film.duration, event.video_seconds))
        elif isinstance(event, FileDone):
            self._open.pop(event.path, None)

    def _put(self, film: CurrentFilm) -> None:
        self._open.pop(film.path, None)
        self._open[film.path] = film
