"""Links that play a moment: of a file, of a server's bytes, or of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from serving.agents.answers import LinkOf

# Of the page's address, which has the options of the question by their names.
_OF_THE_PAGE = ("and", "not", "then", "said", "in", "tag", "after", "before", "camera")


def file_link(path: str, _: int, start: float, end: float) -> str:
    """The URL of a file on this machine; browsers play it from the start to the end."""
    return f"{Path(path).as_uri()}{_times(start, end)}"


def served_link(host: str) -> LinkOf:
    """Links to the files as a server at this host sends them."""

    def link(_: str, video_id: int, start: float, end: float) -> str:
        return f"http://{host}/api/media/{video_id}{_times(start, end)}"

    return link


def page_link(host: str, question: Mapping[str, Any]) -> LinkOf:
    """Links to the page at this host, which asks the question and plays the moment."""
    texts = question.get("text") or []
    first, *more = [texts] if isinstance(texts, str) else texts or [""]
    given = {**question, "and": more}
    fields = {
        name: ";".join(value) if isinstance(value, list) else value
        for name in _OF_THE_PAGE
        if (value := given.get(name)) not in (None, [])
    }
    limit = {} if question.get("limit") in (None, 10) else {"n": question["limit"]}
    everything = {"all": "true"} if question.get("all") else {}

    def link(_: str, video_id: int, start: float, __: float) -> str:
        play = {"play": f"{video_id}@{start:.10g}"}
        return f"http://{host}/?{urlencode({'q': first, **fields, **limit, **everything, **play})}"

    return link


def _times(start: float, end: float) -> str:
    return f"#t={start:.10g},{end:.10g}"
