"""Questions, their likes, and the status of the catalog, in the JSON of the commands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from serving.api.answers import REFUSALS, Answer, Status
from serving.api.bodies import JSON, object_in
from serving.api.given import ClipId, PlaceGiven, Seconds, VideoId, place_of
from serving.api.refusals import invalid_sentence
from vsearch.cli import command
from vsearch.commands.questions.lines import question_parameters
from vsearch.show.output import json_text

if TYPE_CHECKING:
    from serving.commands import CommandLines
    from serving.turns import Turns

_EXAMPLE = '{"clip_id": 17} or {"video_id": 3, "at": 12.5}'


def questions_router(commands: CommandLines, turns: Turns) -> APIRouter:
    """The routes of questions."""
    router = APIRouter(tags=["questions"], responses=REFUSALS)

    @router.post(
        "/search",
        summary="Ask a question",
        responses={200: {"model": Answer}},
        openapi_extra=_body_of_options({}),
    )
    async def search(request: Request) -> Response:
        """The answer of `vsearch query --json` to an object of its options."""
        question = await object_in(request)
        return Response(await turns.take(partial(commands.search, question)), media_type=JSON)

    @router.get(
        "/similar", summary="More like a clip or a moment", responses={200: {"model": Answer}}
    )
    async def similar(
        clip_id: ClipId = None,
        video_id: VideoId = None,
        at: Seconds = None,
        limit: Annotated[int, Query(description="Maximum number of moments.")] = 10,
        inside: Annotated[
            list[str] | None,
            Query(alias="in", description="Search only videos whose path matches this glob."),
        ] = None,
    ) -> Response:
        """The answer of `vsearch query --like VIDEO@TIME --json`: of a clip, its middle."""
        place = place_of(PlaceGiven(clip_id=clip_id, video_id=video_id, at=at))
        further = {"limit": limit, "in": inside}
        answer = await turns.take(partial(commands.similar, place, further))
        return Response(answer, media_type=JSON)

    @router.post(
        "/similar",
        summary="More like a clip or a moment, with all options of a question",
        responses={200: {"model": Answer}},
        openapi_extra=_body_of_options(PlaceGiven.model_json_schema()["properties"]),
    )
    async def similar_with_options(request: Request) -> Response:
        """The same; beside the place, the options of `vsearch query` narrow the answer."""
        asked = await object_in(request, example=_EXAMPLE)
        named = {name: asked.pop(name) for name in PlaceGiven.model_fields if name in asked}
        try:
            place = place_of(PlaceGiven.model_validate(named, strict=True))
        except ValidationError as error:
            raise HTTPException(400, invalid_sentence(error)) from error
        answer = await turns.take(partial(commands.similar, place, asked))
        return Response(answer, media_type=JSON)

    @router.get("/status", summary="Status of the catalog", responses={200: {"model": Status}})
    async def status() -> Response:
        """What `vsearch status --json` prints."""
        return Response(json_text(await turns.take(commands.status)), media_type=JSON)

    return router


def _body_of_options(more: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says of a body: a property for each option of a question, and more."""
    parameters = question_parameters(command().commands["query"])
    properties = more | {name: _property_schema(one) for name, one in parameters.items()}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


def _property_schema(parameter: Any) -> dict[str, Any]:
    if getattr(parameter, "is_flag", False):
        return {"type": "boolean", "description": parameter.help}
    one = {"type": ["string", "number"]}
    many = {"type": "array", "items": one}
    several = getattr(parameter, "multiple", False) or parameter.nargs == -1
    return {**({"anyOf": [one, many]} if several else one), "description": parameter.help}
