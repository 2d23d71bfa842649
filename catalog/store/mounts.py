"""Mount points that were seen: where one is missing, the files below it are only unmounted."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from catalog.database.tables import MOUNTS
from catalog.store.roots import absolute_text, is_at_or_below, lies_under


def around(connection: Connection, paths: Iterable[Path]) -> frozenset[Path]:
    """The noted mount points at, below or above one of these paths."""
    wanted = frozenset(absolute_text(path) for path in paths)
    return frozenset(
        Path(mount)
        for mount in connection.scalars(select(MOUNTS.c.path))
        if lies_under(mount, wanted) or any(is_at_or_below(path, mount) for path in wanted)
    )


def note(connection: Connection, paths: Iterable[Path]) -> None:
    """Note those of these mount points that are not noted yet."""
    noted = set(connection.scalars(select(MOUNTS.c.path)))
    new = sorted({absolute_text(path) for path in paths} - noted)
    if new:
        connection.execute(insert(MOUNTS), [{"path": path} for path in new])


def remove_under(connection: Connection, paths: Iterable[Path]) -> None:
    """Delete the mount points that are one of `paths` or below one."""
    wanted = frozenset(absolute_text(path) for path in paths)
    rows = connection.execute(select(MOUNTS.c.id, MOUNTS.c.path)).all()
    gone = [mount_id for mount_id, path in rows if lies_under(path, wanted)]
    if gone:
        connection.execute(delete(MOUNTS).where(MOUNTS.c.id.in_(gone)))
