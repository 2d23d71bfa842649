"""The database on a PostgreSQL server: opening it, reading and writing transactions."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial

from sqlalchemy import Connection, Engine, create_engine, func, select, text

from catalog.address import DatabaseUrl
from catalog.database.meta import read_meta
from catalog.database.migrations import (
    UNFINISHED,
    newest_version,
    require_version,
    stored_version,
    upgrade,
)
from catalog.database.postgresql.claims import SharedClaims
from catalog.database.postgresql.connection import connect, require_driver
from catalog.database.postgresql.cue_view import CueView
from catalog.database.postgresql.errors import translated
from catalog.database.postgresql.lock import locked
from catalog.database.postgresql.schema import (
    COUNT_GENERATION,
    HISTORY,
    SERVER_METADATA,
    create_schema,
)
from catalog.database.tables import META, METADATA
from catalog.errors import CatalogGoneError

_UPGRADING = 6_372_418_117_735_019_537  # the number of the lock; any that no other program uses

# What is taken first puts all that write in line: what they read is not outdated at their commit,
# and ids grow in the order of commits.
_MY_TURN = select(META.c.catalog_uuid, META.c.schema_version).with_for_update()
_BYTES = text(
    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
    " AND relnamespace = CAST(current_schema() AS regnamespace) AND relname = ANY(:names)"
)


class PostgresqlDatabase:
    """A database on a server; see `Database`. Everything derived from it is on this machine."""

    def __init__(
        self, address: DatabaseUrl, *, engine: Engine, catalog_uuid: str, unfinished: bool = False
    ) -> None:
        self.address = address
        self._unfinished = unfinished
        self.catalog_uuid = catalog_uuid
        self.folder = address.views / catalog_uuid
        self.cues = CueView(self.folder)
        self.claims = SharedClaims(address, catalog_uuid)
        self._engine = engine
        self._reads = engine.execution_options(postgresql_readonly=True)
        self._writes = engine.execution_options(isolation_level="READ COMMITTED")
        with suppress(OSError):  # what is saved there says so itself, and questions do without
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Database`."""
        with translated(self.address), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, bump_generation: bool = True) -> Iterator[Connection]:
        """See `Database`."""
        with translated(self.address), self._writes.connect() as connection, connection.begin():
            found = connection.execute(_MY_TURN).one_or_none()
            if found is None or found.catalog_uuid != self.catalog_uuid:
                raise CatalogGoneError(
                    f"the catalog in {self.address} was replaced by another one while it was in"
                    " use; run the command again to work on what is there now"
                )
            # A newer version may have upgraded it meanwhile, on another machine.
            require_version(
                found.schema_version,
                address=self.address,
                create=False,
                unfinished=self._unfinished,
            )
            if bump_generation:
                self.count_generation(connection)
            yield connection

    def count_generation(self, connection: Connection) -> None:
        """See `Database`."""
        connection.execute(COUNT_GENERATION)

    def locked(self, purpose: str, *, shared: bool = False) -> AbstractContextManager[None]:
        """See `Catalog.lock`."""
        return locked(self.address, purpose, catalog_uuid=self.catalog_uuid, shared=shared)

    def state_uuid(self, connection: Connection, generation: int) -> str | None:
        """See `Database`."""
        state = select(HISTORY.c.uuid).where(HISTORY.c.generation == generation)
        return connection.scalar(state)

    def knows_snapshot(
        self, connection: Connection, *, uuid: str, generation: int, digest: str
    ) -> bool:
        """See `Database`; every machine has a snapshot of its own."""
        del digest  # it only has to fit the snapshot's own bytes
        return self.state_uuid(connection, generation) == uuid

    def note_snapshot(self, digest: str) -> None:
        """Note nothing: the state that it is of is noted."""

    def require_there(self) -> None:
        """Check that the database can be reached, and holds the catalog that was opened.

        Raises:
            CatalogGoneError, CatalogUnreachableError.
        """
        with self.reading() as connection:
            if read_meta(connection).catalog_uuid != self.catalog_uuid:
                raise CatalogGoneError(
                    f"the catalog in {self.address} was replaced by another one; run the command"
                    " again to work on what is there now"
                )

    def bytes_on_disk(self, connection: Connection) -> int:
        """The size of all tables with their indexes."""
        names = [*METADATA.tables, *SERVER_METADATA.tables]
        return int(connection.scalar(_BYTES, {"names": names}) or 0)

    def close(self) -> None:
        """See `Database`."""
        self.claims.close()
        self._engine.dispose()


def open_postgresql(
    address: DatabaseUrl, *, create: bool, unfinished: bool = False
) -> PostgresqlDatabase:
    """Open the catalog in a database; with `create`, make it first in one that is empty.

    Raises:
        CatalogMissingError, NotACatalogError, CatalogNewerError, CatalogOutdatedError,
        CatalogDamagedError, CatalogStorageError, CatalogUnreachableError.
        CatalogError: the library that speaks to the server is not installed.
    """
    require_driver()
    engine = create_engine(
        "postgresql+psycopg://",
        creator=partial(connect, address),
        isolation_level="REPEATABLE READ",
        pool_pre_ping=True,  # the server may have been started again since
        hide_parameters=True,
    )
    try:
        with translated(address):
            uuid = _brought_up_to_date(
                engine, address=address, create=create, unfinished=unfinished
            )
    except BaseException:
        engine.dispose()
        raise
    return PostgresqlDatabase(address, engine=engine, catalog_uuid=uuid, unfinished=unfinished)


def _brought_up_to_date(
    engine: Engine, *, address: DatabaseUrl, create: bool, unfinished: bool
) -> str:
    """The catalog's uuid, once its schema is the newest."""
    with engine.connect() as connection:
        version = stored_version(connection, address=address)
        require_version(version, address=address, create=create, unfinished=unfinished)
        if version in (newest_version(), UNFINISHED):
            return read_meta(connection).catalog_uuid
    writes = engine.execution_options(isolation_level="READ COMMITTED")
    with writes.connect() as connection, connection.begin():
        connection.execute(select(func.pg_advisory_xact_lock(_UPGRADING)))  # others may be at it
        version = stored_version(connection, address=address)
        if version == 0:
            create_schema(connection, address=address)
        elif version is not None and 0 < version < newest_version():
            upgrade(connection, version=version)
        return read_meta(connection).catalog_uuid
