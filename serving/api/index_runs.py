"""Index runs: started, followed and stopped by programs, where that is allowed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.api.answers import REFUSALS, IndexState
from serving.api.bodies import JSON, object_in
from serving.api.refusals import invalid_sentence
from serving.commands import refusing
from vsearch.show.output import json_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from serving.turns import Turns
    from vsearch.services.library.detached_index import DetachedIndex, RunState

_LOOK_EACH = 0.25  # second
_LOOKS_TO_A_SIGN = 60
_EXAMPLE = '{"paths": ["/media/videos"]}'
_READ_ONLY = (
    "this server only reads the catalog; where it may index for programs, start it with"
    " `--allow-index`"
)
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events of the run; the last one, `end`, has its state as `GET /index`",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "There is no further event of the run that `Last-Event-ID` names"},
}


@dataclass(frozen=True, slots=True)
class IndexRuns:
    """The index runs of a catalog; `ended` says that the server ends, which no run does with it."""

    runs: DetachedIndex
    allowed: bool
    ended: Event = field(default_factory=Event)

    def require_allowed(self) -> None:
        """Raises HTTPException for a server that only reads."""
        if not self.allowed:
            raise HTTPException(403, _READ_ONLY)

    def state(self) -> str:
        """How far the latest run is, as JSON."""
        return json_text(_state_json(self.runs.state()))

    def start(self, paths: list[Path], *, retry_failed: bool) -> str:
        """Start a run; its state. Raises RefusedError."""
        with refusing():
            self.runs.start(paths, retry_failed=retry_failed)
        return self.state()

    def stop(self) -> str:
        """Stop the run; its state, in which it may go on for a moment."""
        self.runs.stop()
        return self.state()


class RunWanted(BaseModel):
    """What is to be indexed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    paths: list[str] = Field(min_length=1, description="Whole paths of files or folders.")
    retry_failed: bool = Field(False, description="Try failed files again that did not change.")  # noqa: FBT003


def index_router(runs: IndexRuns, turns: Turns) -> APIRouter:
    """The routes of index runs."""
    router = APIRouter(prefix="/index", tags=["index"], responses=REFUSALS)
    told: dict[int | str, dict[str, Any]] = {200: {"model": IndexState}}

    @router.post("", status_code=202, responses={202: {"model": IndexState}}, openapi_extra=_BODY)
    async def start_index(request: Request) -> Response:
        """Start `vsearch index` in a process of its own, which goes on when the server ends."""
        runs.require_allowed()
        asked = await object_in(request, what="request", example=_EXAMPLE)
        try:
            wanted = RunWanted.model_validate(asked)
        except ValidationError as error:
            raise HTTPException(400, invalid_sentence(error)) from error
        paths = [Path(path) for path in wanted.paths]
        start = partial(runs.start, paths, retry_failed=wanted.retry_failed)
        return Response(await turns.take(start), status_code=202, media_type=JSON)

    @router.get("", responses=told)
    async def index_state() -> Response:
        """How far the latest run is, or how it ended."""
        runs.require_allowed()
        return Response(await turns.take(runs.state), media_type=JSON)

    @router.delete("", responses=told)
    async def stop_index() -> Response:
        """Stop the run as Ctrl-C does: what is finished is kept. Without one it does nothing."""
        runs.require_allowed()
        return Response(await turns.take(runs.stop), media_type=JSON)

    @router.get("/events", response_class=StreamingResponse, responses=_EVENTS)
    async def index_events(
        last_event_id: Annotated[
            str, Header(description="The id of the last event that was received.")
        ] = "",
    ) -> Response:
        """Server-sent events: those of `vsearch index --json`, as they come."""
        runs.require_allowed()
        run, after = _place_in(last_event_id)
        if after is None and (await turns.take(partial(runs.runs.events, run=run))).run == run:
            return Response(status_code=204)  # a browser then does not ask again
        events = _events(runs, run=run, after=after or 0)
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    return router


_BODY = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": RunWanted.model_json_schema()}},
    }
}


async def _events(runs: IndexRuns, *, run: int, after: int) -> AsyncIterator[str]:
    """The events of the latest run from the byte `after` on, if it is the one named."""
    silent = 0
    while not runs.ended.is_set():
        found = await asyncio.to_thread(runs.runs.events, run=run, after=after)
        run, after = found.run, found.after
        for at, event in found.events:
            yield _message(event["event"], json.dumps(event), mark=f"{run}-{at}")
        silent = 0 if found.events else silent + 1
        if not found.events and not found.running:
            state = await asyncio.to_thread(runs.state)
            yield _message("end", state.rstrip(), mark=f"{run}-end")
            return
        if silent % _LOOKS_TO_A_SIGN == 1:
            yield ":\n\n"  # a sign of life, and a chance to notice that the client is gone
        if not found.events:
            await asyncio.sleep(_LOOK_EACH)


def _message(name: str, data: str, *, mark: str) -> str:
    return f"event: {name}\nid: {mark}\ndata: {data}\n\n"


def _place_in(mark: str) -> tuple[int, int | None]:
    """The run and the byte that an id of an event names; None for the end; zeros for no id."""
    run, _, at = mark.partition("-")
    digits = run.isascii() and run.isdecimal() and len(run) < 19
    if digits and at == "end":
        return int(run), None
    if digits and at.isascii() and at.isdecimal() and len(at) < 19:
        return int(run), int(at)
    return 0, 0


def _state_json(state: RunState | None) -> dict[str, Any]:
    return {
        "running": state is not None and state.running,
        "paths": [] if state is None else list(state.paths),
        "progress": None if state is None else state.progress,
        "messages": [] if state is None else list(state.messages),
        "result": None if state is None else state.result,
    }
