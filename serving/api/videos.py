"""Videos: lists of them, what is known of one, and the bytes of its file."""

from __future__ import annotations

from functools import partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import Response

from serving.api.answers import REFUSALS, Video, Videos
from serving.api.bodies import JSON
from serving.api.given import Id
from serving.films.endpoint import MadeAnswer
from vsearch.services.library.listing import (
    LARGEST_ID,
    MOST_VIDEOS,
    describe_video,
    list_videos,
)
from vsearch.show.output import json_text
from vsearch.show.videos import described_json, videos_json

if TYPE_CHECKING:
    from catalog import Catalog
    from serving.commands import CommandLines
    from serving.films.routes import FilmEndpoints
    from serving.turns import Turns

_ThisVideo = Annotated[Id, Path(description="The id of a video.")]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file", "content": {"application/octet-stream": _BYTES}},
    206: {"description": "A range of it", "content": {"application/octet-stream": _BYTES}},
}


def videos_router(commands: CommandLines, turns: Turns, films: FilmEndpoints) -> APIRouter:
    """The routes of videos."""
    router = APIRouter(tags=["videos"], responses=REFUSALS)

    @router.get("/videos", summary="List the videos", responses={200: {"model": Videos}})
    async def videos(
        folder: Annotated[
            str | None, Query(description="Only videos at or below this path.", min_length=1)
        ] = None,
        cursor: Annotated[
            int, Query(description="The cursor of the page before.", ge=0, le=LARGEST_ID)
        ] = 0,
        limit: Annotated[
            int, Query(description="Videos of a page, at most.", ge=1, le=MOST_VIDEOS)
        ] = 100,
    ) -> Response:
        """Videos in order of their ids, page by page: give `cursor` as the page before told it."""
        below = None if folder is None else _whole(folder)
        read = partial(_listed, folder=below, after=cursor, limit=limit)
        return Response(await turns.take(partial(commands.read, read)), media_type=JSON)

    @router.get("/videos/{video_id}", summary="What is known", responses={200: {"model": Video}})
    async def video(video_id: _ThisVideo) -> Response:
        """What is known of a video, whether its files are there, and what could not be read."""
        read = partial(_described, video_id=video_id)
        return Response(await turns.take(partial(commands.read, read)), media_type=JSON)

    @router.get("/media/{video_id}", response_class=Response, responses=_MEDIA)
    async def media(video_id: _ThisVideo) -> Response:
        """The bytes of a video's file, by range (`Range: bytes=0-1023`), as it was indexed."""
        return MadeAnswer(partial(films.film.give, number=video_id))

    router.add_api_route("/media/{video_id}", media, methods=["HEAD"], include_in_schema=False)
    return router


def _whole(folder: str) -> FilePath:
    if not folder.startswith("/") or "\0" in folder:
        raise HTTPException(
            400, f"{folder[:80]!r} is no whole path; give one such as /media/videos"
        )
    return FilePath(folder)


def _listed(catalog: Catalog, *, folder: FilePath | None, after: int, limit: int) -> str:
    return json_text(videos_json(list_videos(catalog, folder=folder, after=after, limit=limit)))


def _described(catalog: Catalog, *, video_id: int) -> str:
    return json_text(described_json(describe_video(catalog, video_id)))
