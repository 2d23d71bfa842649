"""The clips that lie in stretches of videos: a filter on times, beside those on whole videos."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from catalog.database.numbers import greater, lesser, read_numbers
from catalog.database.tables import CLIPS

Spans: TypeAlias = Select[tuple[int, float, float]]
"""Rows with the columns `video_id`, `start` and `end`: stretches of videos, in seconds."""

_SHARED = 0.5  # of the shorter one of clip and stretch has to lie in both


def clip_ids_in(connection: Connection, spans: Spans) -> NDArray[np.int64]:
    """Ids (N,), ascending, of the clips of which at least half lies in one of the stretches.

    Also of those that hold at least half of a stretch that is shorter than the clip.
    """
    stretch = spans.subquery()
    shared = lesser(CLIPS.c.end, stretch.c.end) - greater(CLIPS.c.start, stretch.c.start)
    shorter = lesser(CLIPS.c.end - CLIPS.c.start, stretch.c.end - stretch.c.start)
    found = (
        select(CLIPS.c.id)
        .join(stretch, CLIPS.c.video_id == stretch.c.video_id)
        .where(CLIPS.c.start <= stretch.c.end, CLIPS.c.end >= stretch.c.start)
        .where(shared >= _SHARED * shorter)
    )
    return np.unique(read_numbers(connection, found).astype(np.int64))
