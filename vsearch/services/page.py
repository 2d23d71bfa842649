"""The command line of the page's process."""

from __future__ import annotations

import importlib.util
import socket
from typing import TYPE_CHECKING

from vsearch.errors import PageMissingError, PortTakenError

if TYPE_CHECKING:
    from collections.abc import Sequence


def page_command(*, port: int, flags: Sequence[str]) -> list[str]:
    """The arguments with which Python serves the page, on 127.0.0.1 only.

    Raises PageMissingError where the `ui` package is not installed, and PortTakenError.
    """
    _require_free(port)
    if importlib.util.find_spec("ui") is None:
        raise PageMissingError("this installation holds no page; install vsearch again, with `ui`")
    return ["-m", "ui.serve", "--port", str(port), *flags]


def _require_free(port: int) -> None:
    with socket.socket() as listener:
        # As a server does: a port that was in use a moment ago is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"port {port} of 127.0.0.1 cannot be used ({error.strerror}); is the page open "
                "already? Give another port with `--port N`"
            ) from error
