"""Connections to a PostgreSQL server."""

from typing import TYPE_CHECKING

from catalog.address import DatabaseUrl
from catalog.errors import CatalogError

if TYPE_CHECKING:
    import psycopg

WAIT_FOR_LOCK_S = 60
# Statements are short, or read very much: to compile them takes longer than it saves. Idle sessions
# hold locks. A machine that falls silent is given up after 25 seconds, by the server and by us.
_SETTINGS = (
    f"-c lock_timeout={WAIT_FOR_LOCK_S}s -c jit=off -c idle_session_timeout=0"
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
_USUAL: dict[str, str] = {
    "application_name": "vsearch",
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def require_driver() -> None:
    """Check that the library that speaks to the server is installed.

    Raises:
        CatalogError: it is not; says how to install it.
    """
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise CatalogError(
            "a catalog on PostgreSQL needs psycopg, which cannot be imported here"
            f" ({' '.join(str(error).split())}); install it with"
            " `pip install 'vsearch[postgresql]'`"
        ) from error


def connect(url: DatabaseUrl, *, autocommit: bool = False) -> "psycopg.Connection":
    """Connect to the database.

    What the URL leaves open, libpq finds in the environment, in a service file and in ~/.pgpass.

    Raises:
        CatalogError: there is no such option of a connection; its value is not repeated, which
            may be a password.
        psycopg.Error: the server cannot be reached, or refuses.
    """
    import psycopg

    given = dict(url.options)
    if url.password is not None:
        given["password"] = url.password
    settings = " ".join((_SETTINGS, given.pop("options", ""))).strip()
    try:
        conninfo = psycopg.conninfo.make_conninfo(**{**_USUAL, "options": settings, **given})
    except psycopg.ProgrammingError as error:
        raise CatalogError(
            f"the URL of the catalog cannot be used: {' '.join(str(error).split())}; PostgreSQL's"
            " documentation of libpq lists the options of a connection"
        ) from None
    return psycopg.connect(conninfo, autocommit=autocommit)
