"""Claims on a catalog that several runs share: locks of one session of their own.

A claim ends with its process, however that ends, and within half a minute with a machine that falls
silent (see `connection`). When its session is lost, another run may do the same work once more: the
fingerprints of videos are unique, and what is there is not doubled.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalog.address import DatabaseUrl
from catalog.database.claims import Claim
from catalog.database.postgresql.connection import connect
from catalog.database.postgresql.errors import translated
from catalog.database.postgresql.lock import lock_key, suppress_errors, take

if TYPE_CHECKING:
    import psycopg


@dataclass(slots=True)
class SharedClaims:
    """Claims of one open catalog; see `Claims`. For one thread."""

    address: DatabaseUrl
    catalog_uuid: str
    _session: "psycopg.Connection | None" = None
    _held: set[int] = field(default_factory=set)

    @property
    def shared(self) -> bool:
        """See `Claims`."""
        return True

    def film(self, sample: str) -> Claim | None:
        """See `Claims`; raises CatalogUnreachableError."""
        return self._claim(f"film {sample}")

    def housekeeping(self) -> Claim | None:
        """See `Claims`; raises CatalogUnreachableError."""
        return self._claim("housekeeping")

    def close(self) -> None:
        """End all claims."""
        if self._session is not None:
            self._session.close()
        self._session = None
        self._held.clear()

    def _claim(self, name: str) -> Claim | None:
        key = lock_key(self.catalog_uuid, name)
        if key in self._held:  # a session gets a lock of its own once more
            return None
        with translated(self.address):
            if not self._taken(key):
                return None
        self._held.add(key)
        return _Claim(self, key)

    def _taken(self, key: int) -> bool:
        """Take a lock; in a new session where the server has ended the old one."""
        import psycopg

        if self._session is not None:
            try:
                return take(self._session, key)
            except psycopg.OperationalError:
                self._session.close()
        self._session = connect(self.address, autocommit=True)
        for held in self._held:
            take(self._session, held)  # what another run has taken meanwhile is done twice
        return take(self._session, key)

    def release(self, key: int) -> None:
        """End a claim; with a session that is lost it has ended already."""
        self._held.discard(key)
        if self._session is not None:
            with suppress_errors():
                self._session.execute("SELECT pg_advisory_unlock(%s)", (key,))


@dataclass(frozen=True, slots=True)
class _Claim:
    claims: SharedClaims
    key: int

    def release(self) -> None:
        self.claims.release(self.key)
