"""`/playable/{video_id}`: what the page needs to know to decide with the browser how to play."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from media import LIVE_LINES, LIVE_TYPE, SILENT_LIVE_TYPE, SPRITE, MediaError, read_tracks
from serving.films.endpoint import Endpoint, begin, go_on, video_id
from serving.films.files import FilmError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Send

    from serving.films.files import Films


class PlayableEndpoint(Endpoint):
    """Tracks of a film as JSON.

    The file is played itself, from `film`, if `canPlayType(type)` says "probably" and `plays_best`;
    else it is made anew: `live`, as `live_type`, for MediaSource.
    """

    def __init__(self, films: Films) -> None:
        self._films = films

    async def answer(self, request: Request, send: Send) -> None:
        """Send the tracks."""
        told = await asyncio.to_thread(self._told, video_id(request))
        answer = JSONResponse(told)
        headers = {**answer.headers, "cache-control": "private, no-cache"}
        await begin(send, 200, headers)
        await go_on(send, b"" if request.method == "HEAD" else bytes(answer.body), more=False)

    def _told(self, number: int) -> dict[str, Any]:
        film = self._films.find(number)
        try:
            tracks = read_tracks(film.path)
        except (MediaError, OSError) as error:
            raise FilmError(422, f"The film cannot be played: {error}.") from error
        return {
            "video_id": number,
            "duration": film.duration,
            **asdict(tracks),
            "film": f"/film/{number}",
            "live": f"/live/{number}",
            "live_type": LIVE_TYPE if tracks.has_sound else SILENT_LIVE_TYPE,
            "live_lines": LIVE_LINES,
            "sprite": asdict(SPRITE),
        }
