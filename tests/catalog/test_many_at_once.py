"""Several threads and several processes on one catalog."""

import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import catalog as package
from catalog import Catalog
from catalog.vectors.faiss_shards import Float16

CLIPS = 5

SHARD_ROWS = {Float16: 7}
pytestmark = pytest.mark.usefixtures("spread")

# Adds videos for ever, and replaces one of them over and over; says how many it has committed.
WRITER = """
import sys
from itertools import count
from pathlib import Path
import numpy as np
from catalog import Catalog, ClipSpan, FileLocation, VideoRecord

root = Path("/films")
random = np.random.default_rng(int(sys.argv[2]))
with Catalog.open(Path(sys.argv[1])) as catalog:
    for n in count():
        name = "again.mp4" if n % 2 else f"{sys.argv[2]} {n}.mp4"
        vectors = random.normal(size=(5, 16)).astype(np.float32)
        catalog.add_video(
            VideoRecord(f"{sys.argv[2]} {n}", 24.0, 64, 48, 25.0, "h264", "mp4"),
            location=FileLocation(root, root / name, 1, n),
            clips=[ClipSpan(4.0 * k, 4.0 * k + 8.0) for k in range(5)],
            vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        )
        if n % 20 == 7:
            catalog.save_snapshot()
        print(n + 1, flush=True)
"""


@contextmanager
def writing(folder: Path, *, seed: int):
    """Another process that writes until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, folder, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(package.__file__).parents[1],
    )
    try:
        assert process.stdout is not None
        yield process.stdout
    finally:
        process.kill()
        process.communicate()


def whole_films(catalog, query):
    """How many videos answer, after seeing that each is there as a whole, and once."""
    found = catalog.nearest_clips(query, limit=100_000)
    films = Counter(match.video_id for match in found)
    assert set(films.values()) <= {CLIPS}
    assert len({match.path for match in found}) == len(films)
    assert [match.score for match in found] == sorted((m.score for m in found), reverse=True)
    return len(films)


def test_queries_see_whole_videos_only_while_another_process_writes(catalog, folder, query):
    with writing(folder, seed=1) as committed:
        seen = []
        for line in committed:
            seen.append(whole_films(catalog, query))
            status = catalog.status()
            assert status.clips == CLIPS * status.videos == CLIPS * status.files
            if int(line) >= 40:
                break
    assert seen == sorted(seen)
    assert whole_films(catalog, query) == catalog.status().videos >= 21


def test_two_processes_write_and_neither_meets_a_lock(catalog, folder, query):
    with writing(folder, seed=1) as one, writing(folder, seed=2) as other:
        counts = [next(line for line in lines if int(line) >= 15) for lines in (one, other)]
    assert [int(count) for count in counts] == [15, 15]
    assert whole_films(catalog, query) == catalog.status().videos


@pytest.mark.parametrize("seed", [3, 4])
def test_a_writer_killed_at_any_moment_leaves_whole_videos(catalog, folder, query, seed):
    with writing(folder, seed=seed) as committed:
        reached = int(next(line for line in committed if int(line) >= 5 * seed))
        time.sleep(0.003 * seed)
    assert catalog.status().videos >= (reached + 1) // 2 + 1
    assert whole_films(catalog, query) == catalog.status().videos
    catalog.close()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with Catalog.open(folder) as again:
        assert whole_films(again, query) == again.status().videos


def test_threads_may_share_an_open_catalog(shelf, catalog, query):
    for n in range(5):
        shelf.add(f"{n}.mp4", clips=CLIPS, seed=n)

    def work(n: int) -> int:
        if n % 4 == 0:
            shelf.add(f"{100 + n}.mp4", clips=CLIPS, seed=100 + n)
        if n % 8 == 1:
            catalog.save_snapshot()
        assert catalog.known_files([Path("/films")])
        return whole_films(catalog, query)

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(work, range(32)))
    assert min(counts) >= 5
    assert whole_films(catalog, query) == 13
