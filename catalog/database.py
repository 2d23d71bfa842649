"""The SQLite file: opening it, reading and writing transactions, errors in plain words."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from catalog.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogMissingError,
    CatalogNewerError,
    CatalogStorageError,
    NotACatalogError,
)
from catalog.migrations import SCHEMA_VERSION, migrate, stored_version
from catalog.tables import Meta

DATABASE_NAME = "catalog.sqlite"
_WAIT_FOR_LOCK_MS = 60_000
_BEGIN = "catalog_begin"
_PAGE_BYTES = 8192  # vectors are rows of about 1 KB: larger pages waste less and write faster


class Database:
    """One SQLite file, for several threads: every transaction has a connection of its own."""

    def __init__(self, *, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self._engine = engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent state, whatever other processes commit meanwhile."""
        with translated(self.folder), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that changes what the catalog says; it counts as one generation.

        Counting comes first: it takes the write lock before anything is read, so what is read is
        not outdated at commit, and ids grow in the order of commits.
        """
        with self.labelling() as session:
            session.execute(update(Meta).values(generation=Meta.generation + 1))
            yield session

    @contextmanager
    def labelling(self) -> Iterator[Session]:
        """A transaction that changes nothing which an answer depends on."""
        with translated(self.folder), Session(self._engine) as session, session.begin():
            yield session

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
    engine = _engine(folder / DATABASE_NAME)
    try:
        with translated(folder):
            if create:
                _lay_out(folder / DATABASE_NAME)
            _bring_up_to_date(engine, folder=folder, create=create)
    except BaseException:
        engine.dispose()
        raise
    return Database(folder=folder, engine=engine)


def _require_folder(folder: Path, *, create: bool) -> None:
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        elif not (folder / DATABASE_NAME).is_file():
            raise _missing(folder)
    except FileExistsError as error:
        raise NotACatalogError(f"{folder} is a file; a catalog is a folder") from error
    except OSError as error:
        raise CatalogStorageError(f"cannot use {folder} as a catalog: {error.strerror}") from error


def _lay_out(path: Path) -> None:
    """Choose what can only be chosen for an empty file."""
    if path.exists() and path.stat().st_size > 0:
        return
    with closing(sqlite3.connect(path, timeout=_WAIT_FOR_LOCK_MS / 1000)) as connection:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")


def _engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, reads included
    for pragma in (
        "foreign_keys = ON",
        f"busy_timeout = {_WAIT_FOR_LOCK_MS}",
        "synchronous = FULL",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _bring_up_to_date(engine: Engine, *, folder: Path, create: bool) -> None:
    with engine.connect() as connection:
        version = stored_version(connection)
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
    if version < SCHEMA_VERSION:
        _migrate(engine)


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})  # others may be at it as well
        with connection.begin():
            version = stored_version(connection)
            if version is not None and version < SCHEMA_VERSION:
                migrate(connection, version=version)


def _missing(folder: Path) -> CatalogMissingError:
    return CatalogMissingError(
        f"there is no catalog in {folder}; make one with `vsearch index PATH`"
    )


def file_bytes(path: Path) -> int:
    """The size of a file that may come and go; 0 while it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


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
    primary = getattr(found, "sqlite_errorcode", 0) & 0xFF  # the high bits only refine it
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return CatalogBusyError(
            f"another process has been writing to the catalog in {folder} for more than"
            f" {_WAIT_FOR_LOCK_MS // 1000} s; try again when it is done"
        )
    if primary == sqlite3.SQLITE_NOTADB:
        return NotACatalogError(
            f"{folder / DATABASE_NAME} is not an SQLite file; give another folder"
        )
    if primary == sqlite3.SQLITE_CORRUPT:
        return CatalogDamagedError(
            f"{folder / DATABASE_NAME} is damaged ({found}); restore it from a backup, or move it"
            " away and index again"
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
