"""What must hold for every clip: where it lies in its film, and that its vector is one.

Millions of clips are looked at some thousands at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Executable, Table, func, select

from catalog.database.columns import STORED_VECTOR
from catalog.database.tables import CLIPS, META, PARTIAL_CLIPS, PARTIALS, VIDEOS
from catalog.store.roots import joined, roots_by_id
from catalog.verify.findings import (
    READ_AGAIN,
    Fault,
    drop_videos,
    named,
    remove_partials,
    videos_named,
)

_ROWS_AT_A_TIME = 10_000
_LENGTH_TOLERANCE = 3e-3  # what a vector may differ from 1, and float16 adds to it
_SECONDS_TOLERANCE = 1e-3  # the tick of Matroska's clock
_Clip = tuple[int, float, float, bytes]  # film, start, end, vector

_TIMES = "clips whose times do not fit their film or each other"
_VECTORS = "clips whose vectors are no unit vectors of {} numbers"


@dataclass(slots=True)
class _FilmsAtFault:
    """Which films have clips with which fault, as batches of clips in their order go by."""

    durations: dict[int, float]
    dimension: int
    by_fault: dict[str, set[int]] = field(default_factory=dict)
    _last: tuple[int, float, float] = (0, 0.0, 0.0)  # film, start, end of the clip before

    def look_at(self, rows: list[_Clip]) -> None:
        """Take in the clips that follow."""
        films = np.array([row[0] for row in rows], dtype=np.int64)
        starts = np.array([row[1] for row in rows], dtype=np.float64)
        ends = np.array([row[2] for row in rows], dtype=np.float64)
        self._note(_TIMES, films[~self._fit(films, starts, ends)])
        lengths = _lengths([row[3] for row in rows], dimension=self.dimension)
        no_unit = ~(np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE)  # NaN is none, either
        self._note(_VECTORS.format(self.dimension), films[no_unit])
        self._last = int(films[-1]), float(starts[-1]), float(ends[-1])

    def _fit(
        self, films: NDArray[np.int64], starts: NDArray[np.float64], ends: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        durations = np.array([self.durations.get(film, -1.0) for film in films.tolist()])
        inside = (starts >= 0.0) & (ends <= durations + _SECONDS_TOLERANCE)
        # A film of one picture lasts no time, and neither does its clip.
        lasting = (ends > starts) | ((ends == starts) & (durations == 0.0))
        film, start, end = self._last
        follows = np.concatenate([[film], films[:-1]]) == films
        later = (starts > np.concatenate([[start], starts[:-1]])) & (
            ends > np.concatenate([[end], ends[:-1]])
        )
        fit: NDArray[np.bool_] = inside & lasting & (later | ~follows)
        return fit

    def _note(self, fault: str, films: NDArray[np.int64]) -> None:
        if len(films):
            self.by_fault.setdefault(fault, set()).update(films.tolist())


def clip_faults(
    connection: Connection, *, on_progress: Callable[[int, int], None]
) -> Iterator[Fault]:
    """Every kind of fault among clips, of videos first, then of drafts.

    `on_progress` is told how many clips of videos have been looked at, and how many there are.
    """
    every = connection.scalar(select(func.count()).select_from(CLIPS)) or 0
    films = _FilmsAtFault(_durations(connection, VIDEOS), _dimension(connection))
    # In the order of the index on films, so that nothing has to be sorted.
    clips = select(CLIPS.c.video_id, CLIPS.c.start, CLIPS.c.end, CLIPS.c.vector)
    done = 0
    for some in _batches(connection, clips.order_by(CLIPS.c.video_id, CLIPS.c.id)):
        films.look_at(some)
        done += len(some)
        on_progress(done, every)
    for what, ids in films.by_fault.items():
        yield Fault(
            f"{len(ids)} videos have {what}: {videos_named(connection, ids)}",
            READ_AGAIN,
            partial(drop_videos, video_ids=ids),
        )
    yield from _draft_faults(connection)


def _draft_faults(connection: Connection) -> Iterator[Fault]:
    drafts = _FilmsAtFault(_durations(connection, PARTIALS), _dimension(connection))
    clips = select(
        PARTIAL_CLIPS.c.partial_id,
        PARTIAL_CLIPS.c.start,
        PARTIAL_CLIPS.c.end,
        PARTIAL_CLIPS.c.vector,
    )
    for some in _batches(
        connection, clips.order_by(PARTIAL_CLIPS.c.partial_id, PARTIAL_CLIPS.c.start)
    ):
        drafts.look_at(some)
    finished = select(PARTIALS.c.id).join(VIDEOS, VIDEOS.c.fingerprint == PARTIALS.c.fingerprint)
    wrong = set(chain(*drafts.by_fault.values(), connection.scalars(finished)))
    if wrong:
        yield Fault(
            f"{len(wrong)} unfinished films are kept with clips that cannot be theirs, or although"
            f" they are finished: {_drafts_named(connection, wrong)}",
            "removed; the next `vsearch index` begins these films anew",
            partial(remove_partials, draft_ids=wrong),
        )


def _drafts_named(connection: Connection, draft_ids: set[int]) -> str:
    roots = roots_by_id(connection)
    columns = select(PARTIALS.c.id, PARTIALS.c.root_id, PARTIALS.c.relative_path)
    rows = connection.execute(columns.order_by(PARTIALS.c.id)).all()
    return named([joined(roots[root], path) for number, root, path in rows if number in draft_ids])


def _batches(connection: Connection, query: Executable) -> Iterator[list[_Clip]]:
    rows = connection.execute(query, execution_options={"yield_per": _ROWS_AT_A_TIME})
    for some in rows.partitions():
        yield [(row[0], row[1], row[2], row[3]) for row in some]


def _durations(connection: Connection, table: Table) -> dict[int, float]:
    rows = connection.execute(select(table.c.id, table.c.duration))
    return {row.id: row.duration for row in rows}


def _dimension(connection: Connection) -> int:
    return connection.scalar(select(META.c.dimension)) or 0


def _lengths(blobs: list[bytes], *, dimension: int) -> NDArray[np.float32]:
    """The lengths (N,) of stored vectors; 0 for what is not as long as a vector is stored."""
    whole = np.array([len(blob) == dimension * STORED_VECTOR.itemsize for blob in blobs])
    content = b"".join(blob for blob, is_whole in zip(blobs, whole, strict=True) if is_whole)
    vectors = np.frombuffer(content, dtype=STORED_VECTOR).astype(np.float32)
    lengths = np.zeros(len(blobs), dtype=np.float32)
    lengths[whole] = np.linalg.norm(vectors.reshape(-1, max(dimension, 1)), axis=1)
    return lengths
