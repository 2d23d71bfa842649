"""`/live/{video_id}?start=SECONDS`: the film from there on, made anew while it plays."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing, suppress
from functools import partial
from typing import TYPE_CHECKING

from media import LIVE_LINES, MediaError, live_mp4
from serving.films.encoders import Encoders
from serving.films.endpoint import Endpoint, begin, go_on, seconds, video_id
from serving.films.files import FilmError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import BinaryIO

    from starlette.requests import Request
    from starlette.types import Send

    from serving.films.files import Films
    from serving.films.kept import KeptFiles, Recording

_PIECE = 256 << 10  # bytes read and sent at once of what is kept
_LEAST_KEPT = 5  # pieces: a header, and two seconds
_MOST_KEPT = 64 << 20  # bytes of one film from one second on
_HEADERS = {"content-type": "video/mp4", "cache-control": "no-store"}


class LiveEndpoint(Endpoint):
    """Fragmented MP4 that begins at time 0 with the frame at `start`.

    It may end before the film does: when another film is begun while nobody reads this one, where
    the file breaks off, or where it was left when it was played before. The browser then asks anew,
    from where it ended.
    """

    def __init__(self, films: Films, kept: KeptFiles) -> None:
        self._films = films
        self._kept = kept
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
        key = film.tag("live", start, lines)
        played = await asyncio.to_thread(self._kept.open, key)
        if played is not None:
            await _send_file(send, played)
            return
        async with self._encoders.place() as encoder:
            made = partial(live_mp4, film.path, start=start, lines=lines)
            make = partial(_recorded, made, partial(self._kept.record, key))
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


def _recorded(
    make: Callable[..., Generator[bytes, None, None]],
    begun: Callable[[], Recording],
    *,
    stopped: Callable[[], bool],
) -> Generator[bytes, None, None]:
    """What `make` yields, which is kept as far as it was played."""
    recording, count = begun(), 0
    try:
        with closing(make(stopped=stopped)) as pieces:
            for piece in pieces:
                if recording.size + len(piece) > _MOST_KEPT:
                    recording.end(keep=True)
                recording.write(piece)
                count += 1
                yield piece
    finally:
        recording.end(keep=count >= _LEAST_KEPT)


async def _send_file(send: Send, file: BinaryIO) -> None:
    with file:
        await begin(send, 200, _HEADERS)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await go_on(send, piece)
        await go_on(send, b"", more=False)


def _lines(request: Request) -> int:
    """The wanted height. Raises `FilmError`."""
    told = request.query_params.get("lines", str(LIVE_LINES[0]))
    for lines in LIVE_LINES:
        if told == str(lines):
            return lines
    raise FilmError(400, f"Give lines as one of {', '.join(map(str, LIVE_LINES))}.")
