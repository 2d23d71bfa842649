"""What the processes of all servers have in common: the API, its record, signals, limits."""

from __future__ import annotations

import asyncio
import resource
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.admission import Admission
from serving.api import api
from serving.commands import CommandLines
from serving.record import Secrets, recorded
from serving.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from vsearch.services.answers.search import WarmSearch
    from vsearch.settings import Settings

OPEN_TO_OTHERS = (
    "whoever has this address can search {}all videos of the catalog, and as it is not "
    "encrypted, so can whoever listens on the network; on one that you do not trust, leave out "
    "--host, and use `ssh -L`"
)
_MOST_FILES = 65_536  # connections are files


@dataclass(frozen=True, slots=True)
class Service:
    """The API of one catalog at one address."""

    settings: Settings
    admission: Admission
    commands: CommandLines
    turns: Turns
    secrets: Secrets

    @classmethod
    def at(cls, host: str, port: int, *, token: str | None, warm: WarmSearch) -> Service:
        """The API at an address; whoever asks needs the token, if there is one."""
        secrets = Secrets.new()
        admission = Admission(host, port, token, secrets.secret)
        return cls(warm.settings, admission, CommandLines(warm), Turns(), secrets)

    @property
    def app(self) -> FastAPI:
        """The application, to be mounted below /api."""
        return api(self.commands, self.turns, self.admission, proof=self.secrets.proof)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within the block, commands find the server; at its end no further question begins."""
        at = self.admission
        _end_also_with_the_terminal()
        _allow_many_connections()
        with recorded(self.settings, host=at.host, port=at.port, secrets=self.secrets):
            try:
                yield
            finally:
                self.turns.end()
        self.commands.end()


def _end_also_with_the_terminal() -> None:
    """Uvicorn knows what to do on SIGTERM, but not on SIGHUP, which `nohup` has us ignore."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, signal.raise_signal, signal.SIGTERM)


def _allow_many_connections() -> None:
    """Raise the usual limit of open files, 1,024 mostly, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft not in (resource.RLIM_INFINITY,) and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
