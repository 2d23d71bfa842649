"""Relocation: what was known below one folder is known below another, as the files have moved."""

from collections.abc import Collection, Iterable
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from catalog.database.tables import DraftVideo, File, Root
from catalog.errors import CatalogError, UnknownPathError
from catalog.store import mounts, partials
from catalog.store.files import WITHOUT_SYNC
from catalog.store.roots import (
    home_of,
    is_at_or_below,
    is_below,
    joined,
    relative_to,
    root_at,
    roots_by_id,
)
from catalog.store.subtrees import KnownFile, delete_files, delete_unused_roots, files_under


def relocate(session: Session, old: str, *, new: str) -> list[Path]:
    """Say that what lay at or below `old` lies at or below `new`; the new paths, in order.

    Where `new` holds a file already, what is known of that stands, unless it failed and the one
    that comes holds a video.

    Raises:
        UnknownPathError: nothing is known at or below `old`.
        CatalogError: `old` is a file and `new` the root of the file system.
    """
    moving = files_under(session, [Path(old)])
    unfinished = partials.paths_under(session, [Path(old)])
    if not moving and not unfinished:
        raise _unknown(session, old)
    targets = {file.id: rebased(file.path, old, new=new) for file in moving}
    if "/" in targets.values():
        raise CatalogError(f"{old} is a file: / cannot take its place, give the path of a file")
    if old != new:
        lost = _lost(session, moving, targets=targets, new=new)
        delete_files(session, lost)
        _gather(session, [file for file in moving if file not in lost], old=old)
        _rename_roots(session, old, new=new)
        _unpark(session, new)
        partials.move(session, {row: rebased(at, old, new=new) for row, at in unfinished.items()})
        mounts.drop_under(session, [Path(old)])
        delete_unused_roots(session)
    return sorted(Path(path) for path in set(targets.values()))


def rebased(path: str, old: str, *, new: str) -> str:
    """Where a path at or below `old` lies once `old` is `new`."""
    return new if path == old else joined(new, relative_to(path, old))


def _unknown(session: Session, path: str) -> UnknownPathError:
    roots = sorted(roots_by_id(session).values())
    named = ", ".join(roots[:5]) + (" ..." if len(roots) > 5 else "")
    known = f"it knows files below {named}" if roots else "it knows no files at all"
    return UnknownPathError(f"the catalog knows nothing at or below {path}; {known}")


def _lost(
    session: Session, moving: Collection[KnownFile], *, targets: dict[int, str], new: str
) -> set[KnownFile]:
    """Of two rows that would stand for one file, the one that goes."""
    standing = {file.path: file for file in files_under(session, [Path(new)])}
    held = {path: file for path, file in standing.items() if file.id not in targets}
    lost: set[KnownFile] = set()
    for file in moving:
        path = targets[file.id]
        other = held.get(path)
        better = other is None or (other.video_id is None and file.video_id is not None)
        if other is not None:
            lost.add(other if better else file)
        if better:
            held[path] = file
    return lost


def _gather(session: Session, files: Iterable[KnownFile], *, old: str) -> None:
    """Make all these files relative to `old` or to a root below it.

    A file that is `old` itself is parked there under an empty name.
    """
    roots = roots_by_id(session)
    apart = [file for file in files if not is_at_or_below(roots[file.root_id], old)]
    if not apart:
        return
    home = root_at(session, old)
    values = [
        {"id": file.id, "root_id": home, "relative_path": relative_to(file.path, old)}
        for file in apart
    ]
    session.execute(update(File), values)


def _rename_roots(session: Session, old: str, *, new: str) -> None:
    """Re-base the roots at or below `old`; one that meets a root at its new path joins it.

    The order sees to it that none meets a root that has yet to move itself.
    """
    leaving = [
        (path, number) for number, path in roots_by_id(session).items() if is_at_or_below(path, old)
    ]
    leaving.sort(key=lambda root: len(root[0]), reverse=is_below(new, old))
    for path, number in leaving:
        target = rebased(path, old, new=new)
        there = session.scalar(select(Root.id).where(Root.path == target))
        if there is None:
            renamed = update(Root).where(Root.id == number).values(path=target)
            session.execute(renamed, execution_options=WITHOUT_SYNC)
        else:
            for table in (File, DraftVideo):
                joining = update(table).where(table.root_id == number).values(root_id=there)
                session.execute(joining, execution_options=WITHOUT_SYNC)
            gone = delete(Root).where(Root.id == number)
            session.execute(gone, execution_options=WITHOUT_SYNC)


def _unpark(session: Session, new: str) -> None:
    parked = session.scalar(select(File.id).where(File.relative_path == ""))
    if parked is None:
        return
    home, name = home_of(session, new)
    session.execute(
        update(File).where(File.id == parked).values(root_id=home, relative_path=name),
        execution_options=WITHOUT_SYNC,
    )
