"""Endpoint of one kind of address: it works as long as the browser waits, and refuses in JSON."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from serving.films.files import FilmError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

_DIGITS = 18  # of an id


class Endpoint(ABC):
    """ASGI application behind one route; `answer` is cancelled when the browser goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say in a sentence why not."""
        request = Request(scope)

        async def answered() -> None:
            try:
                await self.answer(request, send)
            except FilmError as error:
                headers = {"cache-control": "no-store", **error.headers}
                refusal = JSONResponse({"error": str(error)}, error.status, headers)
                await refusal(scope, receive, send)

        await _until_the_end(receive, answered())

    @abstractmethod
    async def answer(self, request: Request, send: Send) -> None:
        """Send the answer. Raises `FilmError` before anything was sent."""


class MadeAnswer(Response):
    """Answer of the API that `give` sends, with the request and `send`, while the client waits.

    What `give` raises before anything was sent, the application answers.
    """

    def __init__(self, give: Callable[[Request, Send], Awaitable[None]]) -> None:
        super().__init__()
        self._give = give

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        await _until_the_end(receive, self._give(Request(scope), send))


async def begin(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """Send status and headers."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def go_on(send: Send, body: bytes, *, more: bool = True) -> None:
    """Send a piece of the body; without `more`, the last."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def is_known(request: Request, send: Send, headers: Mapping[str, str]) -> bool:
    """Whether the browser has what the ETag in `headers` names: then it is told so."""
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["etag"] not in known and "*" not in known:
        return False
    await begin(send, 304, headers)
    await go_on(send, b"", more=False)
    return True


def video_id(request: Request) -> int:
    """The id in the address. Raises `FilmError` for what is none."""
    text = request.path_params["video_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise FilmError(404, "There is no such film in the catalog.")
    return int(text)


def seconds(request: Request, name: str) -> float:
    """A time in the query of the address. Raises `FilmError`."""
    text = request.query_params.get(name, "")
    try:
        given = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        given = math.nan
    if not (0 <= given < math.inf):
        raise FilmError(400, f"Give {name} in seconds from the beginning, such as {name}=12.5.")
    return given


async def _until_the_end(receive: Receive, work: Awaitable[None]) -> None:
    with suppress(asyncio.CancelledError):  # the server ends
        await _while_there(receive, work)


async def _while_there(receive: Receive, work: Awaitable[None]) -> None:
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not working.done():
            working.cancel()
        await asyncio.wait({working, leaving})
    if not working.cancelled():
        working.result()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
