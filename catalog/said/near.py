"""Clips near the times at which words are said."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Float, Integer, Select, bindparam, select

from catalog.database.database import CueIndex
from catalog.database.given import given_rows, written
from catalog.database.meta import read_meta
from catalog.database.numbers import read_numbers
from catalog.database.tables import CLIPS
from catalog.records import CueSpans
from catalog.said.questions import NEAR, all_spans

_LONGER_THAN_VIDEOS = 1e8  # seconds: puts the times of all videos on one axis
_ROUNDING = 1.0  # second


def clip_ids_near(connection: Connection, cues: CueIndex, words: str) -> NDArray[np.int64]:
    """Ids (N,), ascending, of the clips at most `NEAR` seconds from cues that say these words.

    Raises:
        InvalidWordsError: there are no words, or too many.
    """
    spans = all_spans(connection, cues, words, among=None)
    videos = np.unique(spans.video_ids)
    starts, ends = _merged(videos, spans)
    place = np.floor((starts + NEAR) / _LONGER_THAN_VIDEOS)
    shift = place * _LONGER_THAN_VIDEOS
    of_video = videos[place.astype(np.int64)]
    made_by = read_meta(connection).provenance
    longest = _ROUNDING + (made_by.window if made_by else 0.0)
    near = zip(of_video.tolist(), (starts - shift).tolist(), (ends - shift).tolist(), strict=True)
    query = _in_spans(connection.dialect.name)
    found = read_numbers(connection, query, {"spans": written(near), "longest": longest})
    return np.unique(found.astype(np.int64))


@cache  # made once
def _in_spans(engine: str) -> Select[tuple[int]]:
    """The ids of the clips that share time with one of `:spans`: videos, starts, ends.

    No clip is longer than `:longest` seconds: with it, the index of their times is read from there.
    """
    spans = given_rows(engine, "spans", video_id=Integer(), start=Float(), end=Float())
    return (
        select(CLIPS.c.id)
        .join_from(spans, CLIPS, CLIPS.c.video_id == spans.c.video_id)
        .where(CLIPS.c.start < spans.c.end, CLIPS.c.end > spans.c.start)
        .where(CLIPS.c.start > spans.c.start - bindparam("longest", type_=Float))
    )


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
