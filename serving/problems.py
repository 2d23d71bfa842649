"""Problems: errors of the API as `application/problem+json` (RFC 9457), in the command's words."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse


def problem(status: int, sentence: str) -> JSONResponse:
    """The answer to a request that is refused: a status, and the sentence that says why."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(
        {**told, "detail": sentence}, status_code=status, media_type="application/problem+json"
    )
