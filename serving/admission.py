"""Admission to a server: the names that it answers under, and the token that strangers lack."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.requests import cookie_parser

from vsearch.commands.handover import SECRET_HEADER
from vsearch.services.page import THIS_MACHINE, page_address

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import Scope

# Any port: a tunnel, such as that of `ssh -L`, has a port of its own at its near end.
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_NAMES_HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may ask: browsers and programs on this machine, or whoever has the token.

    Attributes:
        host: the address that the server listens at. Every one but 127.0.0.1 goes with a token.
        port: its port.
        token: what others have to know.
        secret: what programs of the user who started the server know, from a file of theirs.
    """

    host: str = THIS_MACHINE
    port: int = 0
    token: str | None = None
    secret: str | None = None

    @property
    def address(self) -> str:
        """The URL of the page; whoever has it with the token may open it."""
        return page_address(self.host, port=self.port, token=self.token)

    def answers_to(self, host: str) -> bool:
        """Whether the page answers under a `Host`.

        A foreign page can make its own name lead here, but no address in numbers.
        """
        told = _HOST.fullmatch(host.lower())
        if told is None:
            return False
        name = told["name"]
        if self.token is None:
            return name in _NAMES_HERE
        own = socket.gethostname().lower()
        return _is_number(name.strip("[]")) or name in (self.host.lower(), own, f"{own}.local")

    def admits(self, headers: Headers) -> bool:
        """Whether a request has the token, in a cookie or as a bearer, or the secret."""
        if self.token is None or self.has_secret(headers):
            return True
        scheme, _, told = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(told.strip()):
            return True
        cookies = cookie_parser("; ".join(headers.getlist("cookie")))
        return self._is_token(cookies.get(self._cookie_name, ""))

    def has_secret(self, headers: Headers) -> bool:
        """Whether a request comes from the user who started the server."""
        return _same(headers.get(SECRET_HEADER, ""), self.secret)

    def entering(self, scope: Scope) -> tuple[str, str] | None:
        """Where to go on, and the cookie to set, for a request whose address has the token."""
        if self.token is None or scope["type"] != "http" or scope["path"] != "/":
            return None
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if not any(name == "token" and self._is_token(value) for name, value in asked):
            return None
        rest = urlencode([(name, value) for name, value in asked if name != "token"])
        # Lax: the page may be opened from a link in a mail, which a strict cookie does not survive.
        cookie = f"{self._cookie_name}={self.token}; Path=/; HttpOnly; SameSite=Lax"
        return f"/?{rest}" if rest else "/", cookie

    @property
    def _cookie_name(self) -> str:
        return f"vsearch-{self.port}"  # cookies do not know ports

    def _is_token(self, given: str) -> bool:
        return _same(given, self.token)


def _same(given: str, secret: str | None) -> bool:
    return secret is not None and compare_digest(
        given.encode("utf-8", "surrogatepass"), secret.encode()
    )


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
