"""The tags of a catalog: names for stretches of its videos."""

from collections.abc import Iterable, Sequence

from catalog.database.database import Database
from catalog.records import Tag, TagCount
from catalog.store import tags as rows


class Tags:
    """The tags of one open catalog; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counted(self) -> tuple[TagCount, ...]:
        """All names in alphabetical order, each with its counts."""
        with self._database.reading() as connection:
            return rows.counted(connection)

    def replace(self, names: Iterable[str], tags: Sequence[Tag]) -> None:
        """Store tags in place of all earlier ones with these names; others stay.

        Tags of videos that were removed meanwhile are left out.
        """
        with self._database.writing() as connection:
            rows.replace_tags(connection, names, tags)

    def remove(self, names: Iterable[str]) -> int:
        """Remove all tags with these names; how many stretches had one.

        Raises:
            UnknownTagError: nothing has one of the names.
        """
        with self._database.writing() as connection:
            return rows.remove_tags(connection, names)
