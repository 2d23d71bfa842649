"""The schema's history as a numbered list: step N takes a catalog from version N - 1 to N.

A step that has landed is never edited, and uses only what `catalog.schema_history` has frozen.
"""

from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import Connection, insert, inspect, select, text, update

from catalog.database.schema_history import MADE_IN_1, MADE_IN_2, META
from catalog.database.tables import Meta


def _content_and_places(connection: Connection) -> None:
    META.metadata.create_all(connection, tables=MADE_IN_1)
    first = {"id": 1, "schema_version": 1, "catalog_uuid": str(uuid4()), "generation": 0}
    connection.execute(insert(META).values(first))


def _drafts_mounts_and_damage(connection: Connection) -> None:
    META.metadata.create_all(connection, tables=MADE_IN_2)
    connection.execute(text("ALTER TABLE videos ADD COLUMN damage TEXT"))


def _fingerprints_of_all_bytes(connection: Connection) -> None:
    for table in ("videos", "drafts"):
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN sample TEXT"))
    connection.execute(text("CREATE INDEX ix_videos_sample ON videos (sample)"))
    # Of what file they are parts was only sampled: nobody knows whether one goes on with the same.
    for table in ("draft_clips", "drafts"):
        connection.execute(text(f"DELETE FROM {table}"))


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _content_and_places,
    _drafts_mounts_and_damage,
    _fingerprints_of_all_bytes,
)
SCHEMA_VERSION = len(MIGRATIONS)


def stored_version(connection: Connection) -> int | None:
    """The schema version of a catalog; 0 for an empty database, None for somebody else's."""
    inspector = inspect(connection)
    tables = inspector.get_table_names()
    if not tables:
        return 0
    table, column = Meta.__tablename__, Meta.schema_version.key
    if table not in tables or column not in {c["name"] for c in inspector.get_columns(table)}:
        return None
    return connection.execute(select(Meta.schema_version)).scalar_one_or_none()


def migrate(connection: Connection, *, version: int) -> None:
    """Take a catalog from `version` to the present one, inside the caller's transaction."""
    for step in MIGRATIONS[version:]:
        step(connection)
    connection.execute(update(Meta).values(schema_version=SCHEMA_VERSION))
