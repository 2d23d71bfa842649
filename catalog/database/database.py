"""The SQLite file: opening it, reading and writing transactions, errors in plain words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    QueuePool,
    create_engine,
    event,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from catalog.database.backup import keep_backup
from catalog.database.migrations import SCHEMA_VERSION, migrate, stored_version
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
from catalog.database.tables import Meta
from catalog.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogGoneError,
    CatalogMissingError,
    CatalogNewerError,
    CatalogStorageError,
    NotACatalogError,
)
from catalog.folder import DATABASE_NAME, SNAPSHOT_NAME, file_bytes

_BEGIN = "catalog_begin"
# What a row or a schema with flipped bytes leads to, beside what SQLite itself calls damage.
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
    def reading(self) -> Iterator[Session]:
        """One consistent state, whatever other processes commit meanwhile."""
        self.require_there()
        with translated(self.folder), self._session() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that changes what the catalog says; it counts as one generation.

        Counting comes first: it takes the write lock before anything is read, so what is read is
        not outdated at commit, and ids grow in the order of commits.
        """
        with self._committing() as session:
            session.execute(update(Meta).values(generation=Meta.generation + 1))
            yield session

    @contextmanager
    def labelling(self) -> Iterator[Session]:
        """A transaction that changes nothing which an answer depends on.

        It takes the write lock before anything is read, too.
        """
        with self._committing() as session:
            session.execute(update(Meta).values(generation=Meta.generation))
            yield session

    @contextmanager
    def _committing(self) -> Iterator[Session]:
        self.require_there()
        with translated(self.folder), self._session() as session:
            with session.begin():
                yield session
            self._require_kept(session)

    def _session(self) -> Session:
        """One that cannot be used after its block: what is read then would be of another state."""
        return Session(self._engine, close_resets_only=False)

    def _require_kept(self, session: Session) -> None:
        """See that what was just committed lies in files that others will find, too."""
        self.require_there()
        log = beside(self._identity.path, "-wal")  # as long as anyone has it open, it is there
        if not log.exists() and session.scalar(text("PRAGMA journal_mode")) == "wal":
            raise CatalogGoneError(
                f"{log} was deleted while it was in use, perhaps with what was committed last; see"
                " what is left with `vsearch verify`, and run the command again"
            )

    def require_there(self) -> None:
        """See that the file is the one that was opened, and lies where it did.

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


def open_database(folder: Path, *, create: bool) -> Database:
    """Open the catalog's SQLite file, made first if `create` asks for it.

    Raises:
        CatalogMissingError, NotACatalogError, CatalogNewerError, CatalogDamagedError,
        CatalogStorageError.
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
            raise _missing(folder)
    except FileExistsError as error:
        raise NotACatalogError(f"{folder} is a file; a catalog is a folder") from error
    except OSError as error:
        raise CatalogStorageError(
            f"cannot use {folder} as a catalog: {error.strerror}; name another folder with "
            "--catalog, or set VSEARCH_HOME to one for all that vsearch keeps"
        ) from error


def _require_not_emptied(path: Path) -> None:
    """An empty file is a catalog that was killed at birth, unless something tells of its life."""
    traces = (beside(path, "-wal"), path.with_name(SNAPSHOT_NAME))
    if path.exists() and file_bytes(path) == 0 and any(file_bytes(trace) for trace in traces):
        raise CatalogDamagedError(
            f"{path} is empty, but what lies beside it shows that it was a catalog; restore it from"
            " a backup, or begin a new one with `vsearch verify --repair` and `vsearch index PATH`"
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
    version = _version(engine, path=folder / DATABASE_NAME)
    if version is None:
        raise NotACatalogError(
            f"{folder / DATABASE_NAME} is not a catalog of vsearch; give another folder"
        )
    if version > SCHEMA_VERSION:
        raise CatalogNewerError(
            f"the catalog in {folder} has schema version {version}, this program knows up to"
            f" {SCHEMA_VERSION}; upgrade vsearch"
        )
    if version == 0 and not create:
        raise _missing(folder)
    if 0 < version < SCHEMA_VERSION and is_read_only(folder):
        raise CatalogStorageError(
            f"the catalog in {folder} has schema version {version} and must be brought to"
            f" {SCHEMA_VERSION} before it can be used, but the folder is read-only; make it"
            " writable, or copy it and give the copy with `--catalog FOLDER`"
        )
    if version < SCHEMA_VERSION:
        with _upgrade_explained(folder, version=version):
            _migrate(engine, database=folder / DATABASE_NAME)


def _version(engine: Engine, *, path: Path) -> int | None:
    """The first look into the file; where it takes memory that cannot be shared, without that."""
    try:
        with engine.connect() as connection:
            return stored_version(connection)
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        if code not in NO_SHARED_MEMORY or is_read_only(path.parent):
            raise
    engine.dispose()
    do_without_shared_memory(path)
    with engine.connect() as connection:
        return stored_version(connection)


@contextmanager
def _upgrade_explained(folder: Path, *, version: int) -> Iterator[None]:
    try:
        with translated(folder):
            yield
    except CatalogStorageError as error:
        if version == 0:
            raise
        raise CatalogStorageError(
            f"the catalog in {folder} has schema version {version} and must be brought to"
            f" {SCHEMA_VERSION} before it can be used; that failed and changed nothing: {error}"
        ) from error


def _migrate(engine: Engine, *, database: Path) -> None:
    with engine.connect() as connection:
        connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})  # others may be at it as well
        with connection.begin():
            version = stored_version(connection)
            if version is None or version >= SCHEMA_VERSION:
                return  # another process was first
            if version > 0:
                keep_backup(database, version=version)
            migrate(connection, version=version)


def _missing(folder: Path) -> CatalogMissingError:
    return CatalogMissingError(
        f"there is no catalog in {folder}; make one with `vsearch index PATH`"
    )


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turn what SQLite says into what a person can act on."""
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
            " catalog, get back what can be read of it with `vsearch verify --repair`"
        )
    if primary == sqlite3.SQLITE_CORRUPT or str(found).startswith(_SIGNS_OF_DAMAGE):
        return CatalogDamagedError(
            f"{folder / DATABASE_NAME} is damaged ({found}); `vsearch verify --repair` gets back"
            " all that can still be read, and tells what has to be indexed again"
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
