"""The three displays of an index run's progress: bar, lines, events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from indexer import FileDone, LibraryWalked
from machine.clock_text import clock_text
from machine.names import shown
from vsearch.show.output import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

    from indexer import CurrentVideo, Event, Progress

SECONDS_BETWEEN_LINES = 60.0
SECONDS_TO_FIRST_LINE = 5.0
SECONDS_BETWEEN_EVENTS = 1.0

_BAR_WIDTH = 10
_ROOM_FOR_BAR = 60


class View(Protocol):
    """A display of progress."""

    def show(self, progress: Progress) -> None:
        """Show the progress, after an event or after some time. May raise OSError."""

    def stop(self) -> None:
        """End the display. May raise OSError."""


def progress_text(progress: Progress, *, width: int | None = None) -> str:
    """The numbers in one line, in `width` columns if given: what matters least is left out first.

    The time left counts hours of video, not files.
    """
    if progress.walking is not None:
        return f"looking for videos, {progress.walking:,} found so far"
    if progress.reading is not None:
        done, files = progress.reading
        return f"reading details and subtitles, {done:,} of {count(files, 'file')}"
    if progress.awaited:
        return f"waiting for {count(progress.awaited, 'file')} that other runs are at"
    parts = _parts(progress)
    while width is not None and len(_joined(parts)) > width and len(parts) > 1:
        parts.remove(min(parts))
    return _joined(parts)


def _parts(progress: Progress) -> list[tuple[int, str]]:
    """The numbers as text, each after its importance."""
    parts = [(5, f"{progress.files_done:,}/{count(progress.files, 'file')}")]
    if progress.video_seconds:
        parts.append((0, f"{clock_text(progress.video_seconds)} of video done"))
    if progress.video_seconds_left is not None:
        parts.append((1, f"{clock_text(progress.video_seconds_left)} of video left"))
    if progress.speed is not None:
        parts.append((2, f"{progress.speed:.1f} × realtime"))
    if progress.seconds_left is not None:
        parts.append((4, f"about {clock_text(progress.seconds_left, up=True)} to go"))
    if progress.failed:
        parts.append((3, f"{progress.failed:,} failed"))
    return parts


def _joined(parts: Sequence[tuple[int, str]]) -> str:
    return ", ".join(text for _, text in parts)


def video_text(video: CurrentVideo, *, width: int | None = None) -> str:
    """The video that is decoded, and how far; its name is shortened to what `width` leaves."""
    reached = f"{clock_text(video.reached)} of {clock_text(video.duration)}"
    name = shown(video.path) if width is None else shown_in(video.path, width - len(reached) - 2)
    return f"{name}  {reached}"


def shown_in(path: Path, width: int) -> str:
    """A file's name in `width` columns at most, as much of its folder before it as there is room.

    A name that is too long loses its middle: numbers and kinds stand at the end.
    """
    from rich.cells import cell_len

    whole = shown(path)
    if cell_len(whole) <= width:
        return whole
    name = shown(Path(path.name))
    if cell_len(name) + 2 <= width:
        room = width - 2 - cell_len(name)
        return f"{_beginning(shown(path.parent), room)}…/{name}"
    left = max((width - 1) // 2, 0)
    end = _beginning(name[::-1], max(width - 1 - left, 0))[::-1]
    return f"{_beginning(name, left)}…{end}"


def _beginning(text: str, width: int) -> str:
    """As many letters as fit into `width` columns; some take two."""
    from rich.cells import cell_len

    fitting = 0
    for number, letter in enumerate(text):
        fitting += cell_len(letter)
        if fitting > width:
            return text[:number]
    return text


class BarView:
    """A bar over the seconds of video with the numbers beside it, and the video below."""

    def __init__(self, output: Console, *, progress: Callable[[], Progress]) -> None:
        self._console = output
        self._progress = progress
        self._live: Live | None = None

    def show(self, progress: Progress) -> None:
        """Start the bar as soon as there is progress; it refreshes itself from then on."""
        if self._live is None and progress.begun:
            from rich.live import Live

            self._live = Live(self, console=self._console, transient=True)
            self._live.start()

    def stop(self) -> None:
        """Remove the bar."""
        if self._live:
            self._live.stop()

    def __rich_console__(self, output: Console, options: ConsoleOptions) -> RenderResult:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        progress = self._progress()
        width = options.max_width
        with_bar = width >= _ROOM_FOR_BAR
        numbers = progress_text(progress, width=width - (_BAR_WIDTH + 1) * with_bar)
        line = Text(numbers, no_wrap=True, overflow="ellipsis")
        if with_bar:
            row = Table.grid(padding=(0, 1, 0, 0))
            row.add_row(ProgressBar(width=_BAR_WIDTH, **_extent(progress)), line)
            yield row
        else:
            yield line
        if progress.current:
            name = video_text(progress.current, width=width)
            yield Text(name, style="dim", no_wrap=True, overflow="ellipsis")


def _extent(progress: Progress) -> dict[str, Any]:
    """The arguments of the bar: completed of total; a bar without a total pulsates."""
    done, left = progress.video_seconds, progress.video_seconds_left
    if progress.reading is not None:
        return {"completed": progress.reading[0], "total": progress.reading[1]}
    if progress.walking is not None or left is None:
        return {"total": None}
    return {"total": done + left or 1.0, "completed": done}


class LineView:
    """A quiet line a minute, for logs; the first one soon, to show that it works."""

    def __init__(self, output: IO[str], *, now: Callable[[], float]) -> None:
        self._output = output
        self._now = now
        self._next = now() + SECONDS_TO_FIRST_LINE

    def show(self, progress: Progress) -> None:
        """Write a line when its time has come."""
        if self._now() < self._next:
            return
        self._next = self._now() + SECONDS_BETWEEN_LINES
        now_at = f"; now at {video_text(progress.current)}" if progress.current else ""
        self._output.write(f"{progress_text(progress)}{now_at}\n")
        self._output.flush()

    def stop(self) -> None:
        """Nothing to end."""


class EventView:
    """One JSON object a line for programs: see the README for what they hold."""

    def __init__(self, output: IO[str], *, now: Callable[[], float]) -> None:
        self._output = output
        self._now = now
        self._next = now()

    def tell(self, event: Event) -> None:
        """Write the events of files at once."""
        if isinstance(event, LibraryWalked):
            self._write(walked_event(event))
        elif isinstance(event, FileDone):
            self._write(file_event(event))

    def show(self, progress: Progress) -> None:
        """Write the progress, once a second at most."""
        if self._now() >= self._next:
            self._next = self._now() + SECONDS_BETWEEN_EVENTS
            self._write(progress_event(progress))

    def stop(self) -> None:
        """Nothing to end."""

    def _write(self, event: dict[str, Any]) -> None:
        self._output.write(json.dumps(event) + "\n")
        self._output.flush()


def walked_event(event: LibraryWalked) -> dict[str, Any]:
    """The event after the walk: how many files there are, and how many have to be opened."""
    return {
        "event": "walked",
        "files": event.files,
        "waiting": event.waiting,
        "waiting_bytes": event.waiting_bytes,
    }


def file_event(event: FileDone) -> dict[str, Any]:
    """The event after each file."""
    return {
        "event": "file",
        "path": str(event.path),
        "outcome": event.outcome.value,
        "clips": event.clips,
        "video_seconds": round(event.video_seconds, 3),
        "error": event.error,
        "damage": event.damage,
    }


def progress_event(progress: Progress) -> dict[str, Any]:
    """The event with the progress; numbers that are not known yet are null."""
    if progress.walking is not None:
        return {"event": "walking", "files": progress.walking}
    if progress.reading is not None:
        done, files = progress.reading
        return {"event": "details", "files_done": done, "files": files}
    if progress.awaited:
        return {"event": "waiting", "files": progress.awaited}
    current = progress.current
    return {
        "event": "progress",
        "files_done": progress.files_done,
        "files": progress.files,
        "failed": progress.failed,
        "video_seconds": round(progress.video_seconds, 3),
        "video_seconds_left": _rounded(progress.video_seconds_left),
        "speed": _rounded(progress.speed),
        "seconds_left": _rounded(progress.seconds_left),
        "path": str(current.path) if current else None,
        "path_seconds": _rounded(current.reached) if current else None,
        "path_duration": _rounded(current.duration) if current else None,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
