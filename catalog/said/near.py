"""Clips near the times at which words are said."""

import json

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Float, Select, bindparam, func, select

from catalog.database.meta import read_meta
from catalog.database.numbers import read_numbers
from catalog.database.tables import CLIPS
from catalog.records import CueSpans
from catalog.said.questions import NEAR, all_spans

_LONGER_THAN_VIDEOS = 1e8  # seconds: puts the times of all videos on one axis
_ROUNDING = 1.0  # second


def clip_ids_near(connection: Connection, words: str) -> NDArray[np.int64]:
    """Ids (N,), ascending, of the clips at most `NEAR` seconds from cues that say these words.

    Raises:
        InvalidWordsError: there are no words, or too many.
    """
    spans = all_spans(connection, words, among=None)
    videos = np.unique(spans.video_ids)
    starts, ends = _merged(videos, spans)
    place = np.floor((starts + NEAR) / _LONGER_THAN_VIDEOS)
    shift = place * _LONGER_THAN_VIDEOS
    of_video = videos[place.astype(np.int64)]
    made_by = read_meta(connection).provenance
    longest = _ROUNDING + (made_by.window if made_by else 0.0)
    near = np.stack((of_video, starts - shift, ends - shift), axis=1).tolist()
    found = read_numbers(connection, _IN_SPANS, {"spans": json.dumps(near), "longest": longest})
    return np.unique(found.astype(np.int64))


def _in_spans() -> Select[tuple[int]]:
    """The ids of the clips that share time with one of `:spans`: JSON of videos, starts, ends.

    No clip is longer than `:longest` seconds: with it, the index of their times is read from there.
    """
    span = func.json_each(bindparam("spans")).table_valued("value").alias("span")
    parts = [func.json_extract(span.c.value, f"$[{n}]").label(f"part_{n}") for n in range(3)]
    # The limit, which is none, has SQLite read each span once, and not for each clip.
    video_id, start, end = select(*parts).limit(-1).subquery("spans").c
    return (
        select(CLIPS.c.id)
        .join_from(video_id.table, CLIPS, CLIPS.c.video_id == video_id)
        .where(CLIPS.c.start < end, CLIPS.c.end > start)
        .where(CLIPS.c.start > start - bindparam("longest", type_=Float))
    )


_IN_SPANS = _in_spans()  # made once


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
