"""Index run in a process of its own: it goes on when whoever started it has ended.

It is the command `vsearch index --json`. Its events and its result go to files in a folder under
`home`, so that every process can follow it. A lock on one of them lasts as long as the run.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from machine.child import start_detached_python
from machine.names import shown
from machine.presence import is_there
from vsearch.errors import IndexPathError, IndexRunningError
from vsearch.startup import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vsearch.settings import Settings

_TRIES, _SECONDS_BETWEEN_TRIES = 10, 0.02
_TAIL = 1 << 18  # bytes of the events that are read: the latest tell how far it is


@dataclass(frozen=True, slots=True)
class RunState:
    """State of the latest run.

    Attributes:
        running: whether it goes on.
        paths: what is indexed.
        progress: the latest event of how far it is, as `vsearch index --json` writes it.
        messages: warnings and errors so far, of the latest events.
        result: what it printed at its end; None while it runs, or where it could not be done.
    """

    running: bool
    paths: tuple[str, ...]
    progress: dict[str, Any] | None
    messages: tuple[str, ...]
    result: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class RunEvents:
    """Some events of a run, each with the byte behind it.

    Attributes:
        run: the number of the run; 0 without any.
        running: whether it went on when the events were read.
        events: in their order.
        after: the byte from which on there may be more.
    """

    run: int
    running: bool
    events: tuple[tuple[int, dict[str, Any]], ...]
    after: int


class DetachedIndex:
    """The index runs of one catalog, one after the other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        name = hashlib.sha256(os.fsencode(str(settings.catalog))).hexdigest()[:16]
        self._folder = settings.home / "runs" / name

    def start(self, paths: Sequence[Path], *, retry_failed: bool = False) -> None:
        """Start to index these absolute paths.

        With `retry_failed`, they may be gone.

        Raises:
            IndexPathError: a path is not absolute, or not there.
            IndexRunningError: the last run goes on.
            OSError: the folder cannot be written, or the system refuses a process.
        """
        _require_there(paths, retry_failed=retry_failed)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = [*map(str, self._settings.catalog_flags)]
        if self._settings.model:
            flags += ["--model", self._settings.model]
        if retry_failed:
            flags.append("--retry-failed")
        command = ["-m", "vsearch", "index", "--json", *flags, "--", *map(str, paths)]
        with ExitStack() as opened:
            lock = opened.enter_context(self._locked(fcntl.LOCK_EX, tries=_TRIES))
            if lock is None:
                raise IndexRunningError(
                    "an index run goes on already; wait for its end, or stop it"
                )
            stdout, stderr = (opened.enter_context(self._written(n)) for n in ("result", "events"))
            pid = start_detached_python(
                command,
                variables={HOME_VARIABLE: str(self._settings.home), **self._settings.secrets},
                stdout=stdout,
                stderr=stderr,
                keep_open=[lock],
            )
            told = {"pid": pid, "paths": [*map(str, paths)]}
            (self._folder / "run.json").write_text(json.dumps(told), encoding="utf-8")

    def stop(self) -> None:
        """End the run as Ctrl-C does: what is finished is kept. Without one it does nothing."""
        with self._locked(fcntl.LOCK_SH) as lock:
            if lock is None and (pid := self._told().get("pid")):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)

    def state(self) -> RunState | None:
        """How far the latest run is; None without any."""
        told = self._told()
        if not told:
            return None
        with self._locked(fcntl.LOCK_SH) as lock:
            running = lock is None
        events = [event for _, event in _events_in(*self._read(None))]
        return RunState(
            running=running,
            paths=tuple(told["paths"]),
            progress=next((e for e in reversed(events) if e["event"] == "progress"), None),
            messages=tuple(
                str(e.get("text"))
                for e in events
                if e["event"] == "message" and e.get("level") in ("warning", "error")
            ),
            result=None if running else self._result(),
        )

    @contextmanager
    def _locked(self, kind: int, *, tries: int = 1) -> Iterator[int | None]:
        """The lock of a run, which the run itself has until its end; None if a run has it.

        Who only looks shares it for a moment, which is worth another try.
        """
        try:
            opened = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield -1  # no folder, so no run
            return
        try:
            yield opened if _lock(opened, kind, tries=tries) else None
        finally:
            os.close(opened)

    @contextmanager
    def _written(self, name: str) -> Iterator[int]:
        opened = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            yield opened
        finally:
            os.close(opened)

    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads((self._folder / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def events(self, *, run: int = 0, after: int = 0) -> RunEvents:
        """Events of the latest run from a byte on; from the first, if it is not the one named."""
        number = int(self._told().get("pid", 0))
        with self._locked(fcntl.LOCK_SH) as lock:
            running = number != 0 and lock is None  # what is read then is not older
        start = after if run == number else 0
        text, begin = self._read(start)
        whole = text[: text.rfind(b"\n") + 1]
        return RunEvents(number, running, tuple(_events_in(whole, begin)), begin + len(whole))

    def _read(self, start: int | None) -> tuple[bytes, int]:
        """A part of the events from a byte on, and that byte; None: the last part."""
        try:
            with (self._folder / "events").open("rb") as file:
                if start is None:
                    start = max(file.seek(0, os.SEEK_END) - _TAIL, 0)
                file.seek(start)
                return file.read(_TAIL), start
        except OSError:
            return b"", start or 0

    def _result(self) -> dict[str, Any] | None:
        try:
            result = json.loads((self._folder / "result").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return result if isinstance(result, dict) else None


def _events_in(text: bytes, begin: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The events in lines, each with the byte behind it, where the lines begin at a byte.

    Lines that are no event, such as a traceback's, are left out.
    """
    for line in text.splitlines(keepends=True):
        begin += len(line)
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event:
                yield begin, event


def _require_there(paths: Sequence[Path], *, retry_failed: bool) -> None:
    for path in paths:
        if not path.is_absolute() or "\0" in str(path):
            raise IndexPathError(
                f"{shown(path)!r} is not a whole path; give one such as /media/videos"
            )
        if not retry_failed and not is_there(path):
            raise IndexPathError(
                f"{shown(path)} is not there; look at its spelling, and whether its disk is"
            )


def _lock(descriptor: int, kind: int, *, tries: int) -> bool:
    for left in reversed(range(tries)):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return True
    return False
