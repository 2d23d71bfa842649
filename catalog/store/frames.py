"""Frame vectors of videos: rows of frames that follow each other at equal distances.

The times of a row's frames follow from its first one and their distance, so that a frame takes no
more than its vector does. Most videos have a row for four minutes, and one for their end.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, exists, func, insert, select

from catalog.database.tables import FRAMES, VIDEOS
from catalog.errors import InvalidVectorError
from catalog.frame_vectors import FrameVectors, QuantisedVectors, row_bytes

_FRAMES_PER_ROW = 256  # a moment reads one or two rows; of 512 numbers they fill whole pages
_SAME_DISTANCE = 1e-3  # seconds

# One statement, made once: a search reads frames of each of its moments.
_OVERLAPPING = select(FRAMES.c.start, FRAMES.c.step, FRAMES.c.vectors).where(
    FRAMES.c.video_id == bindparam("video_id"),
    FRAMES.c.start <= bindparam("end"),
    FRAMES.c.start + FRAMES.c.step * (func.length(FRAMES.c.vectors) / bindparam("size"))
    >= bindparam("start"),
)


def add_frames(connection: Connection, video_id: int, frames: FrameVectors, *, dim: int) -> None:
    """Add the frames of a video; one that has frames keeps those.

    Raises:
        InvalidVectorError: their vectors do not have `dim` numbers.
    """
    if frames.quantised.values.shape[1] != dim:
        raise InvalidVectorError(
            f"frame vectors of shape {frames.quantised.values.shape} do not fit: the catalog holds"
            f" vectors of {dim} numbers"
        )
    there = select(FRAMES.c.id).where(FRAMES.c.video_id == video_id).limit(1)
    if connection.scalar(there) is not None:
        return
    values = [
        {
            "video_id": video_id,
            "start": float(frames.times[run.start]),
            "step": _step(frames.times[run]),
            "vectors": frames.quantised[run].to_bytes(),
        }
        for run in _runs(frames.times)
    ]
    if values:
        connection.execute(insert(FRAMES), values)


def read_frames(
    connection: Connection, video_id: int, *, dim: int, start: float, end: float
) -> list[FrameVectors]:
    """The frames of a video from `start` to `end` seconds, in parts whose times may interleave.

    Raises:
        ValueError: what is stored makes no vectors of `dim` numbers.
    """
    asked = {"video_id": video_id, "start": start, "end": end, "size": row_bytes(dim)}
    parts = []
    for first, step, content in connection.execute(_OVERLAPPING, asked):
        quantised = QuantisedVectors.from_bytes(content, dim=dim)
        times = first + step * np.arange(len(quantised.scales))
        inside = slice(*np.searchsorted(times, (start, np.nextafter(end, np.inf))))
        parts.append(FrameVectors(times[inside], quantised[inside]))
    return parts


def without_frames(connection: Connection) -> frozenset[int]:
    """The ids of the videos that have no frame vectors."""
    none = ~exists().where(FRAMES.c.video_id == VIDEOS.c.id)
    return frozenset(connection.scalars(select(VIDEOS.c.id).where(none)))


def _runs(times: NDArray[np.float64]) -> Iterator[slice]:
    """Cut times (F,) into runs at equal distances, of `_FRAMES_PER_ROW` at most."""
    begin = 0
    while begin < len(times):
        until = min(begin + _FRAMES_PER_ROW, len(times))
        apart = np.diff(times[begin:until])
        other = np.flatnonzero(np.abs(apart - apart[:1]) > _SAME_DISTANCE)
        end = begin + 1 + int(other[0]) if len(other) else until
        yield slice(begin, end)
        begin = end


def _step(times: Sequence[float] | NDArray[np.float64]) -> float:
    """The mean distance of the times; 1 for a single one."""
    return float(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1.0
