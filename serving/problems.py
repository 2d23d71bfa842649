"""Problems: errors of the API as `application/problem+json` (RFC 9457), in the command's words."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_JSON = "application/problem+json"


def problem(
    status: int, sentence: str, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer to a request that is refused: a status, and the sentence that says why."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(
        {**told, "detail": _speakable(sentence)},
        status_code=status,
        headers=None if headers is None else dict(headers),
        media_type=PROBLEM_JSON,
    )


def _speakable(sentence: str) -> str:
    """A sentence whose names of files may be no Unicode, with escapes for those bytes."""
    return sentence.encode("utf-8", "backslashreplace").decode()
