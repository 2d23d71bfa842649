"""The command line of the page's process, and the address of the page."""

from __future__ import annotations

import errno
import importlib.util
import socket
from typing import TYPE_CHECKING

from vsearch.errors import PageMissingError, PortTakenError

if TYPE_CHECKING:
    from collections.abc import Sequence

THIS_MACHINE = "127.0.0.1"
_EVERY_ADDRESS = ("0.0.0.0", "::")


def page_command(*, host: str, port: int, flags: Sequence[str]) -> list[str]:
    """The arguments with which Python serves the page, at one address or at all of this machine.

    Raises PageMissingError where the `ui` package is not installed, and PortTakenError.
    """
    _require_free(host, port)
    if importlib.util.find_spec("ui") is None:
        raise PageMissingError("this installation holds no page; install vsearch again, with `ui`")
    return ["-m", "ui.serve", "--port", str(port), "--host", host, *flags]


def page_address(host: str, *, port: int, token: str | None) -> str:
    """The URL of the page, with this machine's name where it is served at all addresses."""
    place = socket.gethostname() if host in _EVERY_ADDRESS else host
    place = f"[{place}]" if ":" in place else place
    return f"http://{place}:{port}" + (f"/?token={token}" if token else "")


def _require_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        # As a server does: a port that was in use a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise PortTakenError(
                    f"{host} is no address of this machine; give one of its own, or 0.0.0.0 for "
                    "all of them"
                ) from error
            raise PortTakenError(
                f"port {port} of {host} cannot be used ({error.strerror}); is the page open "
                "already? Give another port with `--port N`"
            ) from error
