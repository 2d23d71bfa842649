"""The database as an SQLite file: opening it, reading and writing transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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
from sqlalchemy.exc import OperationalError

from catalog.database.claims import OwnClaims
from catalog.database.meta import count_generation, read_meta
from catalog.database.migrations import (
    UNFINISHED,
    create_tables,
    newest_version,
    require_version,
    stored_version,
    upgrade,
)
from catalog.database.sqlite.backup import keep_backup
from catalog.database.sqlite.errors import translated
from catalog.database.sqlite.file import (
    NO_SHARED_MEMORY,
    WAIT_FOR_LOCK_MS,
    FileIdentity,
    beside,
    connect,
    do_without_shared_memory,
    is_read_only,
    lay_out,
)
from catalog.database.sqlite.full_text import CueIndex, create_cue_index
from catalog.database.tables import META
from catalog.errors import (
    CatalogDamagedError,
    CatalogGoneError,
    CatalogMissingError,
    CatalogStorageError,
    NotACatalogError,
    verify_command,
)
from catalog.folder import DATABASE_NAME, SNAPSHOT_NAME, file_bytes
from machine.presence import is_there

_BEGIN = "catalog_begin"
_TAKING_THE_WRITE_LOCK = {_BEGIN: "BEGIN IMMEDIATE"}


class SqliteDatabase:
    """One SQLite file; see `Database`."""

    def __init__(self, *, identity: FileIdentity, engine: Engine) -> None:
        self.folder = self.address = identity.path.parent
        self.cues = CueIndex(identity.path)
        self.claims = OwnClaims()
        self._identity = identity
        self._engine = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Database`."""
        self.require_there()
        with translated(self.folder), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, bump_generation: bool = True) -> Iterator[Connection]:
        """See `Database`."""
        self.require_there()
        with translated(self.folder), self._engine.connect() as connection:
            connection.execution_options(**_TAKING_THE_WRITE_LOCK)
            with connection.begin():
                if bump_generation:
                    self.count_generation(connection)
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

    def count_generation(self, connection: Connection) -> None:
        """See `Database`."""
        count_generation(connection)

    def locked(self, purpose: str, *, shared: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        """See `Catalog.lock`."""
        from catalog.database.sqlite.lock import locked  # a question does without its imports

        return locked(self.folder, purpose)

    def state_uuid(self, connection: Connection, _generation: int) -> str:
        """The catalog's; its snapshot is known by its digest."""
        return read_meta(connection).catalog_uuid

    def knows_snapshot(
        self, connection: Connection, *, uuid: str, generation: int, digest: str
    ) -> bool:
        """Whether the snapshot is the one that was saved last."""
        meta = read_meta(connection)
        saved = meta.catalog_uuid, meta.snapshot_digest
        return saved == (uuid, digest) and generation <= meta.generation

    def note_snapshot(self, digest: str) -> None:
        """See `Database`."""
        with self.writing(bump_generation=False) as connection:
            connection.execute(update(META).values(snapshot_digest=digest))

    def require_there(self) -> None:
        """See `Database`."""
        self._identity.require()

    def bytes_on_disk(self, _connection: Connection) -> int:
        """The size of the file and of its write-ahead log."""
        return sum(file_bytes(self.folder / f"{DATABASE_NAME}{end}") for end in ("", "-wal"))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_sqlite(folder: Path, *, create: bool, unfinished: bool = False) -> SqliteDatabase:
    """Open the catalog in `folder`; with `create`, make it first if there is none.

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
            _bring_up_to_date(engine, folder=folder, create=create, unfinished=unfinished)
    except BaseException:
        engine.dispose()
        raise
    return SqliteDatabase(identity=identity, engine=engine)


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


def _bring_up_to_date(engine: Engine, *, folder: Path, create: bool, unfinished: bool) -> None:
    version = _version(engine, folder=folder)
    require_version(version, address=folder, create=create, unfinished=unfinished)
    if version not in (newest_version(), UNFINISHED):
        _migrate(engine, folder=folder)


def _version(engine: Engine, *, folder: Path) -> int | None:
    """Read the schema version; where that takes memory that cannot be shared, do without it."""
    try:
        with engine.connect() as connection:
            return stored_version(connection, address=folder)
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        if code not in NO_SHARED_MEMORY or is_read_only(folder):
            raise
    engine.dispose()
    do_without_shared_memory(folder / DATABASE_NAME)
    with engine.connect() as connection:
        return stored_version(connection, address=folder)


def _migrate(engine: Engine, *, folder: Path) -> None:
    with engine.connect() as connection:
        connection.execution_options(**_TAKING_THE_WRITE_LOCK)  # another process may be at it, too
        with connection.begin():
            version = stored_version(connection, address=folder)
            if version == 0:
                create_tables(connection)
                create_cue_index(connection)
            elif version is not None and 0 < version < newest_version():
                keep_backup(folder / DATABASE_NAME, version=version)
                upgrade(connection, version=version)
