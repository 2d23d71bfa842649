"""What requests give: ids, seconds, and places in videos."""

from __future__ import annotations

from typing import Annotated

from fastapi import HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from vsearch.services.library.listing import LARGEST_ID
from vsearch.services.library.places import Place

_LONGEST = 100_000_000  # seconds of a video: three years

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Time = Annotated[float, Field(ge=0, le=_LONGEST, allow_inf_nan=False)]

ClipId = Annotated[Id | None, Query(description="A clip; an answer tells its id.")]
VideoId = Annotated[Id | None, Query(description="A video; an answer or a list tells its id.")]
Seconds = Annotated[Time | None, Query(description="Seconds from the beginning of the video.")]


class PlaceGiven(BaseModel):
    """A clip by its id, or a video by its id, with a second of it or without."""

    model_config = ConfigDict(extra="forbid")

    clip_id: Id | None = Field(None, description="A clip; an answer tells its id.")
    video_id: Id | None = Field(None, description="A video; an answer or a list tells its id.")
    at: Time | None = Field(None, description="Seconds from the beginning of the video.")


def place_of(given: PlaceGiven) -> Place:
    """The place that is meant. Raises HTTPException for none, and for two."""
    if (given.clip_id is None) == (given.video_id is None):
        raise HTTPException(400, "give either a clip_id or a video_id; answers tell both")
    if given.clip_id is not None and given.at is not None:
        raise HTTPException(400, "a clip_id says when already; leave `at` out")
    return Place(given.clip_id, given.video_id, given.at)
