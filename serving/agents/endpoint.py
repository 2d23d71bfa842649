"""`/mcp`: the tools over HTTP. The library of the protocol is loaded for the first request."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.routing import Route

from serving.agents.answers import AgentAnswers
from serving.problems import problem
from vsearch.commands.questions.lines import MOST_BYTES
from vsearch.errors import AgentsMissingError
from vsearch.services.agents import require_agents

if TYPE_CHECKING:
    from starlette.responses import JSONResponse
    from starlette.types import ASGIApp, Receive, Scope, Send

    from serving.commands import CommandLines
    from serving.turns import Turns

AGENTS_PATH = "/mcp"


class AgentsEndpoint:
    """The tools of one catalog. No session is kept: each request stands alone.

    With `page`, links lead to the page, which is served beside it.
    """

    def __init__(self, commands: CommandLines, turns: Turns, *, page: bool) -> None:
        self._commands = commands
        self._turns = turns
        self._page = page
        self._begun: asyncio.Future[ASGIApp] | None = None
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """The addresses: requests are sent to one, with or without a slash at its end."""
        return [Route(path, self) for path in (AGENTS_PATH, f"{AGENTS_PATH}/")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        refusal = _refusal(scope["method"])
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if self._begun is None:
            self._begun = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(self._begun))
        app = await asyncio.shield(self._begun)
        await app({**scope, "path": AGENTS_PATH, "raw_path": b"/mcp"}, receive, send)

    async def end(self) -> None:
        """End what is still being answered."""
        self._ended.set()
        if self._task is not None:
            await self._task

    async def _run(self, begun: asyncio.Future[ASGIApp]) -> None:
        try:
            # Takes a second, in which others are answered.
            tools = await asyncio.to_thread(import_module, "serving.agents.tools")
            server = tools.agent_server(
                AgentAnswers.of(self._commands), self._turns, page=self._page
            )
            app = server.streamable_http_app(
                streamable_http_path=AGENTS_PATH,
                json_response=True,
                stateless_http=True,
                max_request_body_size=MOST_BYTES,
                transport_security=tools.GUARDED_ALREADY,
            )
            async with server.session_manager.run():
                begun.set_result(app)
                await self._ended.wait()
        except Exception as error:
            if begun.done():
                raise
            begun.set_exception(error)


def _refusal(method: str) -> JSONResponse | None:
    """The refusal of a request that cannot be answered: nothing is sent that was not asked for."""
    if method != "POST":
        answer = problem(405, "agents send what they ask by POST")
        answer.headers["allow"] = "POST"
        return answer
    try:
        require_agents()
    except AgentsMissingError as error:
        return problem(501, str(error))
    return None
