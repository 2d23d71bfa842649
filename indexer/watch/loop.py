"""Keeps an index up to date: listens, looks where nothing can be heard, and says what to index."""

import math
import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from catalog import true_path
from indexer.errors import NoWatchesError, PathMissingError
from indexer.scan.file_state import size_and_time
from indexer.scan.walk import Walk, find_videos
from indexer.watch.debounce import (
    Look,
    PendingChanges,
    WatchSettings,
    changes,
    concerns_index,
    outermost,
)
from indexer.watch.mounts import RootMonitor
from machine.presence import is_folder

if TYPE_CHECKING:
    from indexer.watch.events import EventSource

MAX_SLEEP = 1.0  # seconds between two looks at what has happened


class IndexPass(Protocol):
    """Indexes what a watch asks for."""

    def __call__(
        self, paths: Sequence[Path], /, *, held: frozenset[Path], within: frozenset[Path]
    ) -> bool:
        """Index `paths` as parts of what is watched; False when that has to be tried again later.

        `held` and `within` are those of `IndexSettings`.
        """


def watch_library(
    paths: Iterable[Path],
    *,
    index: IndexPass,
    settings: WatchSettings,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    ignore_files: bool = True,
    tell: Callable[[str], None],
) -> None:
    """Call `index` for all `paths` at once, then for what changes there, until KeyboardInterrupt.

    One pass is made at a time, in this thread. `tell` is given sentences for the user. Where the
    file system tells nothing, or the system allows no more watches, folders are looked through
    instead. What goes, as a disk that is unmounted, is watched again when it is back.

    Raises KeyboardInterrupt, and whatever `index` raises.
    """
    watcher = _Watcher(
        roots=outermost(true_path(path) for path in paths),
        index=index,
        settings=settings,
        find=lambda folder: find_videos(
            [folder], include=include, exclude=exclude, ignore_files=ignore_files
        ),
        tell=tell,
    )
    with closing(watcher):
        while True:
            watcher.step()
            time.sleep(min(settings.settle, MAX_SLEEP))


@dataclass(slots=True, kw_only=True)
class _Watcher:
    roots: tuple[Path, ...]
    index: IndexPass
    settings: WatchSettings
    find: Callable[[Path], Walk]
    tell: Callable[[str], None]
    _pending: PendingChanges = field(init=False)
    _monitor: RootMonitor = field(init=False)
    _events: "EventSource | None" = None
    _said: set[str] = field(default_factory=set)
    # What cannot be listened to, what holds links to elsewhere, and what was seen there last.
    _silent: frozenset[Path] = frozenset()
    _linked: set[Path] = field(default_factory=set)
    _seen: dict[Path, dict[Path, Look]] = field(default_factory=dict)
    _next_poll: float = -math.inf
    _next_recheck: float = -math.inf

    def __post_init__(self) -> None:
        self._pending = PendingChanges(settle=self.settings.settle)
        self._monitor = RootMonitor(self.roots)

    def close(self) -> None:
        """End the threads that listen."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def step(self) -> None:
        """Take in what has happened, and make a pass if one is due."""
        if self._monitor.changed() or (self._events and not self._events.alive):
            # Before the pass: what happens during it has to be heard.
            self._listen()
            self._seen.clear()
            self._next_poll = self._next_recheck = -math.inf
        self._hear()
        now = time.monotonic()
        if now >= self._next_recheck:
            self._pending.note_whole()
            self._next_recheck = now + self.settings.recheck
        if self._pending.whole_due(now):
            self._survey(now)
        if now >= self._next_poll:
            self._look_through(now)
            self._next_poll = time.monotonic() + self.settings.poll
        self._make_pass(now)

    def _make_pass(self, now: float) -> None:
        due = self._pending.next_pass(now, look=look_at)
        if due is None:
            return
        folders = due.folders(self.roots, is_folder=_is_real_folder)
        if self.index(folders, held=due.held, within=frozenset(self.roots)):
            self._pending.finish(due)
        else:
            self._pending.postpone(time.monotonic())

    def _listen(self) -> None:
        """Listen wherever there is something to hear; the rest is looked through."""
        self.close()
        self._silent = self._silent_folders()
        heard = [root for root in self._monitor.present() if root not in self._silent]
        if not heard:
            return
        try:
            from indexer.watch.events import EventSource

            self._events = EventSource(heard)
            self._events.open()
        except ImportError as error:  # it uses parts of watchdog that are not promised to stay
            self._give_up_listening(
                f"this watchdog does not tell of changes as it has to ({error}); "
                "install `watchdog>=7.1,<8`"
            )
        except NoWatchesError as error:
            self._give_up_listening(str(error))
        except OSError as error:
            self._give_up_listening(f"changes cannot be listened for ({error})")

    def _give_up_listening(self, why: str) -> None:
        self.close()
        self._silent = frozenset(self.roots)
        self._next_poll = -math.inf
        self._pending.note_whole()  # what was not heard before
        self._say(f"{why}; until then all is looked through every {self.settings.poll:g} s")

    def _silent_folders(self) -> frozenset[Path]:
        roots = frozenset(self.roots)
        if self.settings.poll_everything:
            return roots
        found = self._monitor.unwatchable()
        silent = {
            folder
            for folder in found
            if folder in roots or concerns_index(folder, is_folder=True, roots=roots)
        }
        for folder in sorted(silent):
            self._say(
                f"{folder} is on a file system that does not tell of every change; "
                f"it is looked through every {self.settings.poll:g} s"
            )
        return frozenset(silent)

    def _hear(self) -> None:
        if self._events is None:
            return
        told = self._events.drain()
        for path, at in told.paths.items():
            self._pending.note(path, at=at, look=look_at(path))
            if path.is_symlink() and is_folder(path):
                self._follow(path)
        if told.lost:
            self._pending.note_whole()
        if told.shortage is not None:
            self._give_up_listening(told.shortage)

    def _follow(self, link: Path) -> None:
        """A link to a folder has come: what happens behind it is not told of."""
        self._linked.update(root for root in self.roots if root in link.parents)
        self._next_poll = -math.inf

    def _survey(self, now: float) -> None:
        """Before a pass over everything: hold back what was still being written a moment ago."""
        self._linked.clear()
        for root in self._monitor.present():
            files = self._walk(root)
            for path, look in files.items():
                # A time in the future tells nothing: such a file has to rest, too.
                if look is not None and time.time() - look[1] / 1e9 < self.settings.settle:
                    self._pending.note(path, at=now, look=look)
            if any(os.path.realpath(folder) != str(folder) for folder in {p.parent for p in files}):
                self._linked.add(root)  # what happens behind links is not told of

    def _look_through(self, now: float) -> None:
        """Find what has changed where nothing is heard."""
        for folder in sorted(self._silent | self._linked):
            after = self._walk(folder)
            for path in changes(self._seen.get(folder, after), after):
                self._pending.note(path, at=now, look=after.get(path))
            self._seen[folder] = after

    def _walk(self, folder: Path) -> dict[Path, Look]:
        try:
            walk = self.find(folder)
        except PathMissingError:  # a disk that is not mounted now
            return {}
        return {file.path: (file.size, file.mtime_ns) for file in walk.files}

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self.tell(sentence)


def _is_real_folder(path: Path) -> bool:
    """What lies behind a link is walked from the folder that holds the link, by that name."""
    return is_folder(path) and os.path.realpath(path) == os.fspath(path)


def look_at(path: Path) -> Look:
    """What `path` looks like now."""
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # it is there, but the system would not show it
        return (-1, -1)
    return (0, 0) if stat.S_ISDIR(state.st_mode) else size_and_time(state)
