"""The HTTP API, below /api: questions and status as JSON, and command lines for `vsearch query`."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response, StreamingResponse
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect

from serving.commands import CommandLines, RefusedError
from serving.problems import problem
from serving.turns import Turns
from vsearch import __version__
from vsearch.caller import Caller
from vsearch.cli import command
from vsearch.commands.questions.lines import MOST_BYTES, question_parameters
from vsearch.commands.resident import NotForTheServerError
from vsearch.messages import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.admission import Admission

_JSON = "application/json"
_BODY_SECONDS = 10  # to send a question


def api(commands: CommandLines, turns: Turns, admission: Admission, *, proof: str) -> FastAPI:
    """The application; `proof` shows programs of this user that it is the server they know of."""
    app = FastAPI(
        title="vsearch",
        version=__version__,
        description="Find moments in your own videos from a sentence.",
        docs_url=None,  # these load scripts from other sites
        redoc_url=None,
    )

    @app.post("/search", openapi_extra=_question_schema(), summary="Ask a question")
    async def search(request: Request) -> Response:
        """The answer of `vsearch query --json` to an object of its options."""
        question = await _object_in(request)
        return Response(await turns.take(partial(commands.search, question)), media_type=_JSON)

    @app.get("/status", summary="Status of the catalog")
    async def status() -> dict[str, Any]:
        """What `vsearch status --json` prints."""
        return await turns.take(commands.status)

    @app.post("/command", include_in_schema=False)
    async def command_line(request: Request) -> Response:
        """What a command line writes, for the client of `vsearch query`."""
        asked = await _object_in(request)
        known = admission.has_secret(request.headers)
        work = partial(_command_answer, commands, asked, proof=proof if known else "")
        return StreamingResponse(turns.signs(work), media_type=_JSON)

    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(AnyHTTPException, not_served)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)
    return app


def _command_answer(commands: CommandLines, asked: Mapping[str, Any], *, proof: str) -> bytes:
    """The answer to a command line; with a proof for a caller on this machine, of the same user."""
    try:
        home = asked["home"] if proof and "home" in asked else None
        one = Caller(
            folder=asked["folder"] if home else None,
            variables={name: str(value) for name, value in asked["variables"].items()},
            terminals={name: value is True for name, value in asked["terminals"].items()},
            encodings={name: str(value) for name, value in asked["encodings"].items()},
        )
        words = [str(word) for word in asked["words"]]
        if any("\0" in word for word in words):
            raise TypeError("NUL in a word")
    except (KeyError, TypeError, AttributeError) as error:
        return json.dumps({"detail": f"no command line ({error!r}); update vsearch"}).encode()
    if home and asked.get("version") != __version__:
        return json.dumps({"proof": proof, "answered": False}).encode()
    try:
        code = commands.answer(words, one, home=home)
    except NotForTheServerError:
        return json.dumps({"proof": proof, "answered": False, **_NOT_HERE}).encode()
    except Exception:
        log.exception("a question failed")
        return json.dumps({"proof": proof, "answered": False, **_NOT_HERE}).encode()
    play = None if one.play is None else (str(one.play[0]), one.play[1])
    told = {"code": code, "written": one.written, "play": play, "quiet": one.is_quiet}
    return json.dumps({"proof": proof, "answered": True, **told}).encode()


async def _object_in(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises HTTPException: it is none, too large, or slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise HTTPException(415, f"give the question as JSON, with `Content-Type: {_JSON}`")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _body_of(request)
    except TimeoutError as error:
        raise HTTPException(408, f"it took more than {_BODY_SECONDS} s to send") from error
    try:
        found = json.loads(body)
    except RecursionError as error:
        raise HTTPException(400, "the question is too deeply nested") from error
    except ValueError as error:
        raise HTTPException(400, f"the question is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise HTTPException(400, 'a question is a JSON object, such as {"text": "a red car"}')
    return found


async def _body_of(request: Request) -> bytes:
    too_large = HTTPException(413, "a question has 1 MiB at most", {"connection": "close"})
    told = request.headers.get("content-length", "0")
    if not told.isdigit() or int(told) > MOST_BYTES:
        raise too_large
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)


async def _refused(_: Request, error: Exception) -> Response:
    usage = isinstance(error, RefusedError) and error.usage
    return problem(400 if usage else 503, str(error).removeprefix("vsearch: "))


async def not_served(request: Request, error: Exception) -> Response:
    """The problem of an address, a method or a body that is not served."""
    if not isinstance(error, AnyHTTPException):
        return await _failed(request, error)
    sentence = error.detail
    if error.status_code == 404:
        sentence = f"there is nothing at {request.url.path}; see /api/openapi.json"
    answer = problem(error.status_code, sentence)
    answer.headers.update(error.headers or {})
    return answer


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # for nobody


async def _failed(_: Request, error: Exception) -> Response:
    return problem(500, f"a fault of vsearch: {type(error).__name__}")


def _question_schema() -> dict[str, Any]:
    """What OpenAPI says of a question: a property for each option."""
    parameters = question_parameters(command().commands["query"])
    properties = {name: _property_schema(one) for name, one in parameters.items()}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {_JSON: {"schema": schema}}}}


def _property_schema(parameter: Any) -> dict[str, Any]:
    if getattr(parameter, "is_flag", False):
        return {"type": "boolean", "description": parameter.help}
    one = {"type": ["string", "number"]}
    many = {"type": "array", "items": one}
    several = getattr(parameter, "multiple", False) or parameter.nargs == -1
    return {**({"anyOf": [one, many]} if several else one), "description": parameter.help}


_NOT_HERE = {"detail": "this command line is not for a server; leave `--server` out"}
