"""`/film/{video_id}`: the file itself, whole or a range of its bytes (RFC 9110, section 14)."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import TYPE_CHECKING, BinaryIO

from media import content_type_of
from serving.films.endpoint import Endpoint, begin, go_on, is_known, video_id
from serving.films.files import FilmError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Send

    from serving.films.files import Film, Films

_PIECE = 256 << 10  # bytes read and sent at once
_READERS = 8
_ONE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class FilmEndpoint(Endpoint):
    """Files by range. Nothing is read ahead of what the browser takes."""

    def __init__(self, films: Films) -> None:
        self._films = films
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="film")

    async def answer(self, request: Request, send: Send) -> None:
        """Send the file, or the range that is asked for."""
        await self.give(request, send, number=video_id(request))

    async def give(self, request: Request, send: Send, *, number: int) -> None:
        """The same for the video with this id. Raises `FilmError` before anything was sent."""
        loop = asyncio.get_running_loop()
        film, file = await loop.run_in_executor(self._readers, self._opened, number)
        try:
            headers = _headers(film)
            if await is_known(request, send, headers):
                return
            first, last = _wanted(request, film, headers)
            headers["content-length"] = str(last - first + 1)
            partial = "content-range" in headers
            await begin(send, 206 if partial else 200, headers)
            if request.method != "HEAD":
                while first <= last:
                    count = min(_PIECE, last - first + 1)
                    piece = await loop.run_in_executor(self._readers, _read, file, first, count)
                    if not piece:
                        return  # it was cut while it was read: the connection ends
                    await go_on(send, piece)
                    first += len(piece)
            await go_on(send, b"", more=False)
        finally:
            # After a read that goes on, in its turn.
            self._readers.submit(file.close)

    def _opened(self, number: int) -> tuple[Film, BinaryIO]:
        film = self._films.find(number)
        return film, film.open()


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _headers(film: Film) -> dict[str, str]:
    return {
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "content-type": content_type_of(film.container),
        "etag": film.tag(),
        "last-modified": formatdate(film.mtime_ns / 1e9, usegmt=True),
    }


def _wanted(request: Request, film: Film, headers: dict[str, str]) -> tuple[int, int]:
    """The first and the last byte to send; `content-range` is set if they are a part.

    Several ranges, and what is no range at all, get the whole file, as the RFC allows. Raises
    `FilmError` for a range behind the end.
    """
    whole = 0, film.size - 1
    told = _ONE_RANGE.fullmatch(request.headers.get("range", "").strip())
    same = request.headers.get("if-range", headers["etag"])
    if told is None or same not in (headers["etag"], headers["last-modified"]):
        return whole
    first, last = told.groups()
    if first:
        span = int(first), min(int(last or film.size), film.size - 1)
        if last and int(last) < int(first):
            return whole
    elif last:
        span = max(film.size - int(last), 0), film.size - 1
    else:
        return whole
    if span[0] > span[1]:
        raise FilmError(
            416,
            f"The file has {film.size} bytes; the range begins behind them.",
            content_range=f"bytes */{film.size}",
        )
    headers["content-range"] = f"bytes {span[0]}-{span[1]}/{film.size}"
    return span
