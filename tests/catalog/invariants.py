"""The invariants of a catalog that only a bug of this program could break."""

import math
import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath
from uuid import UUID

from catalog.folder import DATABASE_NAME
from catalog.verify import verify_catalog


def require_invariants(folder: Path) -> None:
    """Check the rows of the closed or open catalog in `folder`, and all that `verify` checks."""
    found = verify_catalog(folder)
    assert found.problems == ()
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        _require_files(connection)
        _require_videos(connection)
        _require_clips(connection)
        _require_ids(connection)
        (uuid,) = connection.execute("SELECT catalog_uuid FROM meta").fetchone()
        assert str(UUID(uuid)) == uuid
        made_by = connection.execute(
            "SELECT model, model_digest, dimension, frames_per_clip, window, stride FROM meta"
        ).fetchone()
        vectors = "SELECT EXISTS (SELECT 1 FROM clips UNION SELECT 1 FROM partial_clips)"
        if connection.execute(vectors).fetchone()[0]:
            assert None not in made_by


def _require_files(connection: sqlite3.Connection) -> None:
    roots = dict(connection.execute("SELECT id, path FROM roots"))
    for root in roots.values():
        assert PurePosixPath(root).is_absolute()
        assert root == "/" or not {"", ".", ".."} & {*root.split("/")[1:]}
    columns = "root_id, relative_path, video_id, error"
    rows = connection.execute(f"SELECT {columns} FROM files").fetchall()
    paths = [str(PurePosixPath(roots[root], relative)) for root, relative, *_ in rows]
    assert len(paths) == len({*paths})  # also where one root is below another
    assert not any({"", ".", ".."} & {*relative.split("/")} for _, relative, *_ in rows)
    assert all((video is None) != (error is None) for *_, video, error in rows)


def _require_videos(connection: sqlite3.Connection) -> None:
    for table in ("files", "clips"):
        lacking = f"SELECT id FROM videos WHERE id NOT IN (SELECT video_id FROM {table}"
        query = f"{lacking} WHERE video_id IS NOT NULL)"
        assert connection.execute(query).fetchall() == []
    for fingerprint, duration, rate, width, height in connection.execute(
        "SELECT fingerprint, duration, frame_rate, width, height FROM videos"
    ):
        assert fingerprint
        assert 0.0 <= duration < math.inf
        assert math.isfinite(rate)
        assert width > 0 < height
    finished = "SELECT 1 FROM partials JOIN videos USING (fingerprint)"
    assert connection.execute(finished).fetchall() == []


def _require_clips(connection: sqlite3.Connection) -> None:
    rows = connection.execute("SELECT video_id, length(vectors) FROM frames").fetchall()
    lacking = "SELECT id FROM frames WHERE video_id NOT IN (SELECT id FROM videos)"
    assert connection.execute(lacking).fetchall() == []
    assert all(length > 0 for _, length in rows)
    last = (0, -1.0, -1.0)
    for clip in connection.execute(
        'SELECT video_id, start, "end" FROM clips ORDER BY video_id, id'
    ):
        assert clip[0] != last[0] or (clip[1] > last[1] and clip[2] > last[2])
        last = clip


def _require_ids(connection: sqlite3.Connection) -> None:
    newest = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    for table in ("roots", "videos", "files", "clips"):
        (highest,) = connection.execute(f"SELECT max(id) FROM {table}").fetchone()
        assert (highest or 0) <= newest.get(table, 0)
