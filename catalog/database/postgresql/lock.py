"""Locks in the database: of all processes on all machines, one has it, or those that share it.

A lock belongs to a session of its own, so it ends with its process, however that ends, and a little
later with a machine that falls silent.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from typing import TYPE_CHECKING

from catalog.address import DatabaseUrl
from catalog.database.holder import Holder, refusal
from catalog.database.postgresql.connection import connect
from catalog.database.postgresql.errors import translated

if TYPE_CHECKING:
    import psycopg


@contextmanager
def locked(
    address: DatabaseUrl, purpose: str, *, catalog_uuid: str, shared: bool = False
) -> Iterator[None]:
    """Have the lock of a catalog for as long as the block runs; see `Catalog.lock`."""
    with translated(address):
        session = connect(address, autocommit=True)
    try:
        key = lock_key(catalog_uuid, "catalog")
        with translated(address):
            if not take(session, key, shared=shared):
                raise refusal(address, _read_holder(session, key))
            _write_holder(session, key, purpose)
        yield
        with suppress_errors():
            gone = "DELETE FROM holders WHERE lock = %s AND pid = %s AND host = %s"
            me = Holder.of_this_process(purpose)
            session.execute(gone, (key, me.pid, me.host))
    finally:
        session.close()  # and so the lock


def lock_key(catalog_uuid: str, name: str) -> int:
    """The number of a lock of a catalog: locks are numbers that a whole database shares."""
    digest = hashlib.sha256(f"vsearch {catalog_uuid} {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def take(session: "psycopg.Connection", key: int, *, shared: bool = False) -> bool:
    """Take a lock for a session, unless another session has it; it does not wait.

    A `shared` one others may share.
    """
    way = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    row = session.execute(f"SELECT {way}(%s)", (key,)).fetchone()
    return row is not None and bool(row[0])


def suppress_errors() -> suppress:
    """Do without what is only a courtesy, such as when the server was stopped meanwhile."""
    import psycopg

    return suppress(psycopg.Error)


def _write_holder(session: "psycopg.Connection", key: int, purpose: str) -> None:
    """Write which process has the lock. Only a courtesy: without the right to, it is left out."""
    holder = Holder.of_this_process(purpose.encode("utf-8", "backslashreplace").decode())
    with suppress_errors():
        session.execute(
            "INSERT INTO holders (lock, purpose, pid, host, since) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (lock) DO UPDATE SET purpose = excluded.purpose, pid = excluded.pid,"
            " host = excluded.host, since = excluded.since",
            (key, *astuple(holder)),
        )


def _read_holder(session: "psycopg.Connection", key: int) -> Holder | None:
    query = "SELECT purpose, pid, host, since FROM holders WHERE lock = %s"
    row = session.execute(query, (key,)).fetchone()
    return None if row is None else Holder(*row)
