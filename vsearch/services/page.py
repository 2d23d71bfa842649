"""Addresses of servers: sockets that listen there, and the URL of the page."""

from __future__ import annotations

import errno
import socket

from vsearch.errors import PortTakenError

THIS_MACHINE = "127.0.0.1"
_EVERY_ADDRESS = ("0.0.0.0", "::")
_WAITING = 1024  # connections


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at one address of this machine, or at all of them.

    Raises PortTakenError.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        # A port that was in use a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_WAITING)
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise PortTakenError(
                f"{host} is no address of this machine; give one of its own, or 0.0.0.0 for "
                "all of them"
            ) from error
        raise PortTakenError(
            f"port {port} of {host} cannot be used ({error.strerror}); is a server of vsearch"
            " running already? Give another port with `--port N`"
        ) from error
    return listener


def page_address(host: str, *, port: int, token: str | None) -> str:
    """The URL of the page, with this machine's name where it is served at all addresses."""
    place = socket.gethostname() if host in _EVERY_ADDRESS else host
    place = f"[{place}]" if ":" in place else place
    return f"http://{place}:{port}" + (f"/?token={token}" if token else "")


def reached_at(host: str) -> str:
    """The address at which this machine reaches what it serves at an address."""
    return {"0.0.0.0": THIS_MACHINE, "::": "::1"}.get(host, host)
