"""What the processes of all servers have in common: the API, its record, signals, limits."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from machine import return_large_blocks
from serving.admission import Admission
from serving.agents.endpoint import AgentsEndpoint
from serving.api.application import Served, api
from serving.api.index_runs import IndexRuns
from serving.commands import CommandLines
from serving.films.routes import FilmEndpoints
from serving.record import Secrets, recorded
from serving.turns import Turns
from vsearch.services.library.detached_index import DetachedIndex

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import FrameType

    from fastapi import FastAPI

    from vsearch.services.answers.search import WarmSearch
    from vsearch.settings import Settings

_OPEN_TO_OTHERS = (
    "whoever has this address can search and watch all videos of the catalog{}, and as it is not "
    "encrypted, so can whoever listens on the network; on one that you do not trust, leave out "
    "--host, and use `ssh -L`"
)
_ALSO_TO_INDEX = " and have folders of this machine indexed"
_USUAL_ENDS = (
    "ASGI callable returned without completing response",
    "Cancel ",  # so many tasks, at the end of the server
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
    films: FilmEndpoints
    runs: IndexRuns
    agents: AgentsEndpoint

    @classmethod
    def at(
        cls,
        host: str,
        port: int,
        *,
        token: str | None,
        warm: WarmSearch,
        may_index: bool,
        page: bool = False,
    ) -> Service:
        """The API at an address, beside the page or not.

        Whoever asks needs the token, if there is one.
        """
        settings, secrets = warm.settings, Secrets.new()
        commands, turns = CommandLines(warm), Turns()
        return cls(
            settings,
            Admission(host, port, token, secrets.secret),
            commands,
            turns,
            secrets,
            FilmEndpoints.of(settings),
            IndexRuns(DetachedIndex(settings), may_index),
            AgentsEndpoint(commands, turns, page=page),
        )

    @property
    def app(self) -> FastAPI:
        """The application, to be mounted below /api."""
        served = Served(
            self.commands,
            self.turns,
            self.admission,
            self.films,
            self.runs,
            proof=self.secrets.proof,
        )
        return api(served)

    @property
    def warning(self) -> str:
        """What is to be said of an address that others can reach."""
        return _OPEN_TO_OTHERS.format(_ALSO_TO_INDEX if self.runs.allowed else "")

    def end_soon(self, seconds: int) -> None:
        """Have the server's end wait so long for answers that are being sent, and for no events.

        A film that nobody reads on would keep it for ever.
        """
        usual, ended = uvicorn.Server.handle_exit, self.runs.ended

        def handle_exit(server: uvicorn.Server, number: int, frame: FrameType | None) -> None:
            server.config.timeout_graceful_shutdown = seconds
            ended.set()
            usual(server, number, frame)

        uvicorn.Server.handle_exit = handle_exit  # type: ignore[assignment, method-assign]
        logging.getLogger("uvicorn.error").addFilter(_is_news)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within the block, commands find the server; at its end no further question begins."""
        at = self.admission
        return_large_blocks()
        _end_also_with_the_terminal()
        _allow_many_connections()
        with recorded(self.settings, host=at.host, port=at.port, secrets=self.secrets):
            try:
                yield
            finally:
                self.turns.end()
                await self.agents.end()
        self.commands.end()


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a fault of the server is more than an answer that ends before it was read."""
    text = record.getMessage()
    return not any(text.startswith(usual) for usual in _USUAL_ENDS)


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
