"""The clips that lie in stretches of videos: a filter on times, beside those on whole videos."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from catalog.database.tables import CLIPS

Spans: TypeAlias = Select[tuple[int, float, float]]
"""Rows with the columns `video_id`, `start` and `end`: stretches of videos, in seconds."""

_SHARED = 0.5  # of the shorter one of clip and stretch has to lie in both


def clip_ids_in(connection: Connection, spans: Spans) -> NDArray[np.int64]:
    """Ids (N,), ascending, of the clips of which at least half lies in one of the stretches.

    Also of those that hold at least half of a stretch that is shorter than the clip.
    """
    stretch = spans.subquery()
    at_once = (
        select(CLIPS.c.id, CLIPS.c.start, CLIPS.c.end, stretch.c.start, stretch.c.end)
        .join(stretch, CLIPS.c.video_id == stretch.c.video_id)
        .where(CLIPS.c.start <= stretch.c.end, CLIPS.c.end >= stretch.c.start)
    )
    rows = connection.execute(at_once).all()
    ids = np.array([row[0] for row in rows], np.int64)
    clip_start, clip_end, start, end = np.array([row[1:] for row in rows]).reshape(-1, 4).T
    shared = np.minimum(clip_end, end) - np.maximum(clip_start, start)
    shorter = np.minimum(clip_end - clip_start, end - start)
    return np.unique(ids[shared >= _SHARED * shorter])
