"""Pictures of videos: stills and sprites, by ids and seconds, or by the id of a clip."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from serving.api.answers import REFUSALS
from serving.api.given import ClipId, PlaceGiven, Seconds, VideoId, place_of
from serving.films.endpoint import MadeAnswer
from vsearch.services.library.places import find_clip

if TYPE_CHECKING:
    from catalog import ClipMatch
    from serving.commands import CommandLines
    from serving.films.routes import FilmEndpoints
    from serving.turns import Turns

_JPEG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A picture",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def pictures_router(commands: CommandLines, turns: Turns, films: FilmEndpoints) -> APIRouter:
    """The routes of pictures."""
    router = APIRouter(tags=["pictures"], responses=REFUSALS)

    async def clip(clip_id: int) -> ClipMatch:
        return await turns.take(partial(commands.read, partial(find_clip, clip_id=clip_id)))

    @router.get("/still", response_class=Response, responses=_JPEG)
    async def still(
        clip_id: ClipId = None, video_id: VideoId = None, at: Seconds = None
    ) -> Response:
        """A still of a video at a second, or of a clip: of its middle."""
        place = place_of(PlaceGiven(clip_id=clip_id, video_id=video_id, at=at))
        if place.clip_id is not None:
            found = await clip(place.clip_id)
            number, time = found.video_id, (found.start + found.end) / 2
        elif place.at is None:
            raise HTTPException(400, "give `at` in seconds from the beginning, such as at=12.5")
        else:
            number, time = place.video_id or 0, place.at
        return MadeAnswer(partial(films.still.give, number=number, at=time))

    @router.get("/sprite", response_class=Response, responses=_JPEG)
    async def sprite(
        clip_id: ClipId = None,
        video_id: VideoId = None,
        start: Seconds = None,
        end: Seconds = None,
    ) -> Response:
        """A grid of small pictures over a moment or a clip; `X-Sprite` tells how it is laid out."""
        place = place_of(PlaceGiven(clip_id=clip_id, video_id=video_id, at=None))
        if place.clip_id is not None:
            if start is not None or end is not None:
                raise HTTPException(400, "a clip_id says when already; leave start and end out")
            found = await clip(place.clip_id)
            number, start, end = found.video_id, found.start, found.end
        elif start is None or end is None:
            raise HTTPException(400, "give start and end in seconds, such as start=10&end=18")
        else:
            number = place.video_id or 0
        return MadeAnswer(partial(films.sprite.give, number=number, start=start, end=end))

    for path, endpoint in (("/still", still), ("/sprite", sprite)):
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
    return router
