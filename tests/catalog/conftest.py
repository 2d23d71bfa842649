"""A small catalog of invented videos with random vectors, and brute force to compare it with."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

import catalog as package
from catalog import (
    Catalog,
    ClipSpan,
    DatabaseUrl,
    FileLocation,
    FrameVectors,
    Problem,
    Provenance,
    QuantisedVectors,
    Tag,
    VideoRecord,
)
from catalog.database.opening import open_database
from catalog.vectors import index as vector_index
from catalog.vectors import stored
from catalog.verify import verify_catalog

DIM = 16
PROVENANCE = Provenance("demo", None, "ab" * 32, DIM, 8, 8.0, 4.0)
ROOT = Path("/films")


def unit_vectors(count: int, *, seed: int) -> np.ndarray:
    """(N, D) float32 that float16 holds exactly enough for comparisons at 1e-3."""
    drawn = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.fixture(autouse=True, scope="session")
def _faiss_from_the_first_question() -> Iterator[None]:
    """Few clips are scanned without FAISS once (see test_stored): not in these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "FEW", 0)
        yield


@dataclass
class Shelf:
    """Puts videos into a catalog and remembers their vectors."""

    catalog: Catalog
    vectors: dict[int, np.ndarray] = field(default_factory=dict)  # by video id

    def add(
        self,
        path: str | Path,
        *,
        clips: int = 3,
        seed: int = 0,
        root: Path = ROOT,
        frames: bool = False,
    ) -> int:
        """A video at `path` whose content is `seed`, with or without frame vectors."""
        vectors = unit_vectors(clips, seed=seed)
        video_id = self.catalog.add_video(
            VideoRecord(f"content {seed}", 4.0 * clips + 4.0, 64, 48, 25.0, "h264", "mov,mp4"),
            location=self.location(path, root=root),
            clips=[ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(clips)],
            vectors=vectors,
            frames=self.frames(vectors) if frames else None,
        )
        self.vectors[video_id] = vectors
        return video_id

    def frames(self, vectors: np.ndarray) -> FrameVectors:
        """A frame a second for the clips of vectors (N, D), each with that of its clip."""
        times = np.arange(0.5, 4.0 * len(vectors) + 4.0)
        clip_of = np.minimum(times // 4, len(vectors) - 1).astype(int)
        return FrameVectors(times, QuantisedVectors.of(vectors[clip_of]))

    def location(self, path: str | Path, *, root: Path = ROOT, size: int = 10) -> FileLocation:
        """A place under the root."""
        return FileLocation(
            root=root, path=root / path, size=size, mtime_ns=1_700_000_000_123_456_789
        )

    def expected(self, query: np.ndarray, *, limit: int, videos=None) -> list[float]:
        """The best cosines, by brute force."""
        chosen = [
            vectors
            for video_id, vectors in self.vectors.items()
            if videos is None or video_id in videos
        ]
        if not chosen:
            return []
        stored = np.concatenate(chosen).astype(np.float16).astype(np.float32)
        return sorted((stored @ query).tolist(), reverse=True)[:limit]


# Usable cores, and whether an index is cut into segments of the usual length.
SPREADS = {
    "one core, short segments": (1, False),
    "two cores, the usual segments": (2, True),
    "two cores, more segments": (2, False),
}


@contextmanager
def spread_over(cores: int, *, rows: dict[type, int]) -> Iterator[None]:
    """A block whose thread has so many cores, and whose segments have so many rows, by form."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("CORES: only Linux can confine a process to some of them")
    before = os.sched_getaffinity(0)
    if len(before) < cores:
        pytest.skip("CORES: there is only one here")
    with pytest.MonkeyPatch.context() as changed:
        for form, number in rows.items():
            changed.setitem(vector_index._SHARD_ROWS, form, number)
        os.sched_setaffinity(0, sorted(before)[:cores])
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


@pytest.fixture(scope="module", params=SPREADS)
def spread(request):
    """Cores and segments, the latter as the module says: what uses it, answers alike with all."""
    cores, usual = SPREADS[request.param]
    with spread_over(cores, rows={} if usual else request.module.SHARD_ROWS):
        yield


@pytest.fixture
def spreads(request):
    """For each number of cores and segments, a block in which they are so."""
    rows = request.module.SHARD_ROWS
    return [
        partial(spread_over, cores, rows={} if usual else rows) for cores, usual in SPREADS.values()
    ]


@pytest.fixture
def one_core():
    """A test on one core."""
    with spread_over(1, rows={}):
        yield


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "catalog"


def pytest_generate_tests(metafunc):
    """Tests of a catalog run with both engines, but for those that are about its SQLite file."""
    if "engine" in metafunc.fixturenames:
        about_files = {"folder", "library"} & {*metafunc.fixturenames}
        both = getattr(metafunc.module, "ENGINES", ["sqlite", "postgresql"])
        engines = ["sqlite"] if about_files else both
        metafunc.parametrize("engine", engines, indirect=True)


@pytest.fixture
def engine(request):
    """The engine that holds the catalog."""
    return request.param


@pytest.fixture(scope="session")
def empty_database(postgresql_server):
    """The name of a database that holds an empty catalog: others are copies of it."""
    name = postgresql_server.new_database()
    with TemporaryDirectory() as views:
        url = DatabaseUrl.parse(postgresql_server.url(name), views=Path(views))
        Catalog.open(url, create=True).close()
    return name


@pytest.fixture
def new_address(engine, tmp_path, request):
    """A function: the address of a new catalog, which is not there yet, or is empty."""
    if engine == "sqlite":
        return lambda name: tmp_path / name
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("empty_database")

    def make(_name):
        url = server.url(server.new_database(template=template))
        return DatabaseUrl.parse(url, views=tmp_path / "views")

    return make


@pytest.fixture
def address(new_address):
    """The address of the catalog of a test."""
    return new_address("catalog")


@pytest.fixture
def database(catalog):
    """The database of the catalog, opened apart from it."""
    with closing(open_database(catalog.address, create=False)) as opened:
        yield opened


@pytest.fixture
def query_rows(database):
    """A function: the rows of a query, read behind the catalog's back."""

    def ask(query):
        with database.reading() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    return ask


@pytest.fixture
def catalog(address):
    with Catalog.open(address, create=True) as catalog:
        catalog.bind(PROVENANCE)
        yield catalog


@pytest.fixture
def shelf(catalog):
    return Shelf(catalog)


@pytest.fixture
def query():
    return unit_vectors(1, seed=99)[0]


@pytest.fixture
def new_shelf():
    """Shelves for catalogs that a test opens itself."""

    def make(folder: Path) -> Shelf:
        catalog = Catalog.open(folder, create=True)
        catalog.bind(PROVENANCE)
        return Shelf(catalog)

    return make


@pytest.fixture(scope="session")
def run_mounted():
    """Runs a program after shell commands that mount file systems, which nobody else will see.

    The program's `sys.argv[1]` is `folder`; what it prints comes back.
    """
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    apart = ["unshare", "--mount", *as_root]
    probe = [*apart, "mount", "-t", "tmpfs", "none", "/tmp"]
    try:
        subprocess.run(probe, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("MOUNT: this user may not mount file systems")

    def run(mount: str, program: str, *, folder: Path) -> str:
        shell = f'{mount}\nexec "$@"'
        return _printed([*apart, "sh", "-ec", shell, "sh", sys.executable, "-c", program, folder])

    return run


@pytest.fixture
def read_only():
    """Mounts this folder read-only over itself."""
    return lambda folder: f"mount --bind {folder} {folder}\nmount -o remount,bind,ro {folder}"


@pytest.fixture
def run_program():
    """Runs a program in a process of its own with `folder` as `sys.argv[1]`; what it prints."""
    return lambda program, *, folder: _printed([sys.executable, "-c", program, folder])


def _printed(command) -> str:
    checkout = Path(package.__file__).parents[1]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Repaired:
    """The result of the repair of a catalog that was harmed."""

    problems: tuple[Problem, ...]
    lost: set[str]  # the names of the videos that are not found any more


@pytest.fixture(scope="session")
def stored_library(tmp_path_factory):
    """A closed catalog with all that a catalog may hold; only to be copied."""
    folder = tmp_path_factory.mktemp("stored") / "catalog"
    with Catalog.open(folder, create=True) as catalog:
        catalog.bind(PROVENANCE)
        shelf = Shelf(catalog)
        for n in range(30):
            shelf.add(f"{n}.mp4", clips=1 + n, seed=n, frames=True)
        catalog.add_locations({shelf.location("copies/7.mp4"): catalog.video_with("content 7")})
        catalog.record_failure(shelf.location("bad.mp4"), error="it is no video")
        catalog.note_mounts([ROOT])
        catalog.tags.replace(["dog"], [Tag("dog", n, 0.0, 8.0, "likely", 0.4) for n in (1, 2)])
        for n in (100, 101):
            catalog.add_to_partial(
                f"content {n}",
                location=shelf.location(f"{n}.mp4"),
                duration=20.0,
                clips=[ClipSpan(0.0, 8.0), ClipSpan(4.0, 12.0)],
                vectors=unit_vectors(2, seed=n),
            )
        catalog.save_snapshot()
    return folder


@pytest.fixture
def library(stored_library, folder):
    """A copy of it in `folder`."""
    return shutil.copytree(stored_library, folder)


@pytest.fixture
def execute():
    """Changes rows behind the catalog's back, with nothing that the engine would refuse."""

    def run(address: Path | DatabaseUrl, script: str) -> None:
        if isinstance(address, DatabaseUrl):
            from catalog.database.postgresql.connection import connect

            with closing(connect(address, autocommit=True)) as connection:
                connection.execute("SET session_replication_role = replica")
                connection.execute(re.sub("x'([0-9A-F]*)'", r"'\\\\x\1'::bytea", script))
            return
        with closing(sqlite3.connect(address / "catalog.sqlite")) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.executescript(script)

    return run


@pytest.fixture
def harmed(library, query):
    """Harms the library; it is found and repaired, and the rest is found as before."""

    def go(harm) -> Repaired:
        before = _answers(library, query)
        harm(library)
        told = verify_catalog(library)
        assert told.problems
        assert not told.sound
        assert all(problem.repaired is None for problem in told.problems)
        repaired = verify_catalog(library, repair=True)
        assert repaired.sound, repaired
        assert {p.what for p in told.problems} <= {p.what for p in repaired.problems}
        assert not any("\n" in f"{p.what}{p.repaired}" for p in repaired.problems)
        assert verify_catalog(library) == replace(repaired, problems=())
        after = _answers(library, query)
        left = {path for path, *_ in after}
        assert after == [answer for answer in before if answer[0] in left]
        return Repaired(repaired.problems, {path.name for path, *_ in before if path not in left})

    return go


def _answers(folder: Path, query: np.ndarray) -> list[tuple[Path, int, float, float, float]]:
    with Catalog.open(folder) as catalog:
        found = catalog.nearest_clips(query, limit=1000)
        return [(m.path, m.clip_id, m.start, m.end, m.score) for m in found]
