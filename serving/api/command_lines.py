"""`POST /command`: whole command lines, for the client of `vsearch query`."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from serving.api.bodies import JSON, object_in
from vsearch import __version__
from vsearch.caller import Caller
from vsearch.commands.resident import NotForTheServerError
from vsearch.messages import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.admission import Admission
    from serving.commands import CommandLines
    from serving.turns import Turns

_NOT_HERE = {"detail": "this command line is not for a server; leave `--server` out"}


def command_lines_router(
    commands: CommandLines, turns: Turns, admission: Admission, *, proof: str
) -> APIRouter:
    """The route; `proof` shows programs of this user that it is the server they know of."""
    router = APIRouter()

    @router.post("/command", include_in_schema=False)
    async def command_line(request: Request) -> Response:
        """What a command line writes, for the client of `vsearch query`."""
        asked = await object_in(request)
        known = admission.has_secret(request.headers)
        work = partial(_command_answer, commands, asked, proof=proof if known else "")
        return StreamingResponse(turns.signs(work), media_type=JSON)

    return router


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
