"""Mount points that were seen: where one is missing, what lay below it is only unmounted."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from catalog.database.tables import Mount
from catalog.store.roots import absolute_text, is_at_or_below, lies_under


def around(session: Session, paths: Iterable[Path]) -> frozenset[Path]:
    """Those noted at, below or above one of these paths."""
    wanted = frozenset(absolute_text(path) for path in paths)
    return frozenset(
        Path(mount)
        for mount in session.scalars(select(Mount.path))
        if lies_under(mount, wanted) or any(is_at_or_below(path, mount) for path in wanted)
    )


def unknown(session: Session, paths: Iterable[Path]) -> list[str]:
    """Those of these paths that are not noted, in order."""
    noted = set(session.scalars(select(Mount.path)))
    return sorted({absolute_text(path) for path in paths} - noted)


def note(session: Session, paths: Iterable[Path]) -> None:
    """Note those that are not noted yet."""
    new = [{"path": path} for path in unknown(session, paths)]
    if new:
        session.execute(insert(Mount), new)


def drop_under(session: Session, paths: Iterable[Path]) -> None:
    """Delete the notes of all that is one of `paths` or lies below one."""
    wanted = frozenset(absolute_text(path) for path in paths)
    rows = session.execute(select(Mount.id, Mount.path)).all()
    gone = [number for number, path in rows if lies_under(path, wanted)]
    if gone:
        session.execute(
            delete(Mount).where(Mount.id.in_(gone)),
            execution_options={"synchronize_session": False},
        )
