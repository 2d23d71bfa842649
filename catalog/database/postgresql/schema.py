"""The schema on PostgreSQL: what differs from SQLite, and tables that only a server needs."""

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, text

from catalog.address import DatabaseUrl
from catalog.database.migrations import create_tables
from catalog.errors import CatalogStorageError

_OLDEST_SERVER = 15

SERVER_METADATA = MetaData()

# The states that the catalog has been in: a view on another machine is of one of these, or of
# another database. After a restore from a backup, generations come again, and their uuids do not.
HISTORY = Table(
    "history",
    SERVER_METADATA,
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Text, nullable=False),
)

# Who has a lock; a row of one that nobody has is of a process that was killed.
HOLDERS = Table(
    "holders",
    SERVER_METADATA,
    Column("lock", BigInteger, primary_key=True, autoincrement=False),
    Column("purpose", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("since", Text, nullable=False),
)

# The first and the last clip of a video, which by its own number alone are looked for in all clips.
_CLIPS_OF_VIDEOS = "CREATE INDEX ix_clips_video_id_id ON clips (video_id, id)"

# A row of a b-tree has 2704 bytes and a path may have 4096. A hash has any length; the constraint
# compares the whole paths.
_UNIQUE_PATHS = (
    "ALTER TABLE roots ADD CONSTRAINT uq_roots_path EXCLUDE USING hash (path WITH =)",
    "ALTER TABLE mounts ADD CONSTRAINT uq_mounts_path EXCLUDE USING hash (path WITH =)",
    "ALTER TABLE files ADD CONSTRAINT uq_files_path EXCLUDE USING hash"
    " ((CAST(root_id AS text) || '/' || relative_path) WITH =)",
    "CREATE INDEX ix_files_relative_path ON files USING hash (relative_path)",
    "CREATE INDEX ix_files_root_id ON files (root_id)",
)

_STATES_KEPT = 100_000  # a view that is older is built anew
COUNT_GENERATION = text(
    "WITH counted AS (UPDATE meta SET generation = generation + 1 RETURNING generation),"
    " forgotten AS (DELETE FROM history WHERE generation <="
    f" (SELECT generation - {_STATES_KEPT} FROM counted))"
    " INSERT INTO history (generation, uuid)"
    " SELECT generation, CAST(gen_random_uuid() AS text) FROM counted"
)


def create_schema(connection: Connection, *, address: DatabaseUrl) -> None:
    """Make an empty database an empty catalog, inside the caller's transaction.

    Raises:
        CatalogStorageError: the server is too old, or the database cannot hold all texts.
    """
    server = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    encoding = connection.scalar(text("SHOW server_encoding"))
    if server < _OLDEST_SERVER:
        raise CatalogStorageError(
            f"the server of {address} is PostgreSQL {server}, and a catalog needs"
            f" {_OLDEST_SERVER} or newer; upgrade it, or give another one"
        )
    if encoding != "UTF8":
        raise CatalogStorageError(
            f"the database of {address} has the encoding {encoding}, which cannot hold all names;"
            " make one with `createdb --encoding UTF8 --template template0 NAME`"
        )
    create_tables(connection)
    SERVER_METADATA.create_all(connection)
    for statement in (*_UNIQUE_PATHS, _CLIPS_OF_VIDEOS):
        connection.execute(text(statement))
    connection.execute(
        text(
            "INSERT INTO history (generation, uuid)"
            " SELECT generation, CAST(gen_random_uuid() AS text) FROM meta"
        )
    )
