"""Recall and latency of the vector index with 10 thousand to 3 million clips.

Text vectors are far from all video vectors, so an index with perfect recall for "more like this"
may miss most answers to a sentence. There are four kinds of queries: a **clip** like the others,
and three imitations of a sentence: **shifted** away from the clips, mostly **orthogonal** to them,
and **between** clusters. The ground truth comes from float32 products with every vector, computed
while the vectors are made, so that only a part of them is in memory at a time.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure.section import Row, Section
from benchmarks.measure.timing import figure_of, ratio, side_by_side
from catalog.vectors.index import VectorIndex

Vectors = NDArray[np.float32]

DIM = 512
BARS_MS = {10_000: 5.0, 100_000: 20.0, 1_000_000: 45.0, 3_000_000: 120.0}
RECALL_BAR = 0.99
SHARES = {"all": 1.0, "50 %": 0.5, "10 %": 0.1, "1 %": 0.01}
KINDS = ("clip", "shifted", "orthogonal", "between")
_PER_KIND = 30
_BEST = 10
_PIECE = 20_000
_PIECES_AT_ONCE = 3
_CLIPS_PER_VIDEO = 100
_CLUSTERS = 5000
_ADDED = 1000
_PEER_CLIPS = (100_000, 1_000_000)
_ROUNDS = 7


class World:
    """Unit vectors in clusters with a low-rank spread, like the clips of a model."""

    def __init__(self, *, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._clusters = _unit(rng.standard_normal((_CLUSTERS, DIM), dtype=np.float32))
        basis = np.linalg.qr(rng.standard_normal((DIM, 32)))[0].T
        self._basis = (0.6 / np.sqrt(32) * basis).astype(np.float32)
        self._away = _unit(rng.standard_normal((1, DIM), dtype=np.float32))

    def clips(self, count: int, *, seed: int) -> Vectors:
        """Make clip vectors (N, D) float32."""
        rng = np.random.default_rng((1, seed))
        found = rng.standard_normal((count, DIM), dtype=np.float32)
        found *= np.float32(0.3 / np.sqrt(DIM))
        found += self._clusters[rng.integers(_CLUSTERS, size=count)]
        found += rng.standard_normal((count, 32), dtype=np.float32) @ self._basis
        return _unit(found)

    def queries(self, kind: str, count: int) -> Vectors:
        """Make query vectors (N, D) float32 of one kind."""
        rng = np.random.default_rng((2, KINDS.index(kind)))
        noise = _unit(rng.standard_normal((count, DIM), dtype=np.float32))
        clips = self.clips(count, seed=10**6)
        if kind == "clip":
            return clips
        if kind == "shifted":
            return _unit(np.float32(0.6) * clips + self._away + np.float32(0.4) * noise)
        if kind == "orthogonal":
            return _unit(np.float32(0.2) * clips + noise)
        some = self._clusters[rng.integers(_CLUSTERS, size=(6, count))]
        return _unit(some.sum(axis=0))


class Truth:
    """Ground truth: the ten nearest clips of each query, for each share of allowed videos."""

    def __init__(self, queries: Vectors) -> None:
        self._queries = queries
        nothing = np.full((len(queries), _BEST), -np.inf, np.float32)
        self._scores = {share: nothing.copy() for share in SHARES}
        self._ids = {share: np.zeros((len(queries), _BEST), np.int64) for share in SHARES}

    def look_at(self, ids: NDArray[np.int64], vectors: Vectors) -> None:
        """Add clips (N, D) with N ids."""
        scores = self._queries @ vectors.T
        for share, part in SHARES.items():
            here = np.flatnonzero(competes(ids, share=part))
            if not len(here):
                continue
            own = scores[:, here]
            top = np.argpartition(-own, min(_BEST, len(here) - 1), axis=1)[:, :_BEST]
            best = np.concatenate(
                [self._scores[share], np.take_along_axis(own, top, axis=1)], axis=1
            )
            named = np.concatenate([self._ids[share], ids[here[top]]], axis=1)
            kept = np.argsort(-best, axis=1)[:, :_BEST]
            self._scores[share] = np.take_along_axis(best, kept, axis=1)
            self._ids[share] = np.take_along_axis(named, kept, axis=1)

    def right(self, share: str, query: int, found: NDArray[np.int64]) -> float:
        """Compute the share of the ten nearest clips that is in `found`."""
        return len(np.intersect1d(self._ids[share][query], found)) / _BEST


class Store:
    """Vectors in SQLite, stored like those of the catalog."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, check_same_thread=False)
        self.connection.executescript(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE clips (id INTEGER PRIMARY KEY, video_id INTEGER, start REAL, end REAL,"
            " vector BLOB)"
        )

    def put(self, ids: NDArray[np.int64], vectors: Vectors) -> None:
        """Store vectors (N, D) with N ids."""
        rows = zip(ids.tolist(), vectors.astype("<f2"), strict=True)
        with self.connection:
            self.connection.executemany(
                "INSERT INTO clips VALUES (?, 1, 0.0, 8.0, ?)",
                ((number, row.tobytes()) for number, row in rows),
            )

    def stored(self, ids: NDArray[np.int64]) -> Vectors:
        """Read vectors by id, for the index."""
        marks = ", ".join("?" * len(ids))
        query = f"SELECT vector FROM clips WHERE id IN ({marks}) ORDER BY id"
        return _unpacked(self.connection.execute(query, ids.tolist()).fetchall())

    def first(self, count: int) -> Vectors:
        """Read the first `count` vectors (N, D), as a query without an index does."""
        query = "SELECT vector FROM clips WHERE id <= ?"
        return _unpacked(self.connection.execute(query, (count,)).fetchall())


@dataclass
class Measured:
    """Results for one size: milliseconds and recall by kind and share."""

    exact: bool
    build_seconds: float
    milliseconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    recall: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    add_seconds: float = 0.0
    bytes_per_clip: float = 0.0
    resident_mb: float = 0.0
    load_seconds: float = 0.0


def measure() -> Section:
    """Measure all sizes in one growing index, and alternatives without an index."""
    world = World()
    queries = {kind: world.queries(kind, _PER_KIND) for kind in KINDS}
    results: dict[int, Measured] = {}
    peers: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch) / "clips.sqlite")
        with closing(store.connection):
            truth = Truth(np.concatenate(list(queries.values())))
            grower = _Grower(world, store=store, truth=truth)
            for size in BARS_MS:
                grower.grow_to(size)
                results[size] = _measured(grower, queries, scratch=Path(scratch))
                results[size].add_seconds = grower.add_some()
                if size in _PEER_CLIPS:
                    peers.extend(_peers(grower, size=size, queries=queries["shifted"]))
    rows = [row for size, found in results.items() for row in _rows(size, found)]
    return Section(
        title="Vector index",
        setting=(
            f"{DIM} numbers a vector; one query at a time, {_PER_KIND} of each kind, the"
            f" {_BEST} best; ground truth by float32 products with every vector. Filters choose"
            f" videos of {_CLIPS_PER_VIDEO} clips before the search. Spread: fastest to slowest."
        ),
        rows=(*rows, *peers),
    )


class _Grower:
    """One index that grows from size to size, with its store and ground truth."""

    def __init__(self, world: World, *, store: Store, truth: Truth) -> None:
        self._world, self.store, self.truth = world, store, truth
        self.index = VectorIndex(dim=DIM)
        self.build_seconds = 0.0

    def grow_to(self, size: int) -> None:
        """Add clips until the index has `size` clips."""
        with ThreadPoolExecutor(_PIECES_AT_ONCE) as pool:
            while (here := len(self.index)) < size:
                begins = range(here, min(size, here + _PIECES_AT_ONCE * _PIECE), _PIECE)
                counts = [min(_PIECE, size - begin) for begin in begins]
                for vectors in pool.map(self._made, begins, counts):
                    self.build_seconds += self.add(vectors)

    def add_some(self) -> float:
        """Measure the seconds for adding a few more clips."""
        return self.add(self._made(len(self.index), _ADDED))

    def add(self, vectors: Vectors) -> float:
        """Measure the seconds that the index alone needs for adding these clips."""
        ids = 1 + len(self.index) + np.arange(len(vectors))
        with ThreadPoolExecutor(1) as writer:
            written = writer.submit(self.store.put, ids, vectors)
            self.truth.look_at(ids, vectors)
        written.result()
        begin = time.perf_counter()
        self.index.add(ids, vectors)
        return time.perf_counter() - begin

    def _made(self, begin: int, count: int) -> Vectors:
        return self._world.clips(count, seed=begin)


def _measured(grower: _Grower, queries: dict[str, Vectors], *, scratch: Path) -> Measured:
    index = grower.index
    found = Measured(exact=index.is_exact, build_seconds=grower.build_seconds)
    for share, part in SHARES.items():
        among = None if part == 1.0 else _chosen(len(index), share=part)
        seek = partial(index.nearest, limit=_BEST, stored=grower.store.stored, among=among)
        seek(queries["clip"][0])
        for number, kind in enumerate(KINDS):
            taken, right = [], []
            for row, query in enumerate(queries[kind]):
                begin = time.perf_counter()
                ids, _ = seek(query)
                taken.append(1000 * (time.perf_counter() - begin))
                right.append(grower.truth.right(share, number * _PER_KIND + row, ids))
            found.milliseconds[kind, share] = taken
            found.recall[kind, share] = right
    _measure_size(index, found, path=scratch / "index")
    return found


def _measure_size(index: VectorIndex, found: Measured, *, path: Path) -> None:
    """Measure the size of the index on disk, and in the memory of a process that loaded it."""
    with path.open("wb") as file:
        file.writelines(index.to_parts())
    found.bytes_per_clip = path.stat().st_size / len(index)
    with multiprocessing.get_context("spawn").Pool(1) as process:
        found.load_seconds, found.resident_mb = process.apply(_loaded, [path])


def _loaded(path: Path) -> tuple[float, float]:
    before = _resident_mb()
    begin = time.perf_counter()
    index = VectorIndex.from_bytes(np.fromfile(path, np.uint8), dim=DIM)
    seconds = time.perf_counter() - begin
    index.nearest(
        np.eye(DIM, dtype=np.float32)[0],
        limit=_BEST,
        stored=lambda ids: np.zeros((len(ids), DIM), np.float32),
    )
    return seconds, _resident_mb() - before


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def _peers(grower: _Grower, *, size: int, queries: Vectors) -> Iterator[Row]:
    """Compare alternatives without an index with the index, in turns."""
    whole = grower.store.first(size)
    counter = iter(range(10**6))

    def query() -> Vectors:
        found: Vectors = queries[next(counter) % len(queries)]
        return found

    ways = {
        "ours": lambda: grower.index.nearest(query(), limit=_BEST, stored=grower.store.stored),
        "numpy": lambda: _ten_best(whole @ query()),
    }
    if size == min(_PEER_CLIPS):
        ways["blobs"] = lambda: _ten_best(grower.store.first(size) @ query())
    taken = side_by_side(ways, rounds=_ROUNDS)
    names = {
        "numpy": "a float32 matrix in memory times the query in NumPy",
        "blobs": "all blobs from SQLite, and their product with the query in NumPy",
    }
    for way in list(ways)[1:]:
        times = f"{taken[way].median * 1000:.0f} ms to {taken['ours'].median * 1000:.1f} ms"
        yield Row(
            f"{size:,} clips: {names[way]}, against the index",
            ratio(taken[way], taken["ours"]),
            note=times,
        )


def _ten_best(scores: Vectors) -> NDArray[np.int64]:
    some = np.argpartition(-scores, _BEST)[:_BEST]
    found: NDArray[np.int64] = some[np.argsort(-scores[some])]
    return found


def _rows(size: int, found: Measured) -> Iterator[Row]:
    form = "exact" if found.exact else "quantised"
    bar = f"≤ {BARS_MS[size]:.0f} ms, recall ≥ {RECALL_BAR}"
    for share in SHARES:
        for kinds, name in ((KINDS[1:], "text-like queries"), (KINDS[:1], "more like this")):
            taken = [ms for kind in kinds for ms in found.milliseconds[kind, share]]
            recalls = {kind: float(np.mean(found.recall[kind, share])) for kind in kinds}
            figure = figure_of(taken, unit="ms")
            yield Row(
                f"{size:,} clips ({form}), {share} allowed: {name}",
                figure,
                bar,
                figure.median <= BARS_MS[size] and min(recalls.values()) >= RECALL_BAR,
                f"p99 {np.percentile(taken, 99):.1f} ms; recall@{_BEST} "
                + ", ".join(f"{kind} {recall:.4f}" for kind, recall in recalls.items()),
            )
    yield Row(
        f"{size:,} clips ({form}): {_ADDED:,} more, seconds", found.add_seconds, "seconds",
        found.add_seconds < 5.0, f"the whole index from its vectors in {found.build_seconds:.1f} s",
    )  # fmt: skip
    yield Row(
        f"{size:,} clips ({form}): bytes a clip on disk",
        found.bytes_per_clip,
        note=f"{found.resident_mb:.0f} MB resident in a process that read it, in"
        f" {found.load_seconds:.2f} s",
    )


def competes(ids: NDArray[np.int64], *, share: float) -> NDArray[np.bool_]:
    """Compute the mask (N,) of clips whose video is in the share, chosen at random."""
    videos = (ids - 1) // _CLIPS_PER_VIDEO
    scattered = videos * 2_654_435_761 % 2**32  # Knuth's multiplicative hash
    found: NDArray[np.bool_] = scattered < share * 2**32
    return found


def _chosen(size: int, *, share: float) -> NDArray[np.int64]:
    ids = np.arange(1, size + 1)
    return ids[competes(ids, share=share)]


def _unpacked(rows: list[tuple[bytes]]) -> Vectors:
    flat = np.frombuffer(b"".join(row[0] for row in rows), "<f2")
    return flat.reshape(len(rows), DIM).astype(np.float32)


def _unit(vectors: Vectors) -> Vectors:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
