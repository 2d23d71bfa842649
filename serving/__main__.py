"""The server's process, which `vsearch serve` becomes: `python -P -m serving --port N`."""

from __future__ import annotations

import argparse
import os
import sys
from asyncio import TimerHandle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from secrets import token_urlsafe
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from uvicorn.protocols.http.h11_impl import H11Protocol

from machine import prepare_process
from serving.api.refusals import not_served
from serving.guard import Guard
from serving.process import Service
from vsearch.commands.handover import TOKEN_VARIABLE
from vsearch.errors import user_errors
from vsearch.exit_codes import DONE, REFUSED
from vsearch.interruption import Interruption
from vsearch.messages import log, refuse, set_volume
from vsearch.services.answers.search import WarmSearch
from vsearch.services.page import THIS_MACHINE, listening
from vsearch.settings import read_page_settings
from vsearch.show.output import count, print_json

_IDLE_SECONDS = 15
_LAST_SECONDS = 5  # for questions that are being answered when the server ends


class _Connection(H11Protocol):
    """A connection, which is closed if no question comes: uvicorn would wait for ever."""

    _giving_up: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._giving_up = self.loop.call_later(_IDLE_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if getattr(self, "cycle", None) is None:  # typed as if there always was one
            self.transport.close()


def serve(service: Service, *, as_json: bool) -> int:
    """Answer until Ctrl-C, SIGTERM or SIGHUP ends it; its exit code. Raises `user_errors()`."""
    at = service.admission
    with listening(at.host, at.port) as listener:
        service.commands.warm.warm_up(index=True)
        service.commands.follow()
        service.end_soon(_LAST_SECONDS)

        @asynccontextmanager
        async def announced(_: Starlette) -> AsyncIterator[None]:
            async with service.running():
                _announce(service, as_json=as_json)
                yield

        app = Starlette(
            routes=[Mount("/api", app=service.app), *service.agents.routes()],
            middleware=[Middleware(Guard, at)],
            lifespan=announced,
            exception_handlers={404: not_served},
        )
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return DONE


def _announce(service: Service, *, as_json: bool) -> None:
    address = service.admission.address
    if as_json:
        print_json({"url": address})
        sys.stdout.flush()
    status = service.commands.warm.status()
    log.info(
        "answers from %s of %s at %s; Ctrl-C ends it",
        count(status.clips, "clip"),
        count(status.videos, "video"),
        address,
    )
    if service.admission.token is not None:
        log.warning(service.warning)


def _serve_or_refuse(given: Any) -> int:
    told = os.environ.pop(TOKEN_VARIABLE, None) or token_urlsafe()
    token = None if given.host == THIS_MACHINE else told
    try:
        settings = read_page_settings(os.environ)
        service = Service.at(
            given.host,
            given.port,
            token=token,
            warm=WarmSearch(settings),
            may_index=given.allow_index,
        )
        return serve(service, as_json=given.json)
    except user_errors() as error:
        refuse(str(error))
        return REFUSED


def main() -> None:
    """The entry point of the server's process."""
    prepare_process()
    os.chdir("/")  # a server keeps no disk from being taken away
    parser = argparse.ArgumentParser(prog="python -m serving")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default=THIS_MACHINE)
    for flag in ("--allow-index", "--json", "--verbose", "--quiet"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    set_volume(verbose=given.verbose, quiet=given.quiet)
    sys.exit(Interruption().exit_code_of(lambda: _serve_or_refuse(given)))


if __name__ == "__main__":
    main()
