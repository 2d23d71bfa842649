"""Relocation: files that are known below one folder become known below another."""

from collections.abc import Collection, Iterable
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, select, update

from catalog.database.tables import FILES, PARTIALS, ROOTS
from catalog.errors import CatalogError, UnknownPathError
from catalog.store import mounts, partials
from catalog.store.files import KnownFile, delete_files, files_under
from catalog.store.roots import (
    delete_unused_roots,
    home_of,
    is_at_or_below,
    is_below,
    joined,
    relative_to,
    root_at,
    roots_by_id,
)


def relocate(connection: Connection, old: str, *, new: str) -> list[Path]:
    """Change the paths of files at or below `old` to paths at or below `new`; those, in order.

    A file that is known at its new path already stays as it is, unless it failed and the one that
    comes holds a video.

    Raises:
        UnknownPathError: nothing is known at or below `old`.
        CatalogError: `old` is a file and `new` the root of the file system.
    """
    moving = files_under(connection, [Path(old)])
    unfinished = partials.paths_under(connection, [Path(old)])
    if not moving and not unfinished:
        raise _unknown(connection, old)
    targets = {file.id: rebased(file.path, old, new=new) for file in moving}
    if "/" in targets.values():
        raise CatalogError(f"{old} is a file: / cannot take its place, give the path of a file")
    if old != new:
        lost = _lost(connection, moving, targets=targets, new=new)
        delete_files(connection, lost)
        _gather(connection, [file for file in moving if file not in lost], old=old)
        _rename_roots(connection, old, new=new)
        _unpark(connection, new)
        partials.move(
            connection, {row: rebased(at, old, new=new) for row, at in unfinished.items()}
        )
        mounts.remove_under(connection, [Path(old)])
        delete_unused_roots(connection)
    return sorted(Path(path) for path in set(targets.values()))


def rebased(path: str, old: str, *, new: str) -> str:
    """The path at or below `new` for one at or below `old`."""
    return new if path == old else joined(new, relative_to(path, old))


def _unknown(connection: Connection, path: str) -> UnknownPathError:
    roots = sorted(roots_by_id(connection).values())
    named = ", ".join(roots[:5]) + (" ..." if len(roots) > 5 else "")
    known = f"it knows files below {named}" if roots else "it knows no files at all"
    return UnknownPathError(f"the catalog knows nothing at or below {path}; {known}")


def _lost(
    connection: Connection, moving: Collection[KnownFile], *, targets: dict[int, str], new: str
) -> set[KnownFile]:
    """Of each two rows that would get the same path, the one to delete."""
    there = {file.path: file for file in files_under(connection, [Path(new)])}
    kept = {path: file for path, file in there.items() if file.id not in targets}
    lost: set[KnownFile] = set()
    for file in moving:
        path = targets[file.id]
        other = kept.get(path)
        better = other is None or (other.video_id is None and file.video_id is not None)
        if other is not None:
            lost.add(other if better else file)
        if better:
            kept[path] = file
    return lost


def _gather(connection: Connection, files: Iterable[KnownFile], *, old: str) -> None:
    """Make all these files relative to `old` or to a root below it.

    A file that is `old` itself is parked there under an empty relative path.
    """
    roots = roots_by_id(connection)
    apart = [file for file in files if not is_at_or_below(roots[file.root_id], old)]
    if not apart:
        return
    home = root_at(connection, old)
    values = [
        {"known_id": file.id, "root_id": home, "relative_path": relative_to(file.path, old)}
        for file in apart
    ]
    connection.execute(update(FILES).where(FILES.c.id == bindparam("known_id")), values)


def _rename_roots(connection: Connection, old: str, *, new: str) -> None:
    """Move the roots at or below `old`; one whose new path is that of a root is merged into it.

    They are moved in an order in which none meets a root that has yet to move itself.
    """
    leaving = [
        (path, number)
        for number, path in roots_by_id(connection).items()
        if is_at_or_below(path, old)
    ]
    leaving.sort(key=lambda root: len(root[0]), reverse=is_below(new, old))
    for path, number in leaving:
        target = rebased(path, old, new=new)
        there = connection.scalar(select(ROOTS.c.id).where(ROOTS.c.path == target))
        if there is None:
            renamed = update(ROOTS).where(ROOTS.c.id == number).values(path=target)
            connection.execute(renamed)
        else:
            for table in (FILES, PARTIALS):
                joining = update(table).where(table.c.root_id == number).values(root_id=there)
                connection.execute(joining)
            gone = delete(ROOTS).where(ROOTS.c.id == number)
            connection.execute(gone)


def _unpark(connection: Connection, new: str) -> None:
    parked = connection.scalar(select(FILES.c.id).where(FILES.c.relative_path == ""))
    if parked is None:
        return
    home, name = home_of(connection, new)
    connection.execute(
        update(FILES).where(FILES.c.id == parked).values(root_id=home, relative_path=name),
    )
