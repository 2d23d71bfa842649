"""Opening the database of a catalog, by its address."""

from catalog.address import Address, DatabaseUrl
from catalog.database.database import Database


def open_database(address: Address, *, create: bool, unfinished: bool = False) -> Database:
    """Open the database of a catalog; with `create`, make it first if there is none.

    With `unfinished`, also one that is a copy that is not complete.

    Raises:
        CatalogMissingError, NotACatalogError, CatalogNewerError, CatalogOutdatedError,
        CatalogDamagedError, CatalogStorageError, CatalogUnreachableError.
    """
    # Each imports only what it needs.
    if isinstance(address, DatabaseUrl):
        from catalog.database.postgresql.database import open_postgresql

        return open_postgresql(address, create=create, unfinished=unfinished)
    from catalog.database.sqlite.database import open_sqlite

    return open_sqlite(address.absolute(), create=create, unfinished=unfinished)
