"""The last ids that were given to rows, also of rows that are gone: ids are never used twice."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, func, select, text

from catalog.database.tables import META, METADATA

_TABLES = {table.name: table for table in METADATA.sorted_tables if table is not META}


def last_ids(connection: Connection) -> dict[str, int]:
    """The last id of each table, by its name."""
    if connection.dialect.name == "sqlite":
        given = dict(map(tuple, connection.execute(text("SELECT name, seq FROM sqlite_sequence"))))
    else:
        given = {name: _last_value(connection, name) for name in _TABLES}
    return {
        name: max(given.get(name, 0), connection.scalar(select(func.max(table.c.id))) or 0)
        for name, table in _TABLES.items()
    }


def set_last_ids(connection: Connection, ids: Mapping[str, int]) -> None:
    """Let new rows of each table have higher ids than these."""
    if connection.dialect.name == "sqlite":
        for name in filter(_is_counted, ids):
            values = {"name": name, "last": ids[name]}
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), values)
        return
    for name, last in ids.items():
        sequence = func.pg_get_serial_sequence(name, "id")
        connection.execute(select(func.setval(sequence, max(last, 1), last > 0)))


def _last_value(connection: Connection, name: str) -> int:
    row = connection.execute(text(f"SELECT last_value, is_called FROM {name}_id_seq")).one()
    return int(row.last_value) if row.is_called else 0


def _is_counted(name: str) -> bool:
    table: Table = _TABLES[name]
    return bool(table.dialect_options["sqlite"]["autoincrement"])
