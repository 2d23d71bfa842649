"""The nearest vectors by cosine: an exact scan of few vectors, a quantised scan of many.

A scan is bound by the bytes that it reads. Up to 200,000 clips of 512 numbers are 200 MB of
float16, which four threads read in about 10 ms: the answer is exact, with no recall to tune or
explain. Above that, 4 bits a number are scanned, and the best candidates are compared with the
vectors of the catalog. Graphs and partitions read less, but lose half of the answers to sentences,
which are far from all videos.
"""

import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from catalog.vectors.faiss_shards import (
    Codec,
    Codes,
    Float16,
    GpuCopy,
    IdFilter,
    ScalarQuantizer4,
    Scores,
    Shard,
    best_of,
    single_threaded,
)
from machine import memory_threads

VectorSource = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Stored vectors (N, D) of N ascending ids, which are all in the catalog."""

EXACT_UP_TO = 200_000
_SHARD_ROWS = {Float16: 32_768, ScalarQuantizer4: 65_536}  # enough for all threads from 100,000 on
_FITTED_ON = 32_768  # rows
_CANDIDATES = 256  # at least; comparing one exactly takes about 6 µs
_MAX_CANDIDATES = 4096
MARGIN_SIGMAS = 3.0  # standard deviations of the error of an approximate score
_PREAMBLE = struct.Struct("<4sIQ")  # codec, vector length, shards
_CODECS: dict[bytes, type[Float16 | ScalarQuantizer4]] = {
    b"half": Float16,
    b"4bit": ScalarQuantizer4,
}


class VectorIndex:
    """Vectors under ids that only grow. Not safe for several threads: the owner locks.

    Args:
        dim: length of a vector.
        exact_up_to: number of vectors that are kept unquantised.
    """

    def __init__(self, *, dim: int, exact_up_to: int = EXACT_UP_TO) -> None:
        self.dim = dim
        self._exact_up_to = exact_up_to
        self._codec: Codec = Float16(dim)
        self._shards: list[Shard] = []
        self._present: NDArray[np.bool_] | None = None
        self._threads = memory_threads()
        self._pool: ThreadPoolExecutor | None = None
        self._gpu = GpuCopy()

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    @property
    def is_exact(self) -> bool:
        """Whether the vectors are unquantised."""
        return isinstance(self._codec, Float16)

    @property
    def is_needlessly_quantised(self) -> bool:
        """Whether quantised vectors have become so few that a new index would be exact."""
        return not self.is_exact and len(self) < self._exact_up_to // 2

    @property
    def ids(self) -> NDArray[np.int64]:
        """All ids (N,), ascending."""
        return np.flatnonzero(self._presence())

    @property
    def newest(self) -> int:
        """The highest id, 0 if there is none."""
        return int(self._shards[-1].ids[-1]) if self._shards else 0

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add vectors (N, D) under new ids (N,), which are above all that are in the index.

        Raises:
            ValueError: an id is in the index already, or below one that is.
        """
        if len(ids) == 0:
            return
        order = np.argsort(ids)
        ids = ids[order]
        if ids[0] <= self.newest or (np.diff(ids) == 0).any():
            raise ValueError("an id can be in the index only once, and above all earlier ones")
        self._append(ids, self._codec.encode(np.asarray(vectors, dtype=np.float32)[order]))
        if len(self) > self._exact_up_to and not self._gpu.has_room(len(self), dim=self.dim):
            self._quantise()
        self._changed()

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Remove ids (N,); those that are not in the index are ignored."""
        gone = self._mask_of(ids)
        if not gone.any():
            return
        self._shards = [left for shard in self._shards for left in self._without(shard, gone)]
        self._changed()

    def _without(self, shard: Shard, gone: NDArray[np.bool_]) -> list[Shard]:
        """The shard without the ids of a mask by id; none if nothing is left of it."""
        ids = shard.ids
        left = ~gone[ids]
        if left.all():
            return [shard]
        if not left.any():
            return []
        return [Shard.of(self._codec, ids=ids[left], codes=shard.codes(self._codec)[left])]

    def nearest(
        self,
        query: NDArray[np.float32],
        *,
        limit: int,
        stored: VectorSource,
        among: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids (N,) and exact cosines (N,) of the `limit` best, best first, equal ones by id.

        Of quantised vectors, the best candidates are compared exactly. A first scan shows the error
        of quantised cosines; if more candidates could belong to the answer within three standard
        deviations of it, a second scan adds them, up to some thousands. So a clip may be missing
        whose error is larger, or that competes with still more.

        Args:
            query: (D,) of unit length.
            limit: maximum number of results.
            stored: used only for quantised vectors, and on a GPU.
            among: ids (N,) that compete, all if None; they are filtered before the scan.
        """
        query = np.ascontiguousarray(query, dtype=np.float32)
        mask = None if among is None else self._mask_of(among)
        eligible = len(self) if mask is None else int(np.count_nonzero(mask))
        wanted = min(limit, eligible)
        if wanted == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        id_filter = None if mask is None else IdFilter(mask)
        first = self._first_scan(query, wanted=wanted, eligible=eligible, id_filter=id_filter)
        found: Scores | None
        if first is None:
            found = self._scan(query, limit=wanted, id_filter=id_filter)
        else:
            found = self._refined(query, first, wanted=wanted, id_filter=id_filter, stored=stored)
        if found is None:
            every = np.flatnonzero(self._presence() if mask is None else mask)
            found = _compared(query, every, stored=stored)
        ids, scores = best_of(found, limit=wanted)
        return ids, np.clip(scores, -1.0, 1.0)

    def _first_scan(
        self,
        query: NDArray[np.float32],
        *,
        wanted: int,
        eligible: int,
        id_filter: IdFilter | None,
    ) -> Scores | None:
        """Candidates with approximate scores, best first; empty if all are to be compared exactly.

        None for an exact scan, which needs no candidates.
        """
        count = max(_CANDIDATES, 2 * wanted)
        if isinstance(self._codec, Float16):
            on_gpu = id_filter is None and self._gpu.is_ready(
                self._shards, codec=self._codec, limit=count
            )
            return self._gpu.nearest(query, limit=count) if on_gpu else None
        if count >= eligible:
            return Scores(np.empty(0, np.int64), np.empty(0, np.float32))
        return self._scan(query, limit=count, id_filter=id_filter)

    def _refined(
        self,
        query: NDArray[np.float32],
        first: Scores,
        *,
        wanted: int,
        id_filter: IdFilter | None,
        stored: VectorSource,
    ) -> Scores | None:
        """Exact scores of the candidates of a first scan; a second scan adds those it may lack.

        None if the codes do not tell the candidates: FAISS skips those with the lowest score.
        """
        if len(first.ids) < wanted:
            return None
        order = np.argsort(first.ids)
        found = _compared(query, first.ids[order], stored=stored)
        error = float(np.sqrt(np.mean((found.scores - first.scores[order]) ** 2)))
        threshold = float(np.sort(found.scores)[-wanted]) - MARGIN_SIGMAS * error
        if threshold > first.scores[-1]:
            return found
        more = self._over_shards(lambda shard: shard.at_least(query, threshold, id_filter))
        if self.is_exact:
            return more
        if len(more.ids) < len(first.ids):
            return None
        more = best_of(more, limit=max(_MAX_CANDIDATES, len(first.ids)))
        return _compared(query, np.sort(more.ids), stored=stored)

    def rows(self) -> Iterator[tuple[NDArray[np.int64], Codes]]:
        """Ids (N,) and codes (N, bytes) of each shard; the ids ascend over all shards."""
        for shard in self._shards:
            yield shard.ids, shard.codes(self._codec)

    def encode(self, vectors: NDArray[np.float32]) -> Codes:
        """Codes (N, bytes) of vectors (N, D)."""
        return self._codec.encode(vectors)

    def to_parts(self) -> Iterator[bytes | memoryview]:
        """The bytes of the whole index in parts, for `from_bytes`."""
        name = next(name for name, kind in _CODECS.items() if isinstance(self._codec, kind))
        yield _PREAMBLE.pack(name, self.dim, len(self._shards))
        if isinstance(self._codec, ScalarQuantizer4):
            yield self._codec.centre.tobytes() + self._codec.step.tobytes()
        for shard in self._shards:
            body = shard.to_bytes()
            yield struct.pack("<Q", len(body))
            yield body

    @classmethod
    def from_bytes(
        cls, body: NDArray[np.uint8], *, dim: int, exact_up_to: int = EXACT_UP_TO
    ) -> "VectorIndex":
        """The index from the bytes (B,) of `to_parts`; `body` stays in use and must not change.

        FAISS has no checksum: check a digest before.

        Raises:
            ValueError: not an index of this kind and vector length.
        """
        index = cls(dim=dim, exact_up_to=exact_up_to)
        try:
            index._read(_Pieces(body))
        except struct.error as error:
            raise ValueError("not a complete index of vectors") from error
        return index

    def _read(self, pieces: "_Pieces") -> None:
        name, dim, shards = _PREAMBLE.unpack(pieces.next(_PREAMBLE.size).data)
        if name not in _CODECS or dim != self.dim:
            raise ValueError(f"not an index of {self.dim}-dimensional vectors")
        if _CODECS[name] is ScalarQuantizer4:
            levels = pieces.next(8 * dim).view("<f4").astype(np.float32)
            self._codec = ScalarQuantizer4(centre=levels[:dim], step=levels[dim:])
        bodies = []
        for _ in range(shards):
            (size,) = struct.unpack("<Q", pieces.next(8).data)
            bodies.append(pieces.next(size))
        read = partial(Shard.from_bytes, codec=self._codec)
        self._shards = list(self._workers().map(read, bodies))

    def _append(self, ids: NDArray[np.int64], codes: Codes) -> None:
        rows = _SHARD_ROWS[type(self._codec)]
        if self._shards and len(self._shards[-1]) < rows:
            last = self._shards.pop()
            ids = np.concatenate([last.ids, ids])
            codes = np.concatenate([last.codes(self._codec), codes])
        for begin in range(0, len(ids), rows):
            some = slice(begin, begin + rows)
            self._shards.append(Shard.of(self._codec, ids=ids[some], codes=codes[some]))

    def _quantise(self) -> None:
        exact = self._codec
        if not isinstance(exact, Float16):
            return
        every = max(1, len(self) // _FITTED_ON)
        samples = [exact.decode(shard.codes(exact)[::every]) for shard in self._shards]
        quantised = ScalarQuantizer4.fitted(np.concatenate(samples))
        shards, self._shards, self._codec = self._shards, [], quantised
        for shard in shards:
            self._append(shard.ids, quantised.encode(exact.decode(shard.codes(exact))))

    def _changed(self) -> None:
        self._present = None
        self._gpu = GpuCopy()

    def _presence(self) -> NDArray[np.bool_]:
        """A mask (M,) by id of the ids in the index."""
        if self._present is None:
            self._present = np.zeros(self.newest + 1, np.bool_)
            for shard in self._shards:
                self._present[shard.ids] = True
        return self._present

    def _mask_of(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A mask (M,) by id of those of these ids (N,) that are in the index."""
        present = self._presence()
        mask = np.zeros_like(present)
        mask[ids[(ids >= 0) & (ids < len(present))]] = True
        mask &= present
        return mask

    def _scan(
        self, query: NDArray[np.float32], *, limit: int, id_filter: IdFilter | None
    ) -> Scores:
        """The `limit` best by their codes, best first; of equal ones the lowest ids."""
        nearest = partial(Shard.nearest, query=query, limit=limit, id_filter=id_filter)
        return best_of(self._over_shards(nearest), limit=limit)

    def _over_shards(self, scan: Callable[[Shard], Scores]) -> Scores:
        """The scores of all shards together; each thread scans some of them."""

        def scan_some(shards: list[Shard]) -> list[Scores]:
            with single_threaded():
                return [scan(shard) for shard in shards]

        threads = min(self._threads, len(self._shards))
        shares = [self._shards[thread::threads] for thread in range(threads)]
        run = map if threads == 1 else self._workers().map
        parts = [part for share in run(scan_some, shares) for part in share]
        return Scores(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _workers(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="scan")
        return self._pool


class _Pieces:
    """Bytes (B,), taken piece by piece from the front."""

    def __init__(self, body: NDArray[np.uint8]) -> None:
        self._rest = body

    def next(self, size: int) -> NDArray[np.uint8]:
        if size > len(self._rest):
            raise ValueError("not a complete index of vectors")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _compared(
    query: NDArray[np.float32], ids: NDArray[np.int64], *, stored: VectorSource
) -> Scores:
    # Row by row: a matrix product rounds equal rows differently, depending on their position.
    return Scores(ids, np.einsum("nd,d->n", stored(ids), query))
