"""Selection of files and folders by the patterns of a run, checked on the way down."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalog import name_matcher
from indexer.scan.ignore_files import IgnoreRules


@dataclass(frozen=True, slots=True)
class Folder:
    """Folder to list; `above` is the device of the folder that it was met in.

    `real` is its path without links: `pathname` itself, unless it lies behind one. Patterns count
    the names from `start` on, behind those of the root; `included` says that all that lies in it
    is. `rules` are those of the ignore files above it.
    """

    pathname: str
    real: str
    root: Path
    start: int
    above: int
    included: bool
    rules: IgnoreRules

    def real_path_of(self, name: str) -> str | None:
        """The path without links of what lies in it; None where that is the ordinary one."""
        return None if self.real is self.pathname else f"{self.real.rstrip('/')}/{name}"

    def is_root(self) -> bool:
        """Whether it is the root itself."""
        return self.pathname == os.fspath(self.root)


class _Pattern:
    """Glob that is checked for each folder on the way down, and so for one name at a time."""

    def __init__(self, pattern: str) -> None:
        self._fits = name_matcher(pattern)
        self._absolute = Path(pattern).is_absolute()

    def fits(self, pathname: str, real: str | None, *, start: int) -> bool:
        """Whether it means this very path: the whole, if it is absolute, else from `start` on.

        `real` is the one without links; it counts with the folders above it, as nobody has asked
        about those: all of them, or those in the root.
        """
        if self._fits(pathname if self._absolute else pathname[start:], pathname):
            return True
        least = 0 if self._absolute else start
        while real and len(real) > least and real.startswith(f"{pathname[:least]}/"):
            if self._fits(real[least:], real):
                return True
            real = real.rpartition("/")[0]
        return False

    def fits_root(self, root: Path) -> bool:
        """Whether it means the whole of a root: by the root's own name, or by one above it."""
        counted = (root, *root.parents) if self._absolute else (Path("/"),)
        return any(self._fits(os.fspath(path)) for path in counted)


class Selection:
    """Patterns of `--include` and `--exclude`. Raises InvalidGlobError."""

    def __init__(self, *, include: Iterable[str], exclude: Iterable[str]) -> None:
        self._include = [_Pattern(pattern) for pattern in include]
        self._exclude = [_Pattern(pattern) for pattern in exclude]
        self.has_excludes = bool(self._exclude)

    def excludes(self, pathname: str, folder: Folder, *, real: str | None) -> bool:
        """Whether this, which lies in the folder, is dropped; `real` is the path without links."""
        return any(p.fits(pathname, real, start=folder.start) for p in self._exclude)

    def includes(self, pathname: str, folder: Folder, *, real: str | None) -> bool:
        """Whether what lies in the folder is kept, with all that is below it."""
        return folder.included or any(
            p.fits(pathname, real, start=folder.start) for p in self._include
        )

    def excludes_part(self, top: Path, *, root: Path) -> bool:
        """Whether the root is dropped, or one of the folders from there down to `top`."""
        return _any_fits(self._exclude, top, root=root)

    def includes_part(self, top: Path, *, root: Path) -> bool:
        """Whether the root is kept as a whole, or one of the folders from there down to `top`."""
        return not self._include or _any_fits(self._include, top, root=root)


def _any_fits(patterns: Iterable[_Pattern], top: Path, *, root: Path) -> bool:
    inside = [folder for folder in (top, *top.parents) if root in folder.parents]
    start = len(os.fspath(root).rstrip("/"))
    return any(
        pattern.fits_root(root)
        or any(pattern.fits(os.fspath(folder), None, start=start) for folder in inside)
        for pattern in patterns
    )
