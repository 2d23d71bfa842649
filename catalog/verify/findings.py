"""Findings in the rows of a catalog: rows without their counterpart, clips that cannot be right.

They come from a damaged disk. What only a bug of this program could write is checked by its tests.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, Table, delete, exists, func, select

from catalog.database.columns import STORED_VECTOR
from catalog.database.meta import read_meta
from catalog.database.tables import (
    CLIPS,
    FILES,
    FRAMES,
    METADATA,
    PARTIAL_CLIPS,
    PARTIALS,
    VIDEOS,
)
from catalog.frame_vectors import QuantisedVectors, row_bytes
from catalog.store import background
from catalog.store.files import in_batches, paths_of_videos

OnProgress = Callable[[int, int], None]
"""Called with the number of clips that were checked, and the number of all."""

_NAMED = 3
_ROWS_AT_A_TIME = 10_000
_FRAME_ROWS_AT_A_TIME = 100  # of half a megabyte
_LENGTH_TOLERANCE = 3e-3  # of a vector's length: the tolerance for new vectors, and float16
_SECONDS_TOLERANCE = 1e-3  # the tick of Matroska's clock
_INDEX_AGAIN = "removed; the next `vsearch index` reads these videos again"

# A video without a file becomes a partial video with all its clips, in a file that does not exist:
# the next index run finds it by its content, and need not decode it again.
_LOST = (
    "NOT EXISTS (SELECT 1 FROM files WHERE files.video_id = videos.id)"
    " AND EXISTS (SELECT 1 FROM clips WHERE clips.video_id = videos.id)"
)
REMOVE_DANGLING = (  # in this order, whether the engine checks foreign keys or not
    "DELETE FROM files WHERE NOT EXISTS (SELECT 1 FROM roots WHERE roots.id = files.root_id)"
    " OR (video_id IS NOT NULL AND (NOT EXISTS"
    " (SELECT 1 FROM videos WHERE videos.id = files.video_id) OR NOT EXISTS"
    " (SELECT 1 FROM clips WHERE clips.video_id = files.video_id)))",
    "DELETE FROM partials WHERE NOT EXISTS (SELECT 1 FROM roots WHERE roots.id = partials.root_id)",
    "DELETE FROM partial_clips WHERE NOT EXISTS"
    " (SELECT 1 FROM partials WHERE partials.id = partial_clips.partial_id)",
    "INSERT INTO roots (path) SELECT '/lost' WHERE EXISTS"
    f" (SELECT 1 FROM videos WHERE {_LOST}) ON CONFLICT DO NOTHING",
    "INSERT INTO partials (fingerprint, root_id, relative_path, duration, damage, sample)"
    " SELECT fingerprint, (SELECT id FROM roots WHERE path = '/lost'), fingerprint, duration,"
    f" damage, sample FROM videos WHERE {_LOST} ON CONFLICT DO NOTHING",
    'INSERT INTO partial_clips (partial_id, start, "end", vector)'
    ' SELECT partials.id, clips.start, clips."end", clips.vector FROM partials'
    " JOIN videos ON videos.fingerprint = partials.fingerprint"
    " JOIN clips ON clips.video_id = videos.id"
    f" WHERE {_LOST} ON CONFLICT DO NOTHING",
    "DELETE FROM videos WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.video_id = videos.id)",
    *(
        f"DELETE FROM {table} WHERE NOT EXISTS"
        f" (SELECT 1 FROM videos WHERE videos.id = {table}.video_id)"
        for table in ("clips", "frames", "tags")
    ),
    "DELETE FROM subtitles WHERE (video_id IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM videos WHERE videos.id = subtitles.video_id))"
    " OR (file_id IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM files WHERE files.id = subtitles.file_id))",
    "DELETE FROM cues WHERE NOT EXISTS"
    " (SELECT 1 FROM subtitles WHERE subtitles.id = cues.subtitle_id)",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem with all its places, and its repair.

    Attributes:
        what: a sentence.
        repaired: a sentence about the effect of `repair`.
        repair: whether it succeeded; rows without their counterpart are removed after it.
    """

    what: str
    repaired: str
    repair: Callable[[Connection], bool]


def named(things: Sequence[object]) -> str:
    """The first few things, and the number of the others."""
    shown = ", ".join(str(thing) for thing in things[:_NAMED])
    return f"{shown} and {len(things) - _NAMED} more" if len(things) > _NAMED else shown


def row_findings(connection: Connection, *, on_progress: OnProgress) -> Iterator[Finding]:
    """All findings in rows; without their counterparts, rows cannot be checked further."""
    dangling = [*_dangling_findings(connection)]
    yield from dangling
    if dangling:
        return
    wrong = _wrong_clips(connection, VIDEOS, CLIPS.c.video_id, on_progress=on_progress)
    for what, ids in wrong.items():
        yield Finding(
            f"{len(ids)} videos have {what}: {_videos_named(connection, ids)}",
            _INDEX_AGAIN,
            partial(_remove_videos, video_ids=ids),
        )
    without = _videos_with_wrong_frames(connection)
    if without:
        yield Finding(
            f"{len(without)} videos have frame vectors that are damaged or do not fit the video:"
            f" {_videos_named(connection, without)}",
            "removed, and the videos stay; `vsearch index --add-frames` makes them again",
            partial(_remove_frames, video_ids=without),
        )
    if background.is_damaged(connection):
        yield Finding(
            "the means of sentences and clips are damaged",
            "removed; the next `vsearch index` computes them again",
            _remove_background,
        )
    partials = _wrong_clips(connection, PARTIALS, PARTIAL_CLIPS.c.partial_id)
    broken = _partials_with_wrong_frames(connection)
    if broken:
        partials["clips whose frame vectors are damaged"] = broken
    if partials:
        ids = {number for some in partials.values() for number in some}
        yield Finding(
            f"{len(ids)} unfinished videos have {' and '.join(partials)}",
            "removed; the next `vsearch index` begins these videos again",
            partial(_remove_partials, partial_ids=ids),
        )


def _dangling_findings(connection: Connection) -> Iterator[Finding]:
    rows: dict[str, set[int]] = {}
    for table in METADATA.sorted_tables:
        for key in table.foreign_keys:
            lacking = key.parent.is_not(None) & ~exists().where(key.column == key.parent)
            if found := connection.scalars(select(table.c.id).where(lacking)).all():
                rows.setdefault(table.name, set()).update(found)
    for name, ids in rows.items():
        yield Finding(
            f"{len(ids)} rows of table {name} refer to rows that do not exist",
            "removed; the next `vsearch index` reads again what they were about",
            _nothing_more,
        )
    no_file = ~exists().where(FILES.c.video_id == VIDEOS.c.id)
    orphans = connection.scalars(select(VIDEOS.c.id).where(no_file).order_by(VIDEOS.c.id)).all()
    if orphans:
        yield Finding(
            f"{len(orphans)} videos are in no file",
            "kept aside; the next `vsearch index` finds their files, and decodes nothing",
            _nothing_more,
        )


def _remove_background(connection: Connection) -> bool:
    background.remove(connection)
    return True


def _nothing_more(_connection: Connection) -> bool:
    return True  # see REMOVE_DANGLING


def _wrong_clips(
    connection: Connection,
    parents: Table,
    key: Column[int],
    *,
    on_progress: OnProgress = lambda _done, _clips: None,
) -> dict[str, set[int]]:
    """The ids of videos, or of partial videos, by what is wrong with their clips."""
    made_by = read_meta(connection).provenance
    dim = made_by.dim if made_by else 0
    times = "clips whose times do not fit the video"
    vectors = f"clips whose vectors are not unit vectors of {dim} numbers"
    wrong: dict[str, set[int]] = {}
    clips = key.table
    every = connection.scalar(select(func.count()).select_from(clips)) or 0
    rows = connection.execute(
        select(key, parents.c.duration, clips.c.start, clips.c.end, clips.c.vector).join(
            parents, key == parents.c.id
        ),
        execution_options={"yield_per": _ROWS_AT_A_TIME},
    )
    done = 0
    for some in rows.partitions():
        ids, durations, starts, ends, blobs = zip(*some, strict=True)
        wanted = {
            times: ~_fit(np.array(durations), np.array(starts), np.array(ends)),
            # NaN is not near 1, either.
            vectors: ~(np.abs(_lengths(blobs, dim=dim) - 1.0) <= _LENGTH_TOLERANCE),
        }
        for what, mask in wanted.items():
            if mask.any():
                wrong.setdefault(what, set()).update(np.array(ids)[mask].tolist())
        done += len(some)
        on_progress(done, every)
    return wrong


def _fit(
    durations: NDArray[np.float64], starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """A mask (N,) of the clips within their videos; only in a single picture they last no time."""
    inside = (starts >= 0.0) & (ends <= durations + _SECONDS_TOLERANCE)
    fit: NDArray[np.bool_] = inside & ((ends > starts) | ((ends == starts) & (durations == 0.0)))
    return fit


def _lengths(blobs: Sequence[bytes], *, dim: int) -> NDArray[np.float32]:
    """The lengths (N,) of N stored vectors; 0 for those that do not have `dim` numbers."""
    whole = np.array([len(blob) == dim * STORED_VECTOR.itemsize for blob in blobs])
    content = b"".join(blob for blob, is_whole in zip(blobs, whole, strict=True) if is_whole)
    vectors = np.frombuffer(content, dtype=STORED_VECTOR).astype(np.float32)
    lengths = np.zeros(len(blobs), dtype=np.float32)
    lengths[whole] = np.linalg.norm(vectors.reshape(-1, max(dim, 1)), axis=1)
    return lengths


def _videos_with_wrong_frames(connection: Connection) -> set[int]:
    made_by = read_meta(connection).provenance
    size = row_bytes(made_by.dim if made_by else 0)
    wrong: set[int] = set()
    rows = connection.execute(
        select(VIDEOS.c.duration, FRAMES).join(VIDEOS, FRAMES.c.video_id == VIDEOS.c.id),
        execution_options={"yield_per": _FRAME_ROWS_AT_A_TIME},
    )
    for row in rows:
        last = row.start + row.step * (len(row.vectors) / size - 1)
        fits = 0.0 <= row.start <= last <= row.duration + _SECONDS_TOLERANCE and row.step > 0.0
        if not (fits and _are_vectors(row.vectors, dim=made_by.dim if made_by else 0)):
            wrong.add(row.video_id)
    return wrong


def _partials_with_wrong_frames(connection: Connection) -> set[int]:
    made_by = read_meta(connection).provenance
    some = PARTIAL_CLIPS.c.frames.is_not(None)
    rows = connection.execute(
        select(PARTIAL_CLIPS.c.partial_id, PARTIAL_CLIPS.c.frames).where(some)
    )
    dim = made_by.dim if made_by else 0
    return {number for number, content in rows if not _are_vectors(content, dim=dim)}


def _are_vectors(content: bytes, *, dim: int) -> bool:
    try:
        return len(QuantisedVectors.from_bytes(content, dim=dim).scales) > 0
    except ValueError:
        return False


def _videos_named(connection: Connection, video_ids: Collection[int]) -> str:
    ids = sorted(video_ids)
    paths = paths_of_videos(connection, ids[:_NAMED])
    return named([paths[number][0] if number in paths else f"video {number}" for number in ids])


def _remove_videos(connection: Connection, video_ids: Collection[int]) -> bool:
    for some in in_batches(sorted(video_ids)):
        connection.execute(delete(FILES).where(FILES.c.video_id.in_(some)))
        connection.execute(delete(VIDEOS).where(VIDEOS.c.id.in_(some)))  # and their clips
    return True


def _remove_frames(connection: Connection, video_ids: Collection[int]) -> bool:
    for some in in_batches(sorted(video_ids)):
        connection.execute(delete(FRAMES).where(FRAMES.c.video_id.in_(some)))
    return True


def _remove_partials(connection: Connection, partial_ids: Collection[int]) -> bool:
    for some in in_batches(sorted(partial_ids)):
        connection.execute(delete(PARTIALS).where(PARTIALS.c.id.in_(some)))
    return True
