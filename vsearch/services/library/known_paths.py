"""Paths as people give them, and as the catalog knows them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import composed, folded, ignores_case, true_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catalog import Catalog


def known_as(catalog: Catalog, path: Path) -> Path:
    """The path under which the catalog knows the given one; its real path if it knows none."""
    for place in _spellings(path):
        if catalog.known_files([place]):
            return place
    true = true_path(path)
    return next(_spelled_alike(catalog, true), true)


def _spellings(path: Path) -> Iterator[Path]:
    """The path as given, then with more and more of its links resolved, then its real path.

    An index run resolves the links in the path that it is given, and keeps those below it.
    """
    names = Path(os.path.abspath(path)).parts  # noqa: PTH100 - `..` is to go
    for followed in range(1, len(names) + 1):
        head = os.path.realpath(Path(*names[:followed]))
        yield Path(head, *names[followed:])
    yield true_path(path)


def _spelled_alike(catalog: Catalog, path: Path) -> Iterator[Path]:
    """Known paths that differ in Unicode composition only, or in ignored upper and lower case.

    For paths that no longer exist, whose spelling the file system cannot tell.
    """
    parts = len(path.parts)
    wanted = str(path)
    for name in catalog.known_files([Path("/")]):
        known = Path(*Path(name).parts[:parts])
        text = str(known)
        if composed(text) == composed(wanted) or (
            folded(text) == folded(wanted) and ignores_case(text)
        ):
            yield known
