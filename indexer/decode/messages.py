"""Messages of a clip reader, in the order in which it sends them.

Of a file that was read only for its fingerprint it sends the `Content` alone, of others that are
not decoded the `VideoDetails` or the `SubtitleFile`.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalog import ClipSpan, FileLocation, SubtitleFile, VideoDetails, VideoRecord
from indexer.scan.fingerprint import Content

Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class VideoOpened:
    """Video that was probed and cut into `spans`; the clips numbered in `wanted` will be read.

    `record` and `location` are what the catalog stores of it; damage found later is added.
    """

    record: VideoRecord
    location: FileLocation
    spans: tuple[ClipSpan, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClipRead:
    """Frames (T, S, S, 3) uint8 of clip number `clip`."""

    clip: int
    frames: Pixels


@dataclass(frozen=True, slots=True)
class VideoRead:
    """End of a video; every wanted clip was sent before.

    `damage` is the part that could not be decoded, in one sentence. `cut_short`: the system read
    the file up to some place only.
    """

    damage: str | None = None
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class VideoUnreadable:
    """Failure of reading a video, with the reason; `is_video` is False if the file is none.

    `unread`: the system did not read it; `hung`: nothing came for too long. Both may be the fault
    of the storage.
    """

    error: str
    is_video: bool = True
    unread: bool = False
    hung: bool = False


@dataclass(frozen=True, slots=True)
class VideoChanged:
    """Change of the file while it was read: what was read is neither the old nor the new."""


# The last message of a file, and all messages.
End: TypeAlias = VideoRead | VideoUnreadable | VideoChanged | Content | VideoDetails | SubtitleFile
Message: TypeAlias = VideoOpened | ClipRead | End
