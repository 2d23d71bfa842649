"""File-system events; the only file that imports the watchdog library."""

import errno
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from indexer.errors import NoWatchesError
from indexer.watch.debounce import concerns_index
from machine.presence import is_folder, is_regular_file

# Opening, reading and closing after reading are not among them: we do that ourselves, all the time.
_CHANGES: list[type[FileSystemEvent]] = [
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


@dataclass(frozen=True, slots=True)
class PendingEvents:
    """Events since the last call: paths, each with the time of its last event.

    `lost`: events were dropped, so that anything may have happened. `shortage`: some folders are
    not watched, as the system allows no more watches; says how to allow more.
    """

    paths: dict[Path, float]
    lost: bool = False
    shortage: str | None = None


class EventSource:
    """Source of changes at and below `roots`, folders or single files, from `open` to `close`.

    Times are of `clock`, in seconds.
    """

    def __init__(
        self, roots: Iterable[Path], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._roots = frozenset(roots)
        self._clock = clock
        self._lock = threading.Lock()
        self._pending = PendingEvents({})
        self._observer: BaseObserver | None = None

    def open(self) -> None:
        """Listen from here on.

        Raises NoWatchesError where the system allows no more watches, OSError where one of the
        roots cannot be watched.
        """
        _silence()
        try:
            self._observer = _observer(on_loss=self._note_loss, on_shortage=self._note_shortage)
            self._observer.start()
            for root in self._roots:
                self._schedule(self._observer, root)
        except OSError as error:
            self.close()
            if error.errno in (errno.ENOSPC, errno.EMFILE):
                raise NoWatchesError(_shortage(error.errno)) from error
            raise

    def close(self) -> None:
        """End all threads; does nothing where there are none."""
        observer, self._observer = self._observer, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join()

    @property
    def alive(self) -> bool:
        """Whether every root is still being listened to."""
        observer = self._observer
        if observer is None or not observer.is_alive():
            return False
        return _is_listening(observer) and all(one.is_alive() for one in observer.emitters)

    def drain(self) -> PendingEvents:
        """Take the events since the last call."""
        with self._lock:
            pending, self._pending = self._pending, PendingEvents({})
        return pending

    def _schedule(self, observer: BaseObserver, root: Path) -> None:
        is_file = is_regular_file(root)
        observer.schedule(
            _Handler(self._note),
            os.fspath(root.parent if is_file else root),
            recursive=not is_file,
            event_filter=_CHANGES,
        )

    def _note(self, event: FileSystemEvent) -> None:
        """Called in a thread of the observer."""
        named = (event.src_path, event.dest_path)
        paths = [Path(os.fsdecode(name)) for name in named if name]
        now = self._clock()
        with self._lock:  # once: the two names of a move belong together
            for path in paths:
                is_folder = event.is_directory or _leads_to_a_folder(path, event)
                if concerns_index(path, is_folder=is_folder, roots=self._roots):
                    self._pending.paths[path] = now

    def _note_loss(self) -> None:
        with self._lock:
            self._pending = replace(self._pending, lost=True)

    def _note_shortage(self) -> None:
        with self._lock:
            self._pending = replace(self._pending, shortage=_shortage(errno.ENOSPC))


def _leads_to_a_folder(path: Path, event: FileSystemEvent) -> bool:
    """Whether the event is that a link to a folder has come."""
    has_come = isinstance(event, FileCreatedEvent | FileMovedEvent)
    return has_come and path.is_symlink() and is_folder(path)


class _Handler(FileSystemEventHandler):
    def __init__(self, note: Callable[[FileSystemEvent], None]) -> None:
        self._note = note

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._note(event)


def _silence() -> None:
    """Keep watchdog from writing on stderr what is handled here, or what is no fault."""
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)
    # A folder that was moved away and comes back is still known to it.
    warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)


def _shortage(number: int | None) -> str:
    """Message: which limit of the system was reached, and how to raise it."""
    what, limit, enough = (
        ("programs that watch folders", "max_user_instances", 1024)
        if number == errno.EMFILE
        else ("watched folders", "max_user_watches", 1048576)
    )
    return (
        f"this system allows no more {what}; allow more with "
        f"`sudo sysctl fs.inotify.{limit}={enough}`, then start again"
    )


if sys.platform == "linux":
    from watchdog.observers.inotify import InotifyEmitter
    from watchdog.observers.inotify_c import (
        CallbackId,
        InotifyEvent,
        InotifyFD,
        Mask,
        WatchCallback,
        WatchDescriptor,
    )

    class _Inotify(InotifyFD):
        """Inotify that also reports dropped events, and folders left unwatched."""

        def __init__(self, *, on_loss: Callable[[], None], on_shortage: Callable[[], None]) -> None:
            self._on_loss = on_loss
            self._on_shortage = on_shortage
            super().__init__()

        def add_callback(
            self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
        ) -> WatchDescriptor:
            try:
                return super().add_callback(path, mask, callback, id_)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    self._on_shortage()
                raise

        def handle_event(self, event: InotifyEvent) -> None:
            super().handle_event(event)
            if event.is_queue_overflow:
                self._on_loss()

    class _InotifyObserver(BaseObserver):
        """Watchdog's own observer for Linux, but with the class above."""

        def __init__(self, *, on_loss: Callable[[], None], on_shortage: Callable[[], None]) -> None:
            self.inotify = _Inotify(on_loss=on_loss, on_shortage=on_shortage)
            self.inotify.start()
            super().__init__(InotifyEmitter, inotify_fd=self.inotify)

        def on_thread_stop(self) -> None:
            super().on_thread_stop()
            self.inotify.stop()
            self.inotify.join()

    def _observer(*, on_loss: Callable[[], None], on_shortage: Callable[[], None]) -> BaseObserver:
        return _InotifyObserver(on_loss=on_loss, on_shortage=on_shortage)

    def _is_listening(observer: BaseObserver) -> bool:
        return isinstance(observer, _InotifyObserver) and observer.inotify.is_alive()

else:  # neither a loss nor a shortage is known there
    from watchdog.observers import Observer

    def _observer(**_callbacks: Callable[[], None]) -> BaseObserver:
        return Observer()

    def _is_listening(_: BaseObserver) -> bool:
        return True
