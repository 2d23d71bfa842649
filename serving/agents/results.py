"""The forms of what tools return, as agents are told of them."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads no other one before Python 3.12


class Span(TypedDict):
    """A stretch of a video, in seconds."""

    start: float
    end: float


class Words(Span):
    """What is said, by subtitles."""

    text: str


class FoundMoment(Span):
    """A moment of a video; times in seconds."""

    video_id: int
    path: str
    peak: Annotated[float, Field(description="The second that shows it best.")]
    clock: str
    score: float
    confidence: NotRequired[
        Annotated[str, Field(description="strong, likely, weak or none; missing if unknown.")]
    ]
    captured: Annotated[str, Field(description="When the video was recorded.")]
    link: Annotated[str, Field(description="Plays the moment in a browser.")]
    said: NotRequired[Words]
    duplicates: NotRequired[
        Annotated[int, Field(description="Moments of other videos that show the same.")]
    ]
    parts: NotRequired[list[Span]]


class Moments(TypedDict):
    """The moments of an answer, surest first; `notes` say what is amiss with the question."""

    query: str
    convincing: bool
    moments: list[FoundMoment]
    notes: list[str]


class ListedVideo(TypedDict):
    """A video of the catalog."""

    video_id: int
    path: str
    duration: float
    captured: str | None
    clips: int


class Videos(TypedDict):
    """Some videos; `cursor` is to be given for the next ones, if there are any."""

    videos: list[ListedVideo]
    cursor: int | None


class MomentShown(TypedDict):
    """What is known of a video, and the link that plays it from that second."""

    video_id: int
    path: str
    seconds: float
    clock: str
    duration: float
    width: int
    height: int
    frame_rate: float
    codec: str
    captured: NotRequired[str]
    camera: NotRequired[str]
    damage: NotRequired[str]
    tags: list[str]
    link: str


class LabelProbability(TypedDict):
    """A label, and how probable it is that it fits best."""

    label: str
    probability: float
    notes: NotRequired[list[str]]


class Labels(TypedDict):
    """Labels of a video, most probable first."""

    path: str
    labels: list[LabelProbability]
