"""Refusals: every error of the API as a problem, with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect

from serving.commands import RefusedError
from serving.films.files import FilmError
from serving.problems import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTERS = 40  # of what was given
_BOUNDS = ("ge", "le", "min_length")
_USUAL = {
    "missing": "is missing; give it",
    "extra_forbidden": "is not known here; leave it out",
}
_WANTED = {
    "bool_type": "true or false",
    "finite_number": "a number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than_equal": "{ge} or more",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than_equal": "{le} or less",
    "list_type": "a list",
    "string_type": "a text",
    "too_short": "a list of {min_length} or more",
}


def refuse_in(app: FastAPI) -> None:
    """Have all errors of an application answered as problems."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(FilmError, _not_shown)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AnyHTTPException, not_served)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _failed)


async def only_known_parameters(request: Request) -> None:
    """Refuse parameters behind the `?` that the address does not have. Raises HTTPException."""
    route = request.scope["route"]
    operations = request.app.openapi()["paths"].get(route.path, {})
    told = operations.get("get" if request.method == "HEAD" else request.method.lower(), {})
    known = [one["name"] for one in told.get("parameters", ()) if one["in"] == "query"]
    for name in request.query_params:
        if name not in known:
            allowed = f"give {', '.join(known)}" if known else "it has none"
            raise HTTPException(400, f"there is no {name[:_LETTERS]!r} in this address; {allowed}")


async def not_served(request: Request, error: Exception) -> Response:
    """The problem of an address, a method or a body that is not served."""
    if not isinstance(error, AnyHTTPException):
        return await _failed(request, error)
    sentence = error.detail
    if error.status_code == 404:
        sentence = f"there is nothing at {request.url.path}; see /api/openapi.json"
    elif error.status_code == 405 and (allowed := (error.headers or {}).get("Allow")):
        sentence = f"{request.url.path} takes {allowed}, not {request.method}"
    return problem(error.status_code, sentence, headers=error.headers)


def sentence_of(errors: Sequence[Any]) -> str:
    """What is wrong with values that were given, in a sentence; of several the first."""
    first = errors[0]
    name = ".".join(str(part) for part in first["loc"] if part not in ("query", "path", "body"))
    usual = _USUAL.get(first["type"])
    if usual is not None:
        return f"{name or 'the body'} {usual}"
    given = repr(first["input"])[:_LETTERS]
    if first["type"] in _WANTED:
        bounds = {
            name: int(value) for name, value in first.get("ctx", {}).items() if name in _BOUNDS
        }
        wanted = _WANTED[first["type"]].format(**bounds)
        return f"{name} is {given}; give {wanted}"
    return f"{name} is {given}: {first['msg']}"


def invalid_sentence(error: ValidationError) -> str:
    """The same of values in a body."""
    return sentence_of(error.errors())


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 500
    return problem(status, str(error).removeprefix("vsearch: "))


async def _not_shown(_: Request, error: Exception) -> Response:
    told = error if isinstance(error, FilmError) else FilmError(500, "")
    return problem(told.status, str(told), headers={"cache-control": "no-store", **told.headers})


async def _invalid(_: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else ()
    return problem(400, sentence_of(errors))


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # for nobody


async def _failed(_: Request, error: Exception) -> Response:
    return problem(500, f"a fault of vsearch: {type(error).__name__}")
