"""Clips near the times at which words are said."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from catalog.database.tables import CLIPS
from catalog.records import CueSpans
from catalog.said.questions import NEAR, all_spans
from catalog.store.files import in_batches

_LONGER_THAN_VIDEOS = 1e8  # seconds: puts the times of all videos on one axis


def clip_ids_near(connection: Connection, words: str) -> NDArray[np.int64]:
    """Ids (N,), ascending, of the clips at most `NEAR` seconds from cues that say these words.

    Raises:
        InvalidWordsError: there are no words, or too many.
    """
    spans = all_spans(connection, words, among=None)
    videos = np.unique(spans.video_ids)
    starts, ends = _merged(videos, spans)
    rows: list[tuple[int, int, float, float]] = []
    columns = select(CLIPS.c.id, CLIPS.c.video_id, CLIPS.c.start, CLIPS.c.end)
    for some in in_batches(videos.tolist()):
        rows += (
            tuple(row) for row in connection.execute(columns.where(CLIPS.c.video_id.in_(some)))
        )
    if not rows:
        return np.empty(0, np.int64)
    ids, of_video, begins, stops = map(np.array, zip(*rows, strict=True))
    shift = np.searchsorted(videos, of_video) * _LONGER_THAN_VIDEOS
    following = np.searchsorted(ends, begins + shift, side="right")
    near = following < len(starts)
    near[near] = starts[following[near]] < (stops + shift)[near]
    found: NDArray[np.int64] = np.sort(ids[near])
    return found


def _merged(
    videos: NDArray[np.int64], spans: CueSpans
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Starts and ends (M,), both ascending, of what is near the spans of all videos, one by one."""
    shift = np.searchsorted(videos, spans.video_ids) * _LONGER_THAN_VIDEOS
    order = np.argsort(spans.starts + shift, kind="stable")
    starts = (spans.starts + shift - NEAR)[order]
    ends = np.maximum.accumulate((spans.ends + shift + NEAR)[order])
    if not len(starts):
        return starts, ends
    begins = np.flatnonzero(np.append(True, starts[1:] > ends[:-1]))
    return starts[begins], ends[np.append(begins[1:] - 1, len(ends) - 1)]
