"""Places in the catalog's videos that programs name by ids: a clip, a second, or a whole video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from catalog import EVERY_VIDEO
from vsearch.errors import UnknownVideoError
from vsearch.services.library.listing import LARGEST_ID, describe_video

if TYPE_CHECKING:
    from catalog import Catalog, ClipMatch

_PREFERRED = ("there", "gone", "changed")  # vectors of a file that changed are not of what it holds


@dataclass(frozen=True, slots=True)
class Place:
    """A clip by its id, or a video by its id, with a second of it or without: one of the two."""

    clip_id: int | None = None
    video_id: int | None = None
    at: float | None = None

    def as_example(self, catalog: Catalog) -> str:
        """The place as `vsearch query --like` takes it, `VIDEO@SECONDS`: of a clip its middle.

        Raises UnknownVideoError.
        """
        video_id, at = self.video_id, self.at
        if self.clip_id is not None:
            clip = find_clip(catalog, self.clip_id)
            video_id, at = clip.video_id, (clip.start + clip.end) / 2
        files = describe_video(catalog, video_id or 0).files
        path = min(files, key=lambda one: _PREFERRED.index(one.state)).location.path
        # With a weight, the end of a name is not taken for one.
        return f"{path}^1" if at is None else f"{path}@{abs(at):.3f}^1"


def find_clip(catalog: Catalog, clip_id: int) -> ClipMatch:
    """The clip with this id. Raises UnknownVideoError."""
    wanted = np.array([min(clip_id, LARGEST_ID)], dtype=np.int64)
    with catalog.library() as library:
        if library is None or not library.holds(wanted)[0]:
            raise UnknownVideoError(
                f"the catalog has no clip {clip_id}; `vsearch query --json` tells the ids"
            )
        return library.matches(wanted, videos=EVERY_VIDEO)[0]
