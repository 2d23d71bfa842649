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
# Those besides the password, which have no variable in which a child process could get them.
_SECRET = frozenset({"oauth_client_secret", "scram_client_key", "scram_server_key", "sslpassword"})


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The URL of a PostgreSQL database; its text, for messages, is without the password.

    Attributes:
        options: the options of a connection by libpq's names, but for the password.
        views: the folder on this machine for what is derived from catalogs on servers.
    """

    options: tuple[tuple[str, str], ...]
    views: Path
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str, *, views: Path) -> Self:
        """Read a URL as libpq does, whose documentation tells its parts.

        Raises:
            ValueError: it cannot be read. The message does not repeat it: it may hold a password.
        """
        options = dict(_parts(text))
        given = {name: unquote(value) for name, value in options.items() if value}
        if None in options.values() or not all(value.isprintable() for value in given.values()):
            raise ValueError(
                "the URL of the catalog cannot be read: write postgresql://USER@HOST/DATABASE, with"
                " characters such as @ / : ? % in a name as %40 %2F %3A %3F %25"
            )
        password = given.pop("password", None)
        if secret := sorted(_SECRET & given.keys()):
            raise ValueError(f"{secret[0]} cannot be given in a URL: put it into a service file")
        return cls(options=(*given.items(),), views=views, password=password)

    @property
    def environment(self) -> dict[str, str]:
        """The password as the variable in which libpq looks for it, for a process of ours."""
        return {} if self.password is None else {"PGPASSWORD": self.password}

    def __str__(self) -> str:
        """The URL without the password."""
        options = dict(self.options)
        user, name = _quoted(options.pop("user", "")), _quoted(options.pop("dbname", ""))
        at = ""
        if not options.get("host", "").startswith("/"):  # the folder of a socket
            hosts, ports = options.pop("host", "").split(","), options.pop("port", "").split(",")
            ports += ports[-1:] * (len(hosts) - len(ports))
            at = ",".join(map(_host_and_port, hosts, ports))
        rest = "&".join(f"{option}={_quoted(value)}" for option, value in options.items())
        return f"postgresql://{user}{'@' if user else ''}{at}/{name}{'?' if rest else ''}{rest}"


Address: TypeAlias = Path | DatabaseUrl
"""A folder, or the URL of a database."""


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """The parts of a URL by libpq's names, as they are written; None for what is none."""
    scheme = _SCHEME.match(text)
    if scheme is None:
        yield "", None
        return
    rest, asks, query = text[scheme.end() :].partition("?")
    authority, _, name = rest.partition("/")
    known_to, _, hosts = authority.rpartition("@")
    user, _, password = known_to.partition(":")
    yield from (("user", user), ("password", password))
    found = [_HOST.fullmatch(each) for each in hosts.split(",")]
    if not all(found) or re.search("[/@:]", name):
        yield "", None
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
