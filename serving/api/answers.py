"""Answers of the API as types, for its description. The JSON itself is made by `vsearch.show`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from serving.problems import PROBLEM_JSON


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Told):
    """What is wrong with a request (RFC 9457); `detail` is one sentence for a person."""

    type: str
    title: str
    status: int
    detail: str


class Said(_Told):
    """Words of subtitles at a moment; times in seconds."""

    text: str
    language: str | None
    source: str
    start: float
    end: float


class Stretch(_Told):
    """A moment without its rank; times in seconds from the beginning of the video."""

    score: float
    confidence: str | None = Field(None, description="strong, likely, weak or none")
    path: str
    start: float
    end: float
    peak: float
    duration: float = Field(description="of the video")
    clip_id: int
    video_id: int
    captured: str
    captured_from: str | None
    said: Said | None = None
    also: list[str] | None = Field(None, description="further files with the same content")


class Moment(Stretch):
    """A ranked moment."""

    rank: int
    parts: list[Stretch] | None = Field(None, description="of several steps, one for each")
    duplicates: list[Stretch] | None = Field(None, description="moments that show the same")


class Curve(_Told):
    """How much of a sentence is in each second of a video."""

    path: str
    step: int
    of_frames: bool
    times: list[float]
    heights: list[float]


class Answer(_Told):
    """The answer to a question, as `vsearch query --json` prints it."""

    query: str
    model: str
    took_ms: float
    convincing: bool
    asked: dict[str, Any] = Field(description="the question in its normal form")
    hits: list[Moment]
    curves: list[Curve] | None = None
    notes: list[str] | None = None


class Failure(_Told):
    """A file that could not be read, and why."""

    path: str
    error: str


class Damage(_Told):
    """A file that could be read in part."""

    path: str
    note: str


class Status(_Told):
    """The contents of the catalog, as `vsearch status --json` prints them."""

    catalog: str
    model: str | None
    revision: str | None
    weights_digest: str | None
    dimension: int | None
    frames_per_clip: int | None
    window: float | None
    stride: float | None
    videos: int
    files: int
    clips: int
    without_frames: int
    tags: int
    video_seconds: float
    database_bytes: int
    snapshot_bytes: int
    generation: int
    schema_version: int
    roots: list[str]
    unfinished: int
    failed: list[Failure]
    damaged: list[Damage]
    cues: int
    failed_subtitles: list[Failure]


class ListedVideo(_Told):
    """A video in a list; `captured` is when it was recorded."""

    video_id: int
    path: str
    also: list[str] | None = Field(None, description="further files with the same content")
    duration: float
    captured: str | None
    clips: int


class Videos(_Told):
    """A page of a list, and the cursor of the next one; null after the last."""

    videos: list[ListedVideo]
    cursor: int | None


class VideoFile(_Told):
    """A file of a video, and whether it is as it was indexed."""

    path: str
    bytes: int
    state: str = Field(description="there, changed or gone")


class Video(_Told):
    """What is known of a video."""

    video_id: int
    files: list[VideoFile]
    duration: float
    width: int
    height: int
    frame_rate: float
    codec: str
    container: str
    captured: str | None
    captured_from: str | None
    camera: str | None
    clips: int
    tags: list[str]
    damage: str | None
    failed_subtitles: list[Failure]


class IndexState(_Told):
    """How far the latest index run is; see "Progress for programs" in the README."""

    running: bool
    paths: list[str]
    progress: dict[str, Any] | None = Field(description="the latest event of this name")
    messages: list[str] = Field(description="warnings and errors")
    result: dict[str, Any] | None = Field(description="of `vsearch index --json`, at the end")


REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": "A problem",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for code in ("4XX", "5XX")
}
