"""`/live/{video_id}?start=SECONDS`: the film from there on, made anew while it plays."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING

from media import LIVE_LINES, MediaError, live_mp4
from ui.films.encoders import Encoders
from ui.films.endpoint import Endpoint, begin, go_on, seconds, video_id
from ui.films.files import FilmError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Send

    from ui.films.files import Films

_HEADERS = {"content-type": "video/mp4", "cache-control": "no-store"}


class LiveEndpoint(Endpoint):
    """Fragmented MP4 that begins at time 0 with the frame at `start`.

    It may end before the film does: when another film is begun while nobody reads this one, or
    where the file breaks off. The browser then asks anew, from where it ended.
    """

    def __init__(self, films: Films) -> None:
        self._films = films
        self._encoders = Encoders()

    async def answer(self, request: Request, send: Send) -> None:
        """Send the film as long as it is taken."""
        start, lines = seconds(request, "start"), _lines(request)
        film = await asyncio.to_thread(self._films.find, video_id(request))
        if start > film.duration:
            raise FilmError(416, f"The film ends at {film.duration:.3f} seconds.")
        if request.method == "HEAD":
            await begin(send, 200, _HEADERS)
            await go_on(send, b"", more=False)
            return
        async with self._encoders.place() as encoder:
            make = partial(live_mp4, film.path, start=start, lines=lines)
            async with aclosing(encoder.pieces(make)) as pieces:
                try:
                    first = await anext(pieces)
                except MediaError as error:
                    raise FilmError(422, f"The film cannot be played: {error}.") from error
                await begin(send, 200, _HEADERS)
                await go_on(send, first)
                with suppress(MediaError):
                    async for piece in pieces:
                        await go_on(send, piece)
                await go_on(send, b"", more=False)


def _lines(request: Request) -> int:
    """The wanted height. Raises `FilmError`."""
    told = request.query_params.get("lines", str(LIVE_LINES[0]))
    for lines in LIVE_LINES:
        if told == str(lines):
            return lines
    raise FilmError(400, f"Give lines as one of {', '.join(map(str, LIVE_LINES))}.")
