"""The address of a catalog: where it is, as a person gives it and as messages name it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeAlias
from urllib.parse import quote, unquote

_SCHEME = re.compile("postgres(ql)?://", re.IGNORECASE)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[\w.%~-]*)(:(?P<port>[0-9]*))?", re.ASCII)
_PARAMETER = re.compile(r"(?P<name>[a-z_]+)=(?P<value>[^=&]*)", re.ASCII)
_SECRET = frozenset(
    {"oauth_client_secret", "password", "scram_client_key", "scram_server_key", "sslpassword"}
)


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The URL of a PostgreSQL database; its text, for messages, is without the password.

    Attributes:
        options: the options of a connection by libpq's names, but for those that are secret.
        views: the folder on this machine for what is derived from catalogs on servers.
        secrets: those that are secret.
    """

    options: tuple[tuple[str, str], ...]
    views: Path
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def looks_like(cls, text: str) -> bool:
        """Whether the text is meant as such a URL, and not as a folder."""
        return _SCHEME.match(text) is not None

    @classmethod
    def parse(cls, text: str, *, views: Path) -> Self:
        """Read a URL as libpq does, whose documentation tells its parts.

        Raises:
            ValueError: it cannot be read. The message does not repeat it: it may hold a password.
        """
        options = dict(_parts(text))
        if None in options.values():
            raise ValueError(
                "the URL of the catalog cannot be read: write postgresql://USER@HOST/DATABASE, with"
                " characters such as @ / : ? % as %40 %2F %3A %3F %25"
            )
        given = {name: unquote(value) for name, value in options.items() if value}
        return cls(
            options=tuple((name, it) for name, it in given.items() if name not in _SECRET),
            views=views,
            secrets=tuple((name, it) for name, it in given.items() if name in _SECRET),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The password as the variable in which libpq looks for it, for a process of ours."""
        password = dict(self.secrets).get("password")
        return {} if password is None else {"PGPASSWORD": password}

    def __str__(self) -> str:
        """The URL without what is secret."""
        options = dict(self.options)
        user = options.pop("user", "")
        hosts, ports = options.pop("host", "").split(","), options.pop("port", "").split(",")
        at = ",".join(map(_host_and_port, hosts, ports + ports[-1:] * (len(hosts) - len(ports))))
        start = f"postgresql://{_quoted(user)}@" if user else "postgresql://"
        rest = "&".join(
            f"{name}={_quoted(value)}" for name, value in options.items() if name != "dbname"
        )
        name = _quoted(options.get("dbname", ""))
        return f"{start}{at}/{name}" + (f"?{rest}" if rest else "")


Address: TypeAlias = Path | DatabaseUrl
"""A folder, or the URL of a database."""


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """The parts of a URL by libpq's names, as they are written; None for what is none."""
    rest, asks, query = _SCHEME.sub("", text, count=1).partition("?")
    authority, _, name = rest.partition("/")
    known_to, _, hosts = authority.rpartition("@")
    user, _, password = known_to.partition(":")
    yield from (("user", user), ("password", password))
    found = [_HOST.fullmatch(each) for each in hosts.split(",")]
    if not all(found) or re.search("[/@:]", name):
        yield "host", None
    places = [each for each in found if each]
    yield "host", ",".join(place["host"].strip("[]") for place in places)
    if any(place["port"] for place in places):
        yield "port", ",".join(place["port"] or "" for place in places)
    yield "dbname", name
    for each in query.split("&") if asks else ():
        parameter = _PARAMETER.fullmatch(each)
        yield (parameter["name"], parameter["value"]) if parameter else ("", None)


def _host_and_port(host: str, port: str) -> str:
    shown = f"[{host}]" if ":" in host else _quoted(host)
    return f"{shown}:{port}" if port else shown


def _quoted(text: str) -> str:
    return quote(text, safe="/" if text.startswith("/") else "")
