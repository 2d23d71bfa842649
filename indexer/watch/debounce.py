"""Debouncing of changes in a watched library: arithmetic only, with a clock that is given.

A path is a file or a folder below a watched one that has changed. It is due when nothing has
happened to it for a while and it still looks as it did; until then it is deferred. Times are
seconds on a clock that only ever moves forward.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from catalog import FileProblem
from indexer.errors import SettingsError
from indexer.scan.names import IGNORE_FILES, is_left_out, is_subtitle_name, is_video_name
from machine.paths import enclosing, outermost

# Seconds that something gone is remembered at most while something else is still changing.
MAX_MOVE_WAIT = 60.0
MAX_RETRY_DELAY = 60.0  # seconds between two tries of a pass that cannot be done

# What a file looks like: size in bytes and time of its last change in nanoseconds; of a folder
# only that it is one. None where there is nothing.
Look: TypeAlias = tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """Settings of a watch, in seconds. Raises SettingsError where a number makes no sense.

    A file is indexed when it has not changed for `settle`. Where the file system sends no events,
    folders are walked every `poll`; everywhere with `poll_everything`. Every `recheck` everything
    is walked, whatever events came.
    """

    settle: float = 5.0
    poll: float = 60.0
    poll_everything: bool = False
    recheck: float = 3600.0

    def __post_init__(self) -> None:
        for name in ("settle", "poll", "recheck"):
            seconds: float = getattr(self, name)
            if not (math.isfinite(seconds) and seconds >= 0.1):
                raise SettingsError(f"{name} is {seconds} seconds; give at least 0.1")


@dataclass(frozen=True, slots=True)
class Pass:
    """Files and folders to index now: those that are `due`, or all when `everything`.

    `deferred` are left as they are in the catalog: files that may still grow, and files and folders
    that have gone a few seconds ago.
    """

    due: frozenset[Path]
    everything: bool
    deferred: frozenset[Path]

    def folders(
        self, roots: Iterable[Path], *, is_folder: Callable[[Path], bool]
    ) -> tuple[Path, ...]:
        """The outermost paths to walk, each a watched one or a folder below one.

        What is gone is looked for in the nearest folder above it that is still there.
        """
        among = frozenset(roots)
        if self.everything:
            return outermost(among)
        return outermost(_nearest_folder(path, among, is_folder) for path in self.due)


@dataclass(slots=True)
class _Change:
    first: float
    last: float
    look: Look


@dataclass(slots=True, kw_only=True)
class PendingChanges:
    """Changes at and below the watched paths that are not indexed yet."""

    settle: float
    _open: dict[Path, _Change] = field(default_factory=dict)
    _everything: bool = False
    _pause: float = 0.0
    _not_before: float = -math.inf

    def note(self, path: Path, *, at: float, look: Look) -> None:
        """Note a change of `path`, which now looks like `look`."""
        known = self._open.setdefault(path, _Change(first=at, last=at, look=look))
        known.last = max(known.last, at)
        known.look = look

    def note_everything(self) -> None:
        """Note that anything may have changed."""
        self._everything = True

    def everything_is_due(self, now: float) -> bool:
        """Whether the next pass, at `now`, goes over everything."""
        return self._everything and now >= self._not_before

    def next_pass(self, now: float, *, look: Callable[[Path], Look]) -> Pass | None:
        """Pass that is due at `now`; None when none is, or when it is too early to try again."""
        if now < self._not_before:
            return None
        rested = {path for path in self._open if self._has_rested(path, now, look)}
        if len(rested) < len(self._open):
            rested -= self._waited_with(rested, now)
        if not rested and not self._everything:
            return None
        deferred = frozenset(self._open) - rested
        return Pass(due=frozenset(rested), everything=self._everything, deferred=deferred)

    def finish(self, done: Pass) -> None:
        """Note that a pass was made: what was due is done."""
        for path in done.due:
            del self._open[path]
        self._everything = False
        self._pause, self._not_before = 0.0, -math.inf

    def postpone(self, now: float) -> None:
        """Note that a pass could not be made: wait before the next try, each time twice as long."""
        self._pause = min(max(2 * self._pause, self.settle), MAX_RETRY_DELAY)
        self._not_before = now + self._pause

    def _has_rested(self, path: Path, now: float, look: Callable[[Path], Look]) -> bool:
        change = self._open[path]
        if now - change.last < self.settle:
            return False
        # Not every change has an event: a file that is mapped into memory grows without one.
        if (current := look(path)) == change.look:
            return True
        change.look, change.last = current, now
        return False

    def _waited_with(self, rested: set[Path], now: float) -> set[Path]:
        """What has rested and waits all the same, as something else has not.

        What has gone may turn up there, and then nothing of it has to be decoded again. For a
        while all wait with it: a move is best seen in one pass.
        """
        age = {path: now - self._open[path].first for path in rested if not self._open[path].look}
        gone = {path for path in age if age[path] < MAX_MOVE_WAIT}
        return rested if any(age[path] < 2 * self.settle for path in gone) else gone


@dataclass(slots=True)
class ReportedFailures:
    """Failures that were reported; each is reported once, until it changes or is repaired."""

    _reported: dict[Path, str] = field(default_factory=dict)

    def new(
        self, failed: Iterable[FileProblem], *, below: Iterable[Path]
    ) -> tuple[FileProblem, ...]:
        """Those of `failed` that are new; a pass over `below` found these and no others there."""
        every = tuple(failed)
        new = tuple(one for one in every if self._reported.get(one.path) != one.reason)
        walked = frozenset(below)
        self._reported = {p: e for p, e in self._reported.items() if enclosing(p, walked) is None}
        self._reported.update({one.path: one.reason for one in every})
        return new


def changes(before: Mapping[str, Look], after: Mapping[str, Look]) -> frozenset[str]:
    """Paths that are new, gone or changed between two walks of the same folders."""
    return frozenset(path for path in {*before, *after} if before.get(path) != after.get(path))


def concerns_index(path: Path, *, is_folder: bool, roots: frozenset[Path]) -> bool:
    """Whether what happens to `path` can change what the index of `roots` should hold.

    That is so for a video, subtitles or a folder below a root, unless a hidden or system folder
    lies between, for an ignore file there, and for a root that is a file.
    """
    if path in roots:
        return not is_folder
    root = enclosing(path.parent, roots)
    if root is None:
        return False
    *above, name = path.relative_to(root).parts
    if any(map(is_left_out, above)):
        return False
    if is_folder:
        return not is_left_out(name)
    is_read = is_video_name(name) or is_subtitle_name(name)
    return name in IGNORE_FILES or (is_read and not name.startswith("."))


def _nearest_folder(path: Path, roots: frozenset[Path], is_folder: Callable[[Path], bool]) -> Path:
    """The path itself or the nearest one above that is a folder, but nothing above a root."""
    while path not in roots and not is_folder(path):
        path = path.parent
    return path
