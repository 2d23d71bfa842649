"""The database of a catalog as all its queries see it, whatever engine holds it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Subquery, Table, insert

from catalog.address import Address
from catalog.database.claims import Claims


class CueMatches(NamedTuple):
    """Cues that match a full-text question: the `rows` of a statement, and its parameters."""

    rows: Subquery
    values: Mapping[str, object]


class CueIndex(Protocol):
    """The full-text index of cues. Questions are expressions of FTS5 (see `database.words`)."""

    def holding(self, connection: Connection, whole: str) -> CueMatches:
        """The `id`s of cues that match; without scores, which take longer than the rest."""

    def within_one_cue(
        self, connection: Connection, whole: str, *, subtitles: str | None
    ) -> CueMatches:
        """Cues that match: `first` and `last` are the id, `score` is BM25, best highest.

        `subtitles` are the ids of those that the cues are of, as JSON, or None for all.
        """

    def across_two_cues(
        self, connection: Connection, head: str, tail: str, *, subtitles: str | None
    ) -> CueMatches:
        """Cues that match `head` and are followed by one that matches `tail`; else the same."""

    def is_in_step(self, connection: Connection) -> bool:
        """Whether it holds the words of the cues and no others, as far as can be told."""

    def rebuild(self, connection: Connection) -> bool:
        """Make it again from the cues; True."""


class Database(Protocol):
    """One database, for several threads: every transaction has a connection of its own.

    A transaction raises the errors of a catalog, and CatalogGoneError when the database is no
    longer the one that was opened.
    """

    @property
    def address(self) -> Address:
        """Where it is, for messages."""

    @property
    def folder(self) -> Path:
        """A folder on this machine for what is derived from the rows, and for notes beside them."""

    @property
    def cues(self) -> CueIndex:
        """The full-text index of cues."""

    @property
    def claims(self) -> Claims:
        """What runs that index into the catalog claim."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that reads one consistent state, whatever other processes commit."""

    def writing(self, *, bump_generation: bool = True) -> AbstractContextManager[Connection]:
        """A transaction that may change rows; committed when the block ends without an error.

        It takes the write lock before anything is read, so what is read is not outdated at commit,
        and ids grow in the order of commits. A block that changes nothing writes nothing to disk.

        Args:
            bump_generation: whether the block changes what a search may find.
        """

    def count_generation(self, connection: Connection) -> None:
        """Count one more generation of the catalog: what a search may find has changed."""

    def locked(self, purpose: str, *, shared: bool = False) -> AbstractContextManager[None]:
        """The lock for long tasks; see `Catalog.lock`."""

    def state_uuid(self, connection: Connection, generation: int) -> str | None:
        """What names the state of this generation in a view of it; None for one that never was."""

    def knows_snapshot(
        self, connection: Connection, *, uuid: str, generation: int, digest: str
    ) -> bool:
        """Whether a snapshot with this header is of a state that this database has been in."""

    def note_snapshot(self, digest: str) -> None:
        """Note that a snapshot with this digest was saved."""

    def require_there(self) -> None:
        """Check that the database is the one that was opened, and is still in its place.

        Raises:
            CatalogGoneError: it was deleted, moved or replaced.
        """

    def bytes_on_disk(self, connection: Connection) -> int:
        """The size of the database."""

    def close(self) -> None:
        """Close every connection."""


def insert_row(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert one row; its id."""
    key = connection.execute(insert(table).values(values)).inserted_primary_key
    return int(key[0]) if key else 0
