"""Tags: the rows of named stretches of videos. Names are the same in upper and lower case."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Select, delete, func, insert, select

from catalog.database.tables import TAGS
from catalog.errors import UnknownTagError
from catalog.records import Tag, TagCount
from catalog.store.clips import unknown_ids
from catalog.store.files import in_batches

_NAMED = 20
_LETTERS = 40  # of a name in an error


def counted(connection: Connection) -> tuple[TagCount, ...]:
    """All names in alphabetical order, each with its counts."""
    counts = (
        func.count(TAGS.c.video_id.distinct()),
        func.count(),
        func.sum(TAGS.c.end - TAGS.c.start),
    )
    rows = connection.execute(select(TAGS.c.name, *counts).group_by(TAGS.c.name)).all()
    return tuple(sorted((TagCount(*row) for row in rows), key=lambda one: one.name.casefold()))


def count_names(connection: Connection) -> int:
    """The number of names."""
    return connection.scalar(select(func.count(TAGS.c.name.distinct()))) or 0


def replace_tags(connection: Connection, names: Iterable[str], tags: Sequence[Tag]) -> None:
    """Store tags in place of all earlier ones with these names; others stay.

    Tags of videos that are no longer in the catalog are left out.
    """
    _delete(connection, _stored_as(connection, names))
    gone = unknown_ids(connection, {tag.video_id for tag in tags})
    for some in in_batches([asdict(tag) for tag in tags if tag.video_id not in gone]):
        connection.execute(insert(TAGS), some)


def remove_tags(connection: Connection, names: Iterable[str]) -> int:
    """Remove all tags with these names; how many stretches had one.

    Raises:
        UnknownTagError: nothing has one of the names.
    """
    return _delete(connection, known_names(connection, names))


def known_names(connection: Connection, names: Iterable[str]) -> list[str]:
    """The names as they are stored.

    Raises:
        UnknownTagError: nothing has one of the names.
    """
    found = []
    for name in names:
        stored = _stored_as(connection, [name])
        if not stored:
            raise UnknownTagError(_unknown(connection, name))
        found += stored
    return found


def stretches(names: Collection[str]) -> Select[tuple[int, float, float]]:
    """The stretches of videos that have one of these names, as they are stored."""
    return select(TAGS.c.video_id, TAGS.c.start, TAGS.c.end).where(TAGS.c.name.in_(names))


def _delete(connection: Connection, stored: Collection[str]) -> int:
    gone = 0
    for name in stored:
        gone += connection.execute(delete(TAGS).where(TAGS.c.name == name)).rowcount
    return gone


def _stored_as(connection: Connection, names: Iterable[str]) -> list[str]:
    """Those stored names that are one of these, whatever their upper and lower case."""
    wanted = {name.casefold() for name in names}
    return [name for name in _all_names(connection) if name.casefold() in wanted]


def _all_names(connection: Connection) -> list[str]:
    return sorted(connection.scalars(select(TAGS.c.name).distinct()), key=str.casefold)


def _unknown(connection: Connection, name: str) -> str:
    asked = repr(name[:_LETTERS])
    names = _all_names(connection)
    if not names:
        makes = "`vsearch tag --labels FILE --write` makes some"
        return f"there is no tag {asked}, nor any other; {makes}"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    known = ", ".join(each[:_LETTERS] for each in names[:_NAMED])
    return f"there is no tag {asked}; the tags are {known}{more}"
