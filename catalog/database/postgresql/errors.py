"""Errors of PostgreSQL as those of a catalog, which say what was found and name a remedy."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from catalog.address import DatabaseUrl
from catalog.database.postgresql.connection import WAIT_FOR_LOCK_S
from catalog.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogGoneError,
    CatalogStorageError,
    CatalogUnreachableError,
)

# The codes of SQLSTATE, or their first two letters, which are a class of errors.
_ENDED = ("08", "57P01", "57P02", "57P03", "57P05")
_WAITED = ("55P03", "40001", "40P01")
_DAMAGED = ("XX001", "XX002", "58030")
_REFUSED = ("25006", "42501", "53", "54")
_GONE = ("42P01", "42703", "3F000")


@contextmanager
def translated(address: DatabaseUrl) -> Iterator[None]:
    """Turn the server's errors into those of a catalog, which name a remedy."""
    import psycopg

    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        found = error.orig if isinstance(error, DBAPIError) else error
        plain = in_plain_words(found, address=address)
        if plain is None:
            raise
        raise plain from error


def in_plain_words(found: BaseException | None, *, address: DatabaseUrl) -> CatalogError | None:
    """The error of the catalog for one of the server; None for one that only a bug leads to."""
    import psycopg

    code = getattr(found, "sqlstate", None) or ""
    said = " ".join(str(found).split()).rstrip(".")
    if isinstance(found, psycopg.OperationalError) and (not code or code.startswith(_ENDED)):
        return CatalogUnreachableError(
            f"cannot reach the catalog in {address}: {said}; see that the server runs, that the"
            " database exists (`createdb` makes one), and that ~/.pgpass, a service file or"
            " PGPASSWORD has the password where one is asked for; nothing committed is lost"
        )
    if code.startswith(_WAITED):
        return CatalogBusyError(
            f"another process has been writing to the catalog in {address} for more than"
            f" {WAIT_FOR_LOCK_S} s; try again when it is done"
        )
    if code.startswith(_DAMAGED):
        return CatalogDamagedError(
            f"the database of the catalog in {address} is damaged ({said}); see how far with"
            " `pg_amcheck`, and restore it from a backup"
        )
    if code.startswith(_GONE):
        return CatalogGoneError(
            f"the catalog in {address} is gone, or was replaced, while it was in use ({said}); run"
            " the command again to work on what is there now"
        )
    if code.startswith(_REFUSED):
        return CatalogStorageError(
            f"cannot use the catalog in {address}: {said}; nothing committed is lost, see that the"
            " server has room, and that this user may read and write the tables"
        )
    return None
