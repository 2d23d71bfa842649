"""Relations of paths and folders.

Paths are absolute, without dots or doubled slashes, as text or as `Path`; a folder may be "/".
"""

import os
from collections.abc import Container, Iterable
from pathlib import Path
from typing import TypeVar

_Path = TypeVar("_Path", str, Path)


def is_below(path: str | Path, folder: str | Path) -> bool:
    """Whether `path` lies in `folder`, at any depth."""
    text, above = os.fspath(path), os.fspath(folder)
    head = above if above.endswith("/") else f"{above}/"
    return len(text) > len(head) and text.startswith(head)


def is_at_or_below(path: str | Path, folder: str | Path) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return path == folder or is_below(path, folder)


def enclosing(path: _Path, folders: Container[_Path]) -> _Path | None:
    """The path itself or the nearest folder above it that is one of `folders`; else None."""
    above = path
    while above not in folders:
        parent = type(path)(os.path.dirname(above))  # noqa: PTH120 - text or Path
        if parent == above:
            return None
        above = parent
    return above


def outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths, in order, without those that lie below another one of them."""
    every = frozenset(paths)
    return tuple(sorted(path for path in every if every.isdisjoint(path.parents)))
