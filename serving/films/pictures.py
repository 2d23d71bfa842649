"""`/still/{video_id}?at=SECONDS` and `/sprite/{video_id}?start=&end=`: JPEGs made on demand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from media import SPRITE, MediaError, sprite, thumbnail
from serving.films.endpoint import Endpoint, begin, go_on, is_known, seconds, video_id
from serving.films.files import FilmError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.types import Send

    from serving.films.files import Film, Films
    from serving.films.workshop import Make, Workshop

_STILL_WIDTH = 480  # pixels at most
_AFTER_THE_END = 1.0  # second: a player's clock may show the end, and has its last picture


class _PictureEndpoint(Endpoint):
    """A picture of a film."""

    def __init__(self, films: Films, workshop: Workshop) -> None:
        self._films = films
        self._workshop = workshop

    async def _find(self, number: int) -> Film:
        return await asyncio.to_thread(self._films.find, number)

    async def _send(
        self, request: Request, send: Send, *, tag: str, make: Make, told: Mapping[str, str]
    ) -> None:
        headers = {"cache-control": "private, no-cache", "etag": tag}
        if await is_known(request, send, headers):
            return
        try:
            picture = await self._workshop.get(tag, make)
        except (MediaError, OSError) as error:
            raise FilmError(422, f"The film cannot be shown: {error}.") from error
        headers |= {"content-type": "image/jpeg", "content-length": str(len(picture)), **told}
        await begin(send, 200, headers)
        await go_on(send, b"" if request.method == "HEAD" else picture, more=False)


class StillEndpoint(_PictureEndpoint):
    """The frame on display at a time, or one beside it where that is nearly black."""

    async def answer(self, request: Request, send: Send) -> None:
        """Send the still."""
        await self.give(request, send, number=video_id(request), at=seconds(request, "at"))

    async def give(self, request: Request, send: Send, *, number: int, at: float) -> None:
        """The same for the video with this id. Raises `FilmError` before anything was sent."""
        film = await self._find(number)
        if at > film.duration + _AFTER_THE_END:
            raise FilmError(416, f"The film ends at {film.duration:.3f} seconds.")

        def make(_: Callable[[], bool]) -> bytes:
            return thumbnail(film.path, time=at, max_width=_STILL_WIDTH, threads=1)

        await self._send(request, send, tag=film.tag("still", at), make=make, told={})


class SpriteEndpoint(_PictureEndpoint):
    """A grid of small pictures over a moment; headers tell how it is laid out."""

    async def answer(self, request: Request, send: Send) -> None:
        """Send the sprite."""
        start, end = seconds(request, "start"), seconds(request, "end")
        await self.give(request, send, number=video_id(request), start=start, end=end)

    async def give(
        self, request: Request, send: Send, *, number: int, start: float, end: float
    ) -> None:
        """The same for the video with this id. Raises `FilmError` before anything was sent."""
        if start >= end:
            raise FilmError(400, "Give an end that is later than start.")
        film = await self._find(number)
        end = min(end, film.duration)
        if start >= end:
            raise FilmError(416, f"The film ends at {film.duration:.3f} seconds.")

        def make(stopped: Callable[[], bool]) -> bytes:
            return sprite(film.path, start=start, end=end, stopped=stopped)

        layout = f"columns={SPRITE.columns} rows={SPRITE.rows} start={start:.3f} end={end:.3f}"
        await self._send(
            request,
            send,
            tag=film.tag("sprite", start, end),
            make=make,
            told={"x-sprite": layout},
        )
