"""The watch loop: collects file-system events, polls where there are none, and starts passes."""

import math
import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from catalog import true_path
from indexer.errors import NoWatchesError, PathMissingError
from indexer.scan.walk import FoundFile, Walk, find_videos
from indexer.watch.debounce import (
    Look,
    PendingChanges,
    WatchSettings,
    changes,
    concerns_index,
)
from indexer.watch.mounts import RootMonitor
from machine.file_state import size_and_time
from machine.paths import enclosing, is_below, outermost
from machine.presence import is_folder

if TYPE_CHECKING:
    from indexer.watch.events import EventSource

MAX_SLEEP = 1.0  # seconds between two steps of the loop


class IndexPass(Protocol):
    """A callback that indexes some of the watched files."""

    def __call__(
        self,
        paths: Sequence[Path],
        /,
        *,
        roots: frozenset[Path],
        defer: Callable[[Walk], Iterable[Path]],
    ) -> bool:
        """Index `paths` with `roots` and `defer` as in `IndexSettings`; False: try again later."""


def watch_library(
    paths: Iterable[Path],
    *,
    index: IndexPass,
    settings: WatchSettings,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    ignore_files: bool = True,
    on_message: Callable[[str], None],
) -> None:
    """Call `index` for all `paths` at once, then for what changes there, until KeyboardInterrupt.

    Passes run one at a time, in this thread; each walks its files once, and a pass over everything
    counts as a poll. `on_message` receives sentences for the user. Folders are polled where the
    file system does not report changes, or where the system allows no more watches. A root that
    disappears, such as a disk that is unmounted, is watched again when it is back.

    Raises KeyboardInterrupt, and whatever `index` raises.
    """
    roots = outermost(true_path(path) for path in paths)
    watcher = _Watcher(
        roots=roots,
        index=index,
        settings=settings,
        find=lambda folder: find_videos(
            [folder], include=include, exclude=exclude, roots=roots, ignore_files=ignore_files
        ),
        on_message=on_message,
    )
    with closing(watcher):
        while True:
            watcher.step()
            time.sleep(min(settings.settle, MAX_SLEEP))


@dataclass(slots=True, kw_only=True)
class _Watcher:
    """The state of the loop.

    Polled are the `_unwatchable` folders and the roots that contain links to folders elsewhere
    (`_linked`). `_seen` is what the last walk found below the `_compared` folders.
    """

    roots: tuple[Path, ...]
    index: IndexPass
    settings: WatchSettings
    find: Callable[[Path], Walk]
    on_message: Callable[[str], None]
    _pending: PendingChanges = field(init=False)
    _monitor: RootMonitor = field(init=False)
    _events: "EventSource | None" = None
    _messages: set[str] = field(default_factory=set)
    _unwatchable: frozenset[Path] = frozenset()
    _linked: frozenset[Path] = frozenset()
    _seen: dict[str, Look] = field(default_factory=dict)
    _compared: frozenset[str] = frozenset()
    _next_poll: float = -math.inf
    _next_recheck: float = -math.inf

    def __post_init__(self) -> None:
        self._pending = PendingChanges(settle=self.settings.settle)
        self._monitor = RootMonitor(self.roots)

    def close(self) -> None:
        """End the threads of the event source."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def step(self) -> None:
        """Collect what has changed, and make a pass if one is due."""
        if self._monitor.changed() or (self._events and not self._events.alive):
            # Before the pass: changes during the pass must be noticed.
            self._listen()
            self._seen, self._compared = {}, frozenset()
            self._next_poll = self._next_recheck = -math.inf
        self._drain_events()
        now = time.monotonic()
        if now >= self._next_recheck:
            self._pending.note_everything()
            self._next_recheck = now + self.settings.recheck
        if now >= self._next_poll and not self._pending.everything_is_due(now):
            self._poll()
        self._make_pass(now)

    def _make_pass(self, now: float) -> None:
        found = self._pending.next_pass(now, look=look_at)
        if found is None:
            return
        due = found

        def defer(walk: Walk) -> frozenset[Path]:
            nonlocal due
            if due.everything:
                self._note_unsettled(walk)
                due = self._pending.next_pass(time.monotonic(), look=look_at) or due
            return due.deferred

        folders = due.folders(self.roots, is_folder=_is_real_folder)
        if self.index(folders, roots=frozenset(self.roots), defer=defer):
            self._pending.finish(due)
        else:
            self._pending.postpone(time.monotonic())

    def _note_unsettled(self, walk: Walk) -> None:
        """Note the files of a walk over everything that may still be being written."""
        now = time.monotonic()
        for file in walk.every_file:
            # A time in the future proves nothing: such a file has to rest, too.
            if time.time() - file.mtime_ns / 1e9 < self.settings.settle:
                self._pending.note(file.path, at=now, look=(file.size, file.mtime_ns))
        behind_links = _folders_behind_links(walk.files)
        self._linked = frozenset(f.root for f in walk.files if _folder(f) in behind_links)
        self._compare(walk.every_file)

    def _poll(self) -> None:
        """Find what has changed where no events come from."""
        files: list[FoundFile] = []
        for folder in outermost(self._unwatchable | self._linked):
            with suppress(PathMissingError):  # a disk that is not mounted now
                files += self.find(folder).every_file
        self._compare(files)

    def _compare(self, files: Sequence[FoundFile]) -> None:
        """Note what has changed in the polled folders since the last walk over them."""
        polled = frozenset(map(str, self._unwatchable | self._linked))
        before, compared = self._seen, self._compared
        self._seen, self._compared = self._states(files, below=polled), polled
        self._next_poll = time.monotonic() + self.settings.poll
        for name in changes(before, self._seen):
            if enclosing(name, compared):
                self._pending.note(Path(name), at=time.monotonic(), look=self._seen.get(name))

    def _states(self, files: Sequence[FoundFile], *, below: frozenset[str]) -> dict[str, Look]:
        """Size and time of the files below these folders by their paths.

        Without those that lie in another root, to which a link leads: that root is watched itself.
        """
        if not below:
            return {}
        behind_links = _folders_behind_links(files)
        states: dict[str, Look] = {}
        for file in files:
            real = behind_links.get(_folder(file))
            other_root = real and enclosing(Path(real), self.roots)
            if enclosing(file.pathname, below) and other_root in (None, file.root):
                states[file.pathname] = (file.size, file.mtime_ns)
        return states

    def _listen(self) -> None:
        """Watch wherever the file system sends events; the rest is polled."""
        self.close()
        self._unwatchable = self._unwatchable_folders()
        watched = [root for root in self._monitor.present() if root not in self._unwatchable]
        if not watched:
            return
        try:
            from indexer.watch.events import EventSource

            self._events = EventSource(watched)
            self._events.open()
        except ImportError as error:  # it uses parts of watchdog that are not promised to stay
            self._poll_everything(
                f"this version of watchdog does not report changes as needed ({error}); "
                "install `watchdog>=7.1,<8`"
            )
        except NoWatchesError as error:
            self._poll_everything(str(error))
        except OSError as error:
            self._poll_everything(f"changes cannot be watched ({error})")

    def _poll_everything(self, why: str) -> None:
        self.close()
        self._unwatchable = frozenset(self.roots)
        self._next_poll = -math.inf
        self._pending.note_everything()  # changes without an event
        self._report_once(f"{why}; until then all is looked through every {self.settings.poll:g} s")

    def _unwatchable_folders(self) -> frozenset[Path]:
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
            self._report_once(
                f"{folder} is on a file system that does not report every change; "
                f"it is looked through every {self.settings.poll:g} s"
            )
        return frozenset(silent)

    def _drain_events(self) -> None:
        if self._events is None:
            return
        pending = self._events.drain()
        for path, at in pending.paths.items():
            self._pending.note(path, at=at, look=look_at(path))
            if path.is_symlink() and is_folder(path):
                self._follow(path)
        if pending.lost:
            self._pending.note_everything()
        if pending.shortage is not None:
            self._poll_everything(pending.shortage)

    def _follow(self, link: Path) -> None:
        """Poll the root of a new link to a folder: no events come from behind it."""
        self._linked |= {root for root in self.roots if is_below(link, root)}
        self._next_poll = -math.inf

    def _report_once(self, sentence: str) -> None:
        if sentence not in self._messages:
            self._messages.add(sentence)
            self.on_message(sentence)


def _is_real_folder(path: Path) -> bool:
    """What lies behind a link is walked from the folder that holds the link, by that name."""
    return is_folder(path) and os.path.realpath(path) == os.fspath(path)


def look_at(path: Path) -> Look:
    """Size and time of `path` now; see `Look`."""
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # it is there, but the system would not show it
        return (-1, -1)
    return (0, 0) if stat.S_ISDIR(state.st_mode) else size_and_time(state)


def _folder(file: FoundFile) -> str:
    return file.pathname.rpartition("/")[0]


def _folders_behind_links(files: Iterable[FoundFile]) -> dict[str, str]:
    """The folders of these files that links lead to, with their paths without links."""
    real_paths = {folder: os.path.realpath(folder) for folder in set(map(_folder, files))}
    return {folder: real for folder, real in real_paths.items() if real != (folder or "/")}
