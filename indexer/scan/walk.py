"""Walk: the videos at and below the given paths, in a stable order."""

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path

from catalog import FileProblem, true_path
from indexer.errors import PathMissingError, reason
from indexer.scan.ignore_files import IgnoreRules, ignore_files_in
from indexer.scan.names import (
    IGNORE_FILES,
    is_left_out,
    is_subtitle_name,
    is_system_folder,
    is_video_name,
)
from indexer.scan.selection import Folder, Selection
from machine.file_state import size_and_time
from machine.loops import FolderLoops
from machine.mount_table import parse_mount_table, read_mount_table
from machine.paths import enclosing, outermost
from machine.presence import is_folder

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
    """Regular file with the name of a video or of subtitles, as the walk saw it.

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
    """Result of a walk, each field in order of the paths.

    `files` have each path once. `unreadable` are folders and files that the system refuses to show,
    and what has the name of a video and is no file. `empty_folders` are given folders without any
    entry at all, which is what a disk that is not mounted looks like. `mounts` are the mount points
    that were met: the one that holds each root (but never `/`), and each folder below a root, or
    reached through a link, that lies on another device than the folder it was met in. `dangling`
    are links to nothing, whatever their names: their disks may not be mounted. `left_out` are the
    files and folders that a pattern, an ignore file or a system's name kept from being looked at.
    `subtitles` are the subtitle files in the folders of the videos, whatever is included.
    """

    paths: tuple[Path, ...]
    files: tuple[FoundFile, ...]
    unreadable: tuple[FileProblem, ...]
    empty_folders: tuple[Path, ...]
    mounts: tuple[Path, ...]
    dangling: tuple[Path, ...]
    left_out: frozenset[str] = frozenset()
    subtitles: tuple[FoundFile, ...] = ()
    deferred: frozenset[str] = frozenset()

    @property
    def every_file(self) -> tuple[FoundFile, ...]:
        """Videos and subtitle files."""
        return self.files + self.subtitles

    def defers(self, pathname: str) -> bool:
        """Whether the file of this path is deferred, or lies in a folder that is."""
        return bool(self.deferred) and enclosing(pathname, self.deferred) is not None


def find_videos(
    paths: Iterable[Path],
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    roots: Iterable[Path] = (),
    ignore_files: bool = True,
    on_progress: Callable[[int], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Walk:
    """Walk files and folders; links are followed, and no folder is entered twice.

    A folder is known by its path without links: of numbers that file systems give to folders, some
    give one to several.

    In folders a file counts when its suffix is one of `VIDEO_SUFFIXES` (in either case); hidden
    and system entries are skipped, and with `ignore_files` what `.nomedia` and its kin are for (see
    `indexer.scan.ignore_files`). A file or folder given by name is taken whatever its name.
    `exclude` drops what matches any of its patterns, a non-empty `include` keeps only what matches
    one. A pattern means what it means everywhere (see `catalog.globs`); unless it is
    absolute, the names of the given folder and of those above it do not count. What lies behind a
    link is meant by the path through the link, and by its own.

    A path below one of the folders `roots` is a part of that folder: what is found is what a walk
    of the whole folder finds there, with that folder as its root.

    `on_progress` is called with the number of files found so far, at most every half second.

    Raises PathMissingError when a given path is not there.
    """
    resolved = outermost(map(_resolve, paths))
    walker = _Walker(
        selection=Selection(include=include, exclude=exclude),
        mount_points=_mount_points(),
        roots=frozenset(roots),
        ignore_files=ignore_files,
        on_progress=on_progress,
        clock=clock,
    )
    for path in resolved:
        walker.add_path(path)
    walker.follow_links()
    return Walk(
        paths=resolved,
        # As paths are in order: `a/b` before `a.b`.
        files=tuple(sorted(walker.files, key=lambda file: file.pathname.replace("/", "\0"))),
        unreadable=tuple(sorted(walker.unreadable, key=lambda failed: failed.path)),
        empty_folders=tuple(walker.empty_folders),
        mounts=tuple(sorted(walker.mounts)),
        dangling=tuple(sorted(walker.dangling)),
        left_out=frozenset(walker.left_out),
        subtitles=tuple(sorted(walker.subtitles, key=attrgetter("pathname"))),
    )


def _resolve(path: Path) -> Path:
    try:
        return true_path(path, strict=True)
    except OSError as error:
        raise PathMissingError.of(path) from error


@dataclass(slots=True, kw_only=True)
class _Walker:
    selection: Selection
    roots: frozenset[Path]
    ignore_files: bool
    mount_points: frozenset[str]
    on_progress: Callable[[int], None] | None
    clock: Callable[[], float]
    files: list[FoundFile] = field(default_factory=list)
    unreadable: list[FileProblem] = field(default_factory=list)
    empty_folders: list[Path] = field(default_factory=list)
    mounts: set[Path] = field(default_factory=set)
    dangling: list[Path] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    subtitles: list[FoundFile] = field(default_factory=list)
    _entered: set[str] = field(default_factory=set)
    _listed: set[str] = field(default_factory=set)
    _loops: FolderLoops = field(default_factory=FolderLoops)
    _links: deque[Folder] = field(default_factory=deque)
    _next_report: float = float("-inf")

    def add_path(self, given: Path) -> None:
        """Take a file, or all that lies below a folder but behind links."""
        try:
            state = given.stat()
            top = given if stat.S_ISDIR(state.st_mode) else given.parent
            device = self._add_mount_above(top)
        except OSError as error:
            self._note(os.fspath(given), reason(error))
            return
        root = enclosing(top.parent, self.roots) or top
        rules = self._rules_between(root, given)
        pathname = os.fspath(given)
        if rules is None or self.selection.excludes_part(top, root=root):
            self.left_out.append(pathname)
            return
        included = self.selection.includes_part(top, root=root)
        start = len(os.fspath(root).rstrip("/"))
        name = os.fspath(top)
        folder = Folder(name, name, root, start, device, included, rules)
        if top is given:
            self._add_tree(folder)
        elif self.selection.excludes(pathname, folder, real=None):
            self.left_out.append(pathname)
        else:
            self._add_file(pathname, state, folder)
            self._add_subtitles_beside(folder)

    def follow_links(self) -> None:
        """Enter linked folders, after all real ones: what has a real path here goes by that."""
        while self._links:
            self._add_tree(self._links.popleft())

    def _rules_between(self, root: Path, given: Path) -> IgnoreRules | None:
        """The rules of the folders from a root down to what was given as a part of it.

        None where a walk of the whole root would not come to it.
        """
        rules = IgnoreRules()
        if root in self.roots:
            above = root
            for name in given.relative_to(root).parts:
                pathname = os.fspath(above)
                found = self._with_files_in(pathname, ignore_files_in(pathname), rules, root=root)
                above = above / name
                if found is None or is_left_out(name):
                    return None
                rules = found
                if rules.ignores(os.fspath(above), is_folder=is_folder(above)):
                    return None
        return rules

    def _with_files_in(
        self, pathname: str, names: Iterable[str], rules: IgnoreRules, *, root: Path
    ) -> IgnoreRules | None:
        """The rules in a folder; one that was given is not left alone as a whole."""
        if not self.ignore_files:
            return rules
        found = rules.with_files_in(pathname, names)
        return rules if found is None and pathname == os.fspath(root) else found

    def _add_mount_above(self, folder: Path) -> int:
        """Note the topmost folder above on the same device, unless it is `/`; the device."""
        device = folder.stat().st_dev
        while folder != folder.parent:
            if self._is_mount(os.fspath(folder), device, folder.parent.stat().st_dev):
                self.mounts.add(folder)
                break
            folder = folder.parent
        return device

    def _is_mount(self, pathname: str, device: int, above: int) -> bool:
        """Whether a disk is mounted there, perhaps a folder of the same one (`mount --bind`)."""
        return device != above or pathname in self.mount_points

    def _add_tree(self, top: Folder) -> None:
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

    def _add_folder(self, folder: Folder) -> list[Folder]:
        """Take the files in a folder, unless it was entered before; the real folders in it."""
        if folder.real in self._entered:
            return []
        self._entered.add(folder.real)
        state = os.stat(folder.pathname)  # noqa: PTH116 - a Path for each costs more
        if self._loops.closes(folder.pathname, state):
            return []
        if self._is_mount(folder.real, state.st_dev, folder.above):
            self.mounts.add(Path(folder.pathname))
        with os.scandir(folder.pathname) as scan:
            entries = sorted(scan, key=attrgetter("name"))
        if not entries and folder.is_root():
            self.empty_folders.append(folder.root)
        marks = [entry.name for entry in entries if entry.name in IGNORE_FILES]
        if marks:
            rules = self._with_files_in(folder.pathname, marks, folder.rules, root=folder.root)
            if rules is None:
                self.left_out.append(folder.pathname)
                return []
            folder = replace(folder, rules=rules)
        return self._add_entries(entries, folder, device=state.st_dev)

    def _add_entries(
        self, entries: "Iterable[os.DirEntry[str]]", folder: Folder, *, device: int
    ) -> list[Folder]:
        inside = []
        selects = self.selection.has_excludes or bool(folder.rules)
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            try:
                if selects and self._is_excluded(entry, folder):
                    self.left_out.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    inside += self._add_unusual(entry, folder, device=device)
                elif is_video_name(name):
                    self._add_file(entry.path, entry.stat(), folder)
                elif is_subtitle_name(name):
                    self._add_subtitles(entry.path, entry.stat(), folder)
            except OSError as error:
                self._note(entry.path, reason(error))
        inside.reverse()  # the last is entered first
        return inside

    def _is_excluded(self, entry: "os.DirEntry[str]", folder: Folder) -> bool:
        """Whether a pattern or an ignore file means it, also without the link that leads here."""
        real = folder.real_path_of(entry.name)
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
        if self.selection.excludes(entry.path, folder, real=real):
            return True
        return bool(folder.rules) and folder.rules.ignores(entry.path, is_folder=entry.is_dir())

    def _add_unusual(
        self, entry: "os.DirEntry[str]", folder: Folder, *, device: int
    ) -> list[Folder]:
        """A real folder is to be entered now, a linked one later; links to files are taken."""
        if not entry.is_symlink():
            if entry.is_dir():
                return self._folders(entry, folder, device=device)
            if is_video_name(entry.name):
                self._add_file(entry.path, entry.stat(), folder)
            return []
        try:
            state = entry.stat()
        except OSError as error:
            self._add_broken_link(entry, folder, error)
            return []
        if stat.S_ISDIR(state.st_mode):
            self._links += self._folders(entry, folder, device=device)
        elif is_video_name(entry.name):
            self._add_file(entry.path, state, folder)
        elif is_subtitle_name(entry.name):
            self._add_subtitles(entry.path, state, folder)
        return []

    def _folders(self, entry: "os.DirEntry[str]", folder: Folder, *, device: int) -> list[Folder]:
        if is_system_folder(entry.name):
            self.left_out.append(entry.path)
            return []
        pathname = entry.path
        real = folder.real_path_of(entry.name) or pathname
        if entry.is_symlink():
            real = os.path.realpath(pathname)
        included = self._is_included(pathname, folder, real=real)
        return [Folder(pathname, real, folder.root, folder.start, device, included, folder.rules)]

    def _add_broken_link(self, entry: "os.DirEntry[str]", folder: Folder, error: OSError) -> None:
        text = reason(error)
        if error.errno in _NOTHING_THERE:
            self.dangling.append(Path(entry.path))
            text = f"is a link to {Path(entry.path).readlink()}, which is not there"
        if is_video_name(entry.name) and self._is_included(entry.path, folder):
            self._note(entry.path, text)

    def _add_file(self, pathname: str, state: os.stat_result, folder: Folder) -> None:
        if not (folder.included or self._is_included(pathname, folder)):
            self.left_out.append(pathname)
        elif stat.S_ISREG(state.st_mode):
            size, mtime_ns = size_and_time(state)
            self.files.append(FoundFile(folder.root, pathname, size, mtime_ns))
        else:
            kind = stat.S_IFMT(state.st_mode)
            self._note(pathname, _KINDS.get(kind, "is not a regular file"))

    def _add_subtitles(self, pathname: str, state: os.stat_result, folder: Folder) -> None:
        if stat.S_ISREG(state.st_mode):
            self.subtitles.append(FoundFile(folder.root, pathname, *size_and_time(state)))

    def _add_subtitles_beside(self, folder: Folder) -> None:
        """Take the subtitle files of a folder of which only files were given; once."""
        if folder.pathname in self._listed:
            return
        self._listed.add(folder.pathname)
        with suppress(OSError), os.scandir(folder.pathname) as scan:
            for entry in scan:
                if is_subtitle_name(entry.name) and not self._is_excluded(entry, folder):
                    self._add_subtitles(entry.path, entry.stat(), folder)

    def _is_included(self, pathname: str, folder: Folder, *, real: str | None = None) -> bool:
        real = real or folder.real_path_of(pathname[pathname.rfind("/") + 1 :])
        return self.selection.includes(pathname, folder, real=real)

    def _note(self, pathname: str, error: str) -> None:
        self.unreadable.append(FileProblem(Path(pathname), error))


def _mount_points() -> frozenset[str]:
    return frozenset(os.fspath(mount.folder) for mount in parse_mount_table(read_mount_table()))
