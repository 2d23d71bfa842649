"""The SQLite file: opening it, reading and writing transactions, errors in plain words."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    QueuePool,
    Table,
    create_engine,
    event,
    insert,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, OperationalError

from catalog.database.migrations import (
    create_tables,
    keep_backup,
    newest_version,
    stored_version,
    upgrade,
)
from catalog.database.sqlite_file import (
    NO_SHARED_MEMORY,
    WAIT_FOR_LOCK_MS,
    FileIdentity,
    beside,
    connect,
    do_without_shared_memory,
    is_read_only,
    lay_out,
)
from catalog.database.tables import META
from catalog.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogGoneError,
    CatalogMissingError,
    CatalogNewerError,
    CatalogStorageError,
    NotACatalogError,
    verify_command,
)
from catalog.folder import DATABASE_NAME, SNAPSHOT_NAME, file_bytes
from machine.presence import is_there

_BEGIN = "catalog_begin"
_TAKING_THE_WRITE_LOCK = {_BEGIN: "BEGIN IMMEDIATE"}
# Errors that rows or a schema with flipped bytes lead to, beside those that SQLite calls damage.
_SIGNS_OF_DAMAGE = ("Could not decode to UTF-8", "no such table", "no such column")


class Database:
    """One SQLite file, for several threads: every transaction has a connection of its own.

    A transaction raises CatalogGoneError when the file is no longer the one that was opened.
    """

    def __init__(self, *, identity: FileIdentity, engine: Engine) -> None:
        self.folder = identity.path.parent
        self._identity = identity
        self._engine = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state, whatever other processes commit."""
        self.require_there()
        with translated(self.folder), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, bump_generation: bool = True) -> Iterator[Connection]:
        """A transaction that may change rows; committed when the block ends without an error.

        It takes the write lock before anything is read, so what is read is not outdated at commit,
        and ids grow in the order of commits. A block that changes nothing writes nothing to disk.

        Args:
            bump_generation: whether the block changes what a search may find.
        """
        self.require_there()
        with translated(self.folder), self._engine.connect() as connection:
            connection.execution_options(**_TAKING_THE_WRITE_LOCK)
            with connection.begin():
                if bump_generation:
                    count_generation(connection)
                yield connection
            connection.execution_options(**{_BEGIN: "BEGIN"})
            self._require_kept(connection)

    def _require_kept(self, connection: Connection) -> None:
        """Check that the last commit is in files that other processes will find, too."""
        self.require_there()
        log = beside(self._identity.path, "-wal")  # exists as long as any process has it open
        if not is_there(log) and connection.scalar(text("PRAGMA journal_mode")) == "wal":
            raise CatalogGoneError(
                f"{log} was deleted while it was in use, perhaps with what was committed last; see"
                f" what is left with {verify_command(self.folder)}, and run the command again"
            )

    def require_there(self) -> None:
        """Check that the file is the one that was opened, and is still in its folder.

        Raises:
            CatalogGoneError: it was deleted, moved or replaced.
        """
        self._identity.require()

    def bytes_on_disk(self) -> int:
        """The size of the SQLite file and of its write-ahead log."""
        return sum(file_bytes(self.folder / f"{DATABASE_NAME}{end}") for end in ("", "-wal"))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def count_generation(connection: Connection) -> None:
    """Count one more generation of the catalog: what a search may find has changed."""
    connection.execute(update(META).values(generation=META.c.generation + 1))


def insert_row(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert one row; its id."""
    key = connection.execute(insert(table).values(values)).inserted_primary_key
    return int(key[0]) if key else 0


def open_database(folder: Path, *, create: bool) -> Database:
    """Open the catalog's SQLite file; with `create`, make it first if there is none.

    Raises:
        CatalogMissingError, NotACatalogError, CatalogNewerError, CatalogOutdatedError,
        CatalogDamagedError, CatalogStorageError.
    """
    _require_folder(folder, create=create)
    path = folder / DATABASE_NAME
    _require_not_emptied(path)
    if create:
        with translated(folder):
            lay_out(path)
    identity = FileIdentity.of(path)
    engine = _engine(path)
    try:
        with translated(folder):
            _bring_up_to_date(engine, folder=folder, create=create)
    except BaseException:
        engine.dispose()
        raise
    return Database(identity=identity, engine=engine)


def _require_folder(folder: Path, *, create: bool) -> None:
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        elif not (folder / DATABASE_NAME).is_file():
            raise CatalogMissingError.of(folder)
    except FileExistsError as error:
        raise NotACatalogError(f"{folder} is a file; a catalog is a folder") from error
    except OSError as error:
        raise CatalogStorageError(
            f"cannot use {folder} as a catalog: {error.strerror}; name another folder with "
            "--catalog, or set VSEARCH_HOME to one for all that vsearch keeps"
        ) from error


def _require_not_emptied(path: Path) -> None:
    """Refuse an empty file, unless nothing beside it shows that it was more than begun."""
    traces = (beside(path, "-wal"), path.with_name(SNAPSHOT_NAME))
    if is_there(path) and file_bytes(path) == 0 and any(file_bytes(trace) for trace in traces):
        raise CatalogDamagedError(
            f"{path} is empty, but what lies beside it shows that it was a catalog; restore it from"
            f" a backup, or begin a new one with {verify_command(path.parent, '--repair')} and"
            " `vsearch index PATH`"
        )


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        creator=lambda: connect(path),
        # How a read-only file can be opened depends on whether somebody else writes at that moment.
        poolclass=NullPool if is_read_only(path.parent) else QueuePool,
    )
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, reads included
    for pragma in (
        "foreign_keys = ON",
        f"busy_timeout = {WAIT_FOR_LOCK_MS}",
        "synchronous = FULL",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _bring_up_to_date(engine: Engine, *, folder: Path, create: bool) -> None:
    version = _version(engine, folder=folder)
    if version is None:
        raise NotACatalogError(
            f"{folder / DATABASE_NAME} is not a catalog of vsearch; give another folder"
        )
    if version > newest_version():
        raise CatalogNewerError(
            f"the catalog in {folder} has schema version {version}, this program knows up to"
            f" {newest_version()}; upgrade vsearch"
        )
    if version == 0 and not create:
        raise CatalogMissingError.of(folder)
    if version < newest_version():
        _migrate(engine, folder=folder)


def _version(engine: Engine, *, folder: Path) -> int | None:
    """Read the schema version; where that takes memory that cannot be shared, do without it."""
    try:
        with engine.connect() as connection:
            return stored_version(connection, folder=folder)
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        if code not in NO_SHARED_MEMORY or is_read_only(folder):
            raise
    engine.dispose()
    do_without_shared_memory(folder / DATABASE_NAME)
    with engine.connect() as connection:
        return stored_version(connection, folder=folder)


def _migrate(engine: Engine, *, folder: Path) -> None:
    with engine.connect() as connection:
        connection.execution_options(**_TAKING_THE_WRITE_LOCK)  # another process may be at it, too
        with connection.begin():
            version = stored_version(connection, folder=folder)
            if version == 0:
                create_tables(connection)
            elif version is not None and version < newest_version():
                keep_backup(folder / DATABASE_NAME, version=version)
                upgrade(connection, version=version)


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors into those of a catalog, which name a remedy."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        found = error.orig if isinstance(error, DBAPIError) else error
        plain = _in_plain_words(found, folder=folder)
        if plain is None:
            raise
        raise plain from error


def _in_plain_words(found: BaseException | None, *, folder: Path) -> CatalogError | None:
    code = getattr(found, "sqlite_errorcode", 0)
    primary = code & 0xFF  # the high bits only refine it
    if code in NO_SHARED_MEMORY:
        return CatalogStorageError(
            f"the file system of {folder} gives processes no memory to share, which this catalog"
            " needs; copy it to a local disk and give the copy with `--catalog FOLDER`"
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return CatalogBusyError(
            f"another process has been writing to the catalog in {folder} for more than"
            f" {WAIT_FOR_LOCK_MS // 1000} s; try again when it is done"
        )
    if primary == sqlite3.SQLITE_NOTADB:
        return NotACatalogError(
            f"{folder / DATABASE_NAME} is not an SQLite file; give another folder, or, if it was a"
            f" catalog, get back what can be read of it with {verify_command(folder, '--repair')}"
        )
    if primary == sqlite3.SQLITE_CORRUPT or str(found).startswith(_SIGNS_OF_DAMAGE):
        return CatalogDamagedError(
            f"{folder / DATABASE_NAME} is damaged ({found}); {verify_command(folder, '--repair')}"
            " keeps all that can still be read, and lists what has to be indexed again"
        )
    if primary in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    ):
        return CatalogStorageError(
            f"cannot use the catalog in {folder}: {found}; nothing committed is lost, see that the"
            " disk has room and may be written to"
        )
    return None
