"""The record of a running server, by which the commands of its user find it: `server.json`."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from vsearch import __version__
from vsearch.commands.handover import SERVER_FILE
from vsearch.messages import log
from vsearch.services.page import reached_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vsearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the user of a server can read.

    Attributes:
        secret: shows the server that a command is its user's.
        proof: shows a command that it talks to that server, and to no other program at its port.
    """

    secret: str
    proof: str

    @classmethod
    def new(cls) -> Secrets:
        """Random ones."""
        return cls(token_urlsafe(), token_urlsafe())


@contextmanager
def recorded(settings: Settings, *, host: str, port: int, secrets: Secrets) -> Iterator[None]:
    """Within the block, commands find the server that listens at this address.

    Of several servers, commands find the one that was started last. Where the record cannot be
    written, they do not find it, and a warning says so.
    """
    path = settings.home / SERVER_FILE
    record = {
        "version": __version__,
        "pid": os.getpid(),
        "started": round(time.time(), 3),
        "host": reached_at(host),
        "port": port,
        "secret": secrets.secret,
        "proof": secrets.proof,
        "catalog": str(settings.catalog),
        "model": settings.model,
    }
    text = json.dumps(record) + "\n"
    try:
        _write(path, text)
    except OSError as error:
        log.warning(
            "commands do not find this server by themselves, as %s cannot be written (%s)",
            path,
            error.strerror,
        )
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_text(encoding="utf-8") == text:
                path.unlink()


def _write(path: Path, text: str) -> None:
    """Put the record in its place at once, readable for its user only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(beside, flags, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - the mode
        file.write(text)
    beside.replace(path)
