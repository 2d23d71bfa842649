"""Roots: the folders that stored paths are relative to, and the plain arithmetic of such paths.

Here a path is absolute text without dots or doubled slashes; a folder may be "/".
"""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from catalog.database.tables import File, Root


def roots_by_id(session: Session) -> dict[int, str]:
    """Every root's path."""
    return {
        row.id: row.path for row in session.execute(select(Root.id, Root.path).order_by(Root.id))
    }


def root_at(session: Session, path: str) -> int:
    """The id of the root at this path, made if there is none."""
    found = session.scalar(select(Root.id).where(Root.path == path))
    if found is not None:
        return found
    root = Root(path=path)
    session.add(root)
    session.flush()
    return root.id


def home_of(session: Session, path: str) -> tuple[int, str]:
    """Where to store a path: the id of the deepest root above it, and the path relative to that.

    Its folder becomes a root if there is none.
    """
    folder = path.rpartition("/")[0] or "/"
    above = [root for root in roots_by_id(session).values() if is_below(path, root)]
    root = max(above, key=len, default=folder)
    return root_at(session, root), relative_to(path, root)


def terms_under(path: str, roots: dict[int, str]) -> Iterator[ColumnElement[bool]]:
    """Conditions on files, one of which holds for each file at or below the path."""
    for number, root in roots.items():
        if is_at_or_below(root, path):
            yield File.root_id == number
        elif is_below(path, root):
            relative = relative_to(path, root)
            # "/" and "0" are neighbours in the order of code points: all that lies in the folder.
            inside = and_(File.relative_path > f"{relative}/", File.relative_path < f"{relative}0")
            yield and_(File.root_id == number, or_(File.relative_path == relative, inside))


def absolute_text(path: Path) -> str:
    """The path as text.

    Raises:
        ValueError: it is relative.
    """
    if not path.is_absolute():
        raise ValueError(f"{path} is not absolute")
    return Path(os.path.normpath(path)).as_posix()


def is_below(path: str, folder: str) -> bool:
    """Whether the path lies in the folder, at any depth."""
    return len(path) > len(folder) and path.startswith(joined(folder, ""))


def is_at_or_below(path: str, folder: str) -> bool:
    """Whether the path is the folder or lies in it."""
    return path == folder or is_below(path, folder)


def lies_under(path: str, wanted: frozenset[str]) -> bool:
    """Whether the path is one of `wanted` or lies below one."""
    head = path
    while head not in wanted and f"{head}/" not in wanted:
        if not head:
            return False
        head = head.rpartition("/")[0]
    return True


def relative_to(path: str, folder: str) -> str:
    """What follows the folder in a path below it."""
    return path[len(joined(folder, "")) :]


def joined(folder: str, relative: str) -> str:
    """The path of what lies in the folder under this name."""
    return f"{folder}{relative}" if folder.endswith("/") else f"{folder}/{relative}"
