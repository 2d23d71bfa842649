"""Which files below the given paths are videos, in a stable order."""

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from catalog import name_matcher
from indexer.errors import PathMissingError, reason
from indexer.file_state import size_and_time
from indexer.records import FailedFile

VIDEO_SUFFIXES = frozenset(
    {
        ".3g2", ".3gp", ".amv", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264",
        ".h265", ".hevc", ".ivf", ".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg",
        ".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nut",
        ".obu", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".tod", ".ts", ".vob", ".webm", ".wmv",
        ".y4m",
    }
)  # fmt: skip

# Folders that systems and network disks keep for themselves: bins, recovered pieces, thumbnails.
SYSTEM_FOLDERS = frozenset(
    {"$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle", "__macosx"}
)

_SECONDS_BETWEEN_REPORTS = 0.5
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR)
_KINDS = {
    stat.S_IFIFO: "is a named pipe, not a regular file",  # opening it would wait for ever
    stat.S_IFSOCK: "is a socket, not a regular file",
    stat.S_IFCHR: "is a device, not a regular file",
    stat.S_IFBLK: "is a device, not a regular file",
}


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file that looks like a video, as the walk saw it.

    `root` is the given folder below which it lies (the parent folder of a file given by name);
    `pathname` is the text of its absolute path, as a `Path` for each of very many files would cost
    more than to find them; `size` is in bytes, `mtime_ns` in nanoseconds (see `size_and_time`).
    """

    root: Path
    pathname: str
    size: int
    mtime_ns: int

    @property
    def path(self) -> Path:
        """The absolute path; made anew each time."""
        return Path(self.pathname)


@dataclass(frozen=True, slots=True)
class Walk:
    """All that a walk found, each in order of the paths.

    `files` hold each path once. `unreadable` are folders and files that the system would not show,
    and what bears the name of a video and is no file. `empty_roots` are given folders without any
    entry at all, which is what a disk that is not mounted looks like. `mounts` are the mount points
    that were met: the one that holds each root (but never `/`), and each folder below a root, or
    reached through a link, that lies on another device than the folder it was met in. `dangling`
    are links to nothing, whatever their names: their disks may not be mounted.
    """

    roots: tuple[Path, ...]
    files: tuple[FoundFile, ...]
    unreadable: tuple[FailedFile, ...]
    empty_roots: tuple[Path, ...]
    mounts: tuple[Path, ...]
    dangling: tuple[Path, ...]


def find_videos(
    paths: Iterable[Path],
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    within: Iterable[Path] = (),
    on_progress: Callable[[int], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Walk:
    """Walk files and folders; links are followed, and no folder is entered twice.

    In folders a file counts when its suffix is one of `VIDEO_SUFFIXES` (in either case); hidden
    and system entries are skipped. A file or folder given by name is taken whatever its name.
    `exclude` drops what matches any of its patterns, a non-empty `include` keeps only what matches
    one. A pattern means what it means everywhere (see `catalog.path_matcher`); unless it is
    absolute, the names of the given folder and of those above it do not count.

    A path below one of the folders `within` is a part of that folder: what is found is what a walk
    of the whole folder finds there, with that folder as its root.

    `on_progress` is told how many files were found so far, at most twice a second by `clock`.

    Raises PathMissingError when a given path is not there.
    """
    roots = _outermost(paths)
    walker = _Walker(
        include=[_Pattern(pattern) for pattern in include],
        exclude=[_Pattern(pattern) for pattern in exclude],
        within=frozenset(within),
        on_progress=on_progress,
        clock=clock,
    )
    for root in roots:
        walker.add_root(root)
    walker.follow_links()
    return Walk(
        roots=roots,
        # As paths are in order: `a/b` before `a.b`.
        files=tuple(sorted(walker.files, key=lambda file: file.pathname.replace("/", "\0"))),
        unreadable=tuple(sorted(walker.unreadable, key=lambda failed: failed.path)),
        empty_roots=tuple(walker.empty_roots),
        mounts=tuple(sorted(walker.mounts)),
        dangling=tuple(sorted(walker.dangling)),
    )


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Resolved paths without those that lie below another one: each file has one root."""
    resolved = {_resolve(path) for path in paths}
    return tuple(sorted(path for path in resolved if resolved.isdisjoint(path.parents)))


def _resolve(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that points at itself
        raise PathMissingError(
            f"{path} is not there or cannot be reached; "
            "check the spelling, and whether its disk is mounted"
        ) from error


class _Pattern:
    """A glob that is asked about each folder on the way down, and so about one name at a time."""

    def __init__(self, pattern: str) -> None:
        self._fits = name_matcher(pattern)
        self._absolute = Path(pattern).is_absolute()

    def fits(self, pathname: str, *, start: int) -> bool:
        """Whether it means this very path: the whole, if it is absolute, else from `start` on."""
        return self._fits(pathname if self._absolute else pathname[start:])

    def fits_root(self, root: Path) -> bool:
        """Whether it means the whole of a root: by the root's own name, or by one above it."""
        counted = (root, *root.parents) if self._absolute else (Path("/"),)
        return any(self._fits(os.fspath(path)) for path in counted)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to list; `above` is the device of the folder that it was met in.

    Patterns count the names from `start` on, behind those of the root; `included` says that all
    that lies in it is.
    """

    pathname: str
    root: Path
    start: int
    above: int
    included: bool


@dataclass(slots=True, kw_only=True)
class _Walker:
    include: list[_Pattern]
    exclude: list[_Pattern]
    within: frozenset[Path]
    on_progress: Callable[[int], None] | None
    clock: Callable[[], float]
    files: list[FoundFile] = field(default_factory=list)
    unreadable: list[FailedFile] = field(default_factory=list)
    empty_roots: list[Path] = field(default_factory=list)
    mounts: set[Path] = field(default_factory=set)
    dangling: list[Path] = field(default_factory=list)
    _entered: set[tuple[int, int]] = field(default_factory=set)
    _links: deque[_Folder] = field(default_factory=deque)
    _next_report: float = float("-inf")

    def add_root(self, given: Path) -> None:
        """Take a file, or all that lies below a folder but behind links."""
        try:
            state = given.stat()
            top = given if stat.S_ISDIR(state.st_mode) else given.parent
            device = self._add_mount_above(top)
        except OSError as error:
            self._note(os.fspath(given), reason(error))
            return
        root = next((above for above in top.parents if above in self.within), top)
        if self._any_fits(self.exclude, top, root=root):
            return
        included = not self.include or self._any_fits(self.include, top, root=root)
        start = len(os.fspath(root).rstrip("/"))
        folder = _Folder(os.fspath(top), root, start, device, included)
        if top is given:
            self._add_tree(folder)
        elif not self._is_excluded(os.fspath(given), folder):
            self._add_file(os.fspath(given), state, folder)

    def follow_links(self) -> None:
        """Enter linked folders, after all real ones: what has a real path here goes by that."""
        while self._links:
            self._add_tree(self._links.popleft())

    def _add_mount_above(self, folder: Path) -> int:
        """Note the topmost folder above on the same device, unless it is `/`; the device."""
        device = folder.stat().st_dev
        while folder != folder.parent and folder.parent.stat().st_dev == device:
            folder = folder.parent
        if folder != folder.parent:
            self.mounts.add(folder)
        return device

    def _add_tree(self, top: _Folder) -> None:
        folders = [top]
        while folders:
            folder = folders.pop()
            try:
                folders.extend(self._add_folder(folder))
            except OSError as error:
                self._note(folder.pathname, reason(error))
            if self.on_progress is not None and self.clock() >= self._next_report:
                self._next_report = self.clock() + _SECONDS_BETWEEN_REPORTS
                self.on_progress(len(self.files))

    def _add_folder(self, folder: _Folder) -> list[_Folder]:
        """Take the files in a folder, unless it was entered before; the real folders in it."""
        state = os.stat(folder.pathname)  # noqa: PTH116 - a Path for each costs more
        if (state.st_dev, state.st_ino) in self._entered:
            return []
        self._entered.add((state.st_dev, state.st_ino))
        if state.st_dev != folder.above:
            self.mounts.add(Path(folder.pathname))
        with os.scandir(folder.pathname) as scan:
            entries = sorted(scan, key=attrgetter("name"))
        if not entries and folder.pathname == os.fspath(folder.root):
            self.empty_roots.append(folder.root)
        inside = []
        for entry in entries:
            name = entry.name
            if name.startswith(".") or (self.exclude and self._is_excluded(entry.path, folder)):
                continue
            try:
                if not entry.is_file(follow_symlinks=False):
                    inside += self._add_unusual(entry, folder, device=state.st_dev)
                elif name[name.rfind(".") :].lower() in VIDEO_SUFFIXES:
                    self._add_file(entry.path, entry.stat(), folder)
            except OSError as error:
                self._note(entry.path, reason(error))
        inside.reverse()  # the last is entered first
        return inside

    def _add_unusual(
        self, entry: "os.DirEntry[str]", folder: _Folder, *, device: int
    ) -> list[_Folder]:
        """A real folder is to be entered now, a linked one later; links to files are taken."""
        if entry.is_dir(follow_symlinks=False):
            return self._folders(entry, folder, device=device)
        if entry.is_symlink():
            self._add_link(entry, folder, device=device)
        elif _is_video_name(entry.name):
            self._add_file(entry.path, entry.stat(), folder)
        return []

    def _folders(self, entry: "os.DirEntry[str]", folder: _Folder, *, device: int) -> list[_Folder]:
        if entry.name.lower() in SYSTEM_FOLDERS:
            return []
        included = self._is_included(entry.path, folder)
        return [_Folder(entry.path, folder.root, folder.start, device, included)]

    def _add_link(self, entry: "os.DirEntry[str]", folder: _Folder, *, device: int) -> None:
        try:
            state = entry.stat()
        except OSError as error:
            text = reason(error)
            if error.errno in _NOTHING_THERE:
                self.dangling.append(Path(entry.path))
                text = f"is a link to {Path(entry.path).readlink()}, which is not there"
            if _is_video_name(entry.name) and self._is_included(entry.path, folder):
                self._note(entry.path, text)
            return
        if not stat.S_ISDIR(state.st_mode):
            if _is_video_name(entry.name):
                self._add_file(entry.path, state, folder)
        else:
            self._links += self._folders(entry, folder, device=device)

    def _add_file(self, pathname: str, state: os.stat_result, folder: _Folder) -> None:
        if not (folder.included or self._is_included(pathname, folder)):
            return
        if stat.S_ISREG(state.st_mode):
            size, mtime_ns = size_and_time(state)
            self.files.append(FoundFile(folder.root, pathname, size, mtime_ns))
        else:
            kind = stat.S_IFMT(state.st_mode)
            self._note(pathname, _KINDS.get(kind, "is not a regular file"))

    def _any_fits(self, patterns: Iterable[_Pattern], top: Path, *, root: Path) -> bool:
        """Whether a pattern means the root, or one of the folders from there down to `top`."""
        inside = [folder for folder in (top, *top.parents) if root in folder.parents]
        start = len(os.fspath(root).rstrip("/"))
        return any(
            pattern.fits_root(root)
            or any(pattern.fits(os.fspath(folder), start=start) for folder in inside)
            for pattern in patterns
        )

    def _is_excluded(self, pathname: str, folder: _Folder) -> bool:
        return any(pattern.fits(pathname, start=folder.start) for pattern in self.exclude)

    def _is_included(self, pathname: str, folder: _Folder) -> bool:
        return folder.included or any(
            pattern.fits(pathname, start=folder.start) for pattern in self.include
        )

    def _note(self, pathname: str, error: str) -> None:
        self.unreadable.append(FailedFile(path=Path(pathname), error=error))


def _is_video_name(name: str) -> bool:
    return name[name.rfind(".") :].lower() in VIDEO_SUFFIXES
