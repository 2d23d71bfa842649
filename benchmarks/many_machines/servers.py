"""Databases on a server that is there: made for a measurement, and dropped after it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from catalog import DatabaseUrl


@contextmanager
def new_database(server: str) -> Iterator[DatabaseUrl]:
    """The address of a new database on the server of this URL, whose user may make some."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"vsearch_bench_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as session:
        make = SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
        session.execute(make.format(Identifier(name)))
        try:
            with tempfile.TemporaryDirectory() as views:
                address = DatabaseUrl.parse(server, views=Path(views))
                options = {**dict(address.options), "dbname": name}
                yield replace(address, options=tuple(options.items()))
        finally:
            session.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def server_version(server: str) -> str:
    """The version of the server, as it says itself."""
    import psycopg

    with psycopg.connect(server) as session:
        row = session.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else "?"
