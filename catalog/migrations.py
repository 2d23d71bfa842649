"""The schema's history as a numbered list: step N takes a catalog from version N - 1 to N.

A step that has landed is never edited. Before a second step lands, the first is frozen as it
stands: today it makes the tables from their classes.
"""

from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import Connection, insert, inspect, select, update

from catalog.tables import Base, Meta


def _first_tables(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    first = {"id": 1, "schema_version": 1, "catalog_uuid": str(uuid4()), "generation": 0}
    connection.execute(insert(Meta).values(first))


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first_tables,)
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
