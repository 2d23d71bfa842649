"""Roots: the folders that stored paths are relative to, and the arithmetic of such paths.

Here a path is absolute text without dots or doubled slashes; a folder may be "/".
"""

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select

from catalog.database.database import insert_row
from catalog.database.tables import FILES, PARTIALS, ROOTS


def roots_by_id(connection: Connection) -> dict[int, str]:
    """The paths of all roots."""
    rows = connection.execute(select(ROOTS.c.id, ROOTS.c.path).order_by(ROOTS.c.id))
    return {row.id: row.path for row in rows}


def root_at(connection: Connection, path: str) -> int:
    """The id of the root at this path, made if there is none."""
    found: int | None = connection.scalar(select(ROOTS.c.id).where(ROOTS.c.path == path))
    return insert_row(connection, ROOTS, {"path": path}) if found is None else found


def home_of(connection: Connection, path: str) -> tuple[int, str]:
    """The deepest root above a path, by its id, and the path relative to it.

    If there is none, the folder of the path becomes one.
    """
    folder = path.rpartition("/")[0] or "/"
    above = [root for root in roots_by_id(connection).values() if is_below(path, root)]
    root = max(above, key=len, default=folder)
    return root_at(connection, root), relative_to(path, root)


def delete_unused_roots(connection: Connection) -> None:
    """Delete the roots that nothing is relative to any more."""
    by_files = exists().where(FILES.c.root_id == ROOTS.c.id)
    by_partials = exists().where(PARTIALS.c.root_id == ROOTS.c.id)
    connection.execute(delete(ROOTS).where(~by_files, ~by_partials))


def terms_under(path: str, roots: dict[int, str]) -> Iterator[ColumnElement[bool]]:
    """Conditions on files, one of which holds for each file at or below the path."""
    for root_id, root in roots.items():
        if is_at_or_below(root, path):
            yield FILES.c.root_id == root_id
        elif is_below(path, root):
            relative = relative_to(path, root)
            # "/" and "0" are neighbours in the order of code points: this is all below the folder.
            inside = and_(
                FILES.c.relative_path > f"{relative}/", FILES.c.relative_path < f"{relative}0"
            )
            here = FILES.c.relative_path == relative
            yield and_(FILES.c.root_id == root_id, or_(here, inside))


def absolute_text(path: Path) -> str:
    """The path as text.

    Raises:
        ValueError: it is relative.
    """
    if not path.is_absolute():
        raise ValueError(f"{path} is not absolute")
    return Path(os.path.normpath(path)).as_posix()


def is_below(path: str, folder: str) -> bool:
    """Whether the path is below the folder, at any depth."""
    return len(path) > len(folder) and path.startswith(joined(folder, ""))


def is_at_or_below(path: str, folder: str) -> bool:
    """Whether the path is the folder or below it."""
    return path == folder or is_below(path, folder)


def lies_under(path: str, wanted: frozenset[str]) -> bool:
    """Whether the path is one of `wanted` or below one."""
    head = path
    while head not in wanted and f"{head}/" not in wanted:
        if not head:
            return False
        head = head.rpartition("/")[0]
    return True


def relative_to(path: str, folder: str) -> str:
    """The path relative to a folder above it."""
    return path[len(joined(folder, "")) :]


def joined(folder: str, relative: str) -> str:
    """The path of an entry of the folder."""
    return f"{folder}{relative}" if folder.endswith("/") else f"{folder}/{relative}"
