"""Which files below the given paths are videos, in a stable order."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalog import path_matcher
from indexer.errors import PathMissingError, reason
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


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file that looks like a video, as the walk saw it.

    `root` is the given folder below which it lies (the parent folder of a file given by name);
    `path` is absolute; `size` is in bytes, `mtime_ns` in nanoseconds since the epoch.
    """

    root: Path
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Walk:
    """All that a walk found.

    `files` are sorted by path and each path occurs once. `unreadable` are folders and files that
    the system would not show. `empty_roots` are given folders without any entry at all, which is
    what a disk that is not mounted looks like.
    """

    roots: tuple[Path, ...]
    files: tuple[FoundFile, ...]
    unreadable: tuple[FailedFile, ...]
    empty_roots: tuple[Path, ...]


def find_videos(
    paths: Iterable[Path], *, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Walk:
    """Walk files and folders; links are followed, and no folder is entered twice.

    In folders a file counts when its suffix is one of `VIDEO_SUFFIXES` (in either case); hidden
    and system entries are skipped. A file or folder given by name is taken whatever its name.
    `exclude` drops what matches any of its patterns, a non-empty `include` keeps only what matches
    one. A pattern means what it means everywhere (see `catalog.path_matcher`); unless it is
    absolute, the names of the given folder and of those above it do not count.

    Raises PathMissingError when a given path is not there.
    """
    roots = _outermost(paths)
    walker = _Walker(
        include=[_matcher(pattern) for pattern in include],
        exclude=[_matcher(pattern) for pattern in exclude],
    )
    for root in roots:
        walker.add_root(root)
    walker.follow_links()
    return Walk(
        roots=roots,
        files=tuple(sorted(walker.files.values(), key=lambda file: file.path)),
        unreadable=tuple(walker.unreadable),
        empty_roots=tuple(walker.empty_roots),
    )


def _matcher(pattern: str) -> Callable[[Path, Path], bool]:
    """A test whether a glob pattern means a path below a root."""
    fits = path_matcher(pattern)
    if Path(pattern).is_absolute():
        return lambda path, _: fits(path)
    return lambda path, root: fits("/" / path.relative_to(root))


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


@dataclass(slots=True)
class _Walker:
    include: list[Callable[[Path, Path], bool]]
    exclude: list[Callable[[Path, Path], bool]]
    files: dict[Path, FoundFile] = field(default_factory=dict)
    unreadable: list[FailedFile] = field(default_factory=list)
    empty_roots: list[Path] = field(default_factory=list)
    _entered: set[tuple[int, int]] = field(default_factory=set)
    _links: list[tuple[Path, Path]] = field(default_factory=list)

    def add_root(self, root: Path) -> None:
        if root.is_dir():
            self._add_folder(root, root=root)
        else:
            self._add_file(root, root=root.parent)

    def follow_links(self) -> None:
        """Enter linked folders, after all real ones: what has a real path here goes by that."""
        while self._links:
            root, link = self._links.pop(0)
            self._add_folder(link, root=root)

    def _add_folder(self, top: Path, *, root: Path) -> None:
        folders = [top]
        while folders:
            for entry in self._list(folders.pop(), root=root):
                path = Path(entry.path)
                if not _is_folder(entry):
                    if path.suffix.lower() in VIDEO_SUFFIXES:
                        self._add_file(path, root=root)
                elif entry.is_symlink():
                    self._links.append((root, path))
                else:
                    folders.append(path)

    def _list(self, folder: Path, *, root: Path) -> Iterator["os.DirEntry[str]"]:
        """Entries in name order, without hidden and excluded ones; none when entered before."""
        try:
            state = folder.stat()
            if (state.st_dev, state.st_ino) in self._entered:
                return
            self._entered.add((state.st_dev, state.st_ino))
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            self._note(folder, error)
            return
        if folder == root and not entries:
            self.empty_roots.append(root)
        for entry in entries:
            if not _is_hidden(entry) and not self._is_excluded(Path(entry.path), root=root):
                yield entry

    def _add_file(self, path: Path, *, root: Path) -> None:
        if self._is_excluded(path, root=root) or not self._is_included(path, root=root):
            return
        try:
            state = path.stat()
        except OSError as error:
            self._note(path, error)
            return
        if not stat.S_ISREG(state.st_mode):  # opening a pipe would wait for ever
            self.unreadable.append(FailedFile(path=path, error="is not a regular file"))
            return
        self.files[path] = FoundFile(
            root=root, path=path, size=state.st_size, mtime_ns=state.st_mtime_ns
        )

    def _is_excluded(self, path: Path, *, root: Path) -> bool:
        return any(fits(path, root) for fits in self.exclude)

    def _is_included(self, path: Path, *, root: Path) -> bool:
        return not self.include or any(fits(path, root) for fits in self.include)

    def _note(self, path: Path, error: OSError) -> None:
        self.unreadable.append(FailedFile(path=path, error=reason(error)))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points at itself
        return False


def _is_hidden(entry: "os.DirEntry[str]") -> bool:
    return entry.name.startswith(".") or entry.name.lower() in SYSTEM_FOLDERS
