"""Bodies of requests: a JSON object each, neither large nor slow."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders

from serving.problems import problem
from vsearch.commands.questions.lines import MOST_BYTES

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON = "application/json"
_BODY_SECONDS = 10  # to send a question


class SmallBodies:
    """ASGI middleware that refuses large bodies before they are read, also where none is wanted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on; the connection of one that does not tell its length ends with it."""
        headers = Headers(scope=scope)
        if int(headers.get("content-length", "0")) > MOST_BYTES:
            refusal = problem(413, "a body has 1 MiB at most", headers={"connection": "close"})
            await refusal(scope, receive, send)
            return
        untold = "transfer-encoding" in headers

        async def closing(message: Message) -> None:
            if untold and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self._app(scope, receive, closing)


async def object_in(
    request: Request, *, what: str = "question", example: str = '{"text": "a red car"}'
) -> dict[str, Any]:
    """The JSON object of a request. Raises HTTPException: it is none, too large, or slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise HTTPException(415, f"give the {what} as JSON, with `Content-Type: {JSON}`")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _body_of(request, what=what)
    except TimeoutError as error:
        raise HTTPException(408, f"it took more than {_BODY_SECONDS} s to send") from error
    try:
        found = json.loads(body)
    except RecursionError as error:
        raise HTTPException(400, f"the {what} is too deeply nested") from error
    except ValueError as error:
        raise HTTPException(400, f"the {what} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise HTTPException(400, f"a {what} is a JSON object, such as {example}")
    return found


async def _body_of(request: Request, *, what: str) -> bytes:
    too_large = HTTPException(413, f"a {what} has 1 MiB at most", {"connection": "close"})
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)
