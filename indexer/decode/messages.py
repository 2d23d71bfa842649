"""Messages of a clip reader: what it tells of a video, in this order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan
from indexer.scan.jobs import Content

if TYPE_CHECKING:
    from media import VideoInfo

Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class VideoMeasured:
    """What the file holds is known; no more was asked."""

    content: Content


@dataclass(frozen=True, slots=True)
class VideoOpened:
    """The video was probed and cut into `spans`; the clips numbered in `wanted` will be read."""

    content: Content
    video: "VideoInfo"
    spans: tuple[ClipSpan, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClipRead:
    """All frames (T, S, S, 3) uint8 of clip number `clip` are there."""

    clip: int
    frames: Pixels


@dataclass(frozen=True, slots=True)
class VideoRead:
    """The video came to its end; every wanted clip was sent before.

    `damage` says what of it could not be decoded on the way.
    """

    damage: str | None = None


@dataclass(frozen=True, slots=True)
class VideoUnreadable:
    """The video cannot be read (any further), for the reason in `error`; it may be none at all."""

    error: str
    is_video: bool = True


@dataclass(frozen=True, slots=True)
class VideoChanged:
    """The file held something else when its end was reached: what was read is neither of both."""


# What a reader says last of a video, and what it may say before.
End: TypeAlias = VideoRead | VideoUnreadable | VideoChanged | VideoMeasured
Message: TypeAlias = VideoOpened | ClipRead | End
