"""Nearest vectors by cosine: scanned whole while they are few, else in short and looked at again.

A scan is bound by the bytes that it reads. Up to 200,000 clips of 512 numbers that are 200 MB of
float16, which four threads read in about 10 ms, with no recall to tune or explain. Beyond, 4 bits a
number are scanned, and the best of them compared again with the vectors that the catalog holds.
Graphs and partitions, which read less, lose half of the answers to sentences: these are far from
all videos.
"""

import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.vectors.faiss_shards import (
    Chosen,
    Codes,
    Form,
    Halves,
    Nibbles,
    Segment,
    SegmentsOnGpu,
    alone,
    best_of,
)
from machine import memory_threads

VectorSource = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""The stored vectors (N, D) under N ascending ids that are all there."""

EXACT_UP_TO = 200_000
_SEGMENT_ROWS = {Halves: 32_768, Nibbles: 65_536}  # enough segments for all threads from 100,000 on
_FITTED_ON = 32_768  # rows
_CANDIDATES = 256  # looked at again at least; each costs some 6 µs
_MOST_CANDIDATES = 4096
_DOUBT = 3.0  # standard deviations of what the short form is wrong by
_PREAMBLE = struct.Struct("<4sIQ")  # form, dimension, segments
_FORMS: dict[bytes, type[Halves | Nibbles]] = {b"half": Halves, b"4bit": Nibbles}


class _Found(NamedTuple):
    ids: NDArray[np.int64]
    scores: NDArray[np.float32]


class _Field(NamedTuple):
    """Who competes: all, or those with a truth at their id; and how many they are."""

    truths: NDArray[np.bool_] | None
    size: int


class VectorIndex:
    """Vectors under ids that only grow. Not safe against use by several threads: the owner locks.

    Args:
        dimension: how many numbers a vector has.
        exact_up_to: how many vectors are held whole.
    """

    def __init__(self, *, dimension: int, exact_up_to: int = EXACT_UP_TO) -> None:
        self.dimension = dimension
        self._exact_up_to = exact_up_to
        self._form: Form = Halves(dimension)
        self._segments: list[Segment] = []
        self._present: NDArray[np.bool_] | None = None
        self._threads = memory_threads()
        self._pool: ThreadPoolExecutor | None = None
        self._gpu = SegmentsOnGpu()

    def __len__(self) -> int:
        return sum(map(len, self._segments))

    @property
    def is_exact(self) -> bool:
        """Whether all vectors are held whole."""
        return isinstance(self._form, Halves)

    @property
    def is_too_short(self) -> bool:
        """Whether vectors are held in short that are few by now: another index would be exact."""
        return not self.is_exact and len(self) < self._exact_up_to // 2

    @property
    def ids(self) -> NDArray[np.int64]:
        """All ids (N,), ascending."""
        return np.flatnonzero(self._presence())

    @property
    def newest(self) -> int:
        """The highest id, 0 if there is none."""
        return int(self._segments[-1].ids[-1]) if self._segments else 0

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Take in (N, D) vectors under N new ids, which are above all that are there.

        Raises:
            ValueError: an id is there already, or below one that is.
        """
        if len(ids) == 0:
            return
        order = np.argsort(ids)
        ids = ids[order]
        if ids[0] <= self.newest or (np.diff(ids) == 0).any():
            raise ValueError("an id can be in the index only once, and above all earlier ones")
        self._append(ids, self._form.encode(np.asarray(vectors, dtype=np.float32)[order]))
        if len(self) > self._exact_up_to and not self._gpu.has_room(
            len(self), dimension=self.dimension
        ):
            self._shorten()
        self._changed()

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget these ids; those that are not there are passed over."""
        gone = self._among(ids)
        if not gone.any():
            return
        self._segments = [
            left for segment in self._segments for left in self._without(segment, gone)
        ]
        self._changed()

    def _without(self, segment: Segment, gone: NDArray[np.bool_]) -> list[Segment]:
        """The segment, or another with what is left of it; none if that is nothing."""
        ids = segment.ids
        left = ~gone[ids]
        if left.all():
            return [segment]
        if not left.any():
            return []
        return [Segment.of(self._form, ids=ids[left], codes=segment.codes(self._form)[left])]

    def nearest(
        self,
        query: NDArray[np.float32],
        *,
        limit: int,
        stored: VectorSource,
        among: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ids and exact cosines of the `limit` best, best first, equal ones by id.

        Where vectors are held in short, those that come into question are taken from `stored`: as
        many as the errors that are seen on the way demand, but no more than some thousands. So one
        of the best may be missing where still more differ by less than the short form can tell.

        Args:
            query: (D,) of unit length.
            limit: how many at most.
            stored: asked only where vectors are held in short.
            among: only these ids compete, if given; they are chosen before the search.
        """
        query = np.ascontiguousarray(query, dtype=np.float32)
        truths = None if among is None else self._among(among)
        eligible = len(self) if truths is None else int(np.count_nonzero(truths))
        wanted = min(limit, eligible)
        if wanted == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        field = _Field(truths, eligible)
        scan = self._rough_scan(query, wanted=wanted, field=field)
        if scan is None:
            found = self._best(query, limit=wanted, field=field)
        else:
            found = self._refined(query, wanted=wanted, field=field, scan=scan, stored=stored)
        order = np.lexsort((found.ids, -found.scores))[:wanted]
        return found.ids[order], np.clip(found.scores[order], -1.0, 1.0)

    def rows(self) -> Iterator[tuple[NDArray[np.int64], Codes]]:
        """Stretch by stretch the ids (N,), ascending all through, and what is held under them."""
        for segment in self._segments:
            yield segment.ids, segment.codes(self._form)

    def encode(self, vectors: NDArray[np.float32]) -> Codes:
        """What is held of (N, D) vectors."""
        return self._form.encode(vectors)

    def to_parts(self) -> Iterator[bytes | memoryview]:
        """The whole index in pieces, for `from_bytes`."""
        name = next(name for name, kind in _FORMS.items() if isinstance(self._form, kind))
        yield _PREAMBLE.pack(name, self.dimension, len(self._segments))
        if isinstance(self._form, Nibbles):
            yield self._form.centre.tobytes() + self._form.step.tobytes()
        for segment in self._segments:
            body = segment.to_bytes()
            yield struct.pack("<Q", len(body))
            yield body

    @classmethod
    def from_bytes(
        cls, body: NDArray[np.uint8], *, dimension: int, exact_up_to: int = EXACT_UP_TO
    ) -> "VectorIndex":
        """The index that `to_parts` wrote; `body` stays in use and must not change any more.

        FAISS has no checksum: check the digest before.

        Raises:
            ValueError: not an index of this kind and dimension.
        """
        index = cls(dimension=dimension, exact_up_to=exact_up_to)
        try:
            index._take_over(_Pieces(body))
        except struct.error as error:
            raise ValueError("not a whole index of vectors") from error
        return index

    def _take_over(self, pieces: "_Pieces") -> None:
        name, dimension, segments = _PREAMBLE.unpack(pieces.next(_PREAMBLE.size).data)
        if name not in _FORMS or dimension != self.dimension:
            raise ValueError(f"not an index of {self.dimension}-dimensional vectors")
        if _FORMS[name] is Nibbles:
            levels = pieces.next(8 * dimension).view("<f4").astype(np.float32)
            self._form = Nibbles(centre=levels[:dimension], step=levels[dimension:])
        bodies = []
        for _ in range(segments):
            (size,) = struct.unpack("<Q", pieces.next(8).data)
            bodies.append(pieces.next(size))
        read = partial(Segment.from_bytes, form=self._form)
        self._segments = list(self._workers().map(read, bodies))

    def _append(self, ids: NDArray[np.int64], codes: Codes) -> None:
        rows = _SEGMENT_ROWS[type(self._form)]
        if self._segments and len(self._segments[-1]) < rows:
            last = self._segments.pop()
            ids = np.concatenate([last.ids, ids])
            codes = np.concatenate([last.codes(self._form), codes])
        for begin in range(0, len(ids), rows):
            some = slice(begin, begin + rows)
            self._segments.append(Segment.of(self._form, ids=ids[some], codes=codes[some]))

    def _shorten(self) -> None:
        whole = self._form
        if not isinstance(whole, Halves):
            return
        every = max(1, len(self) // _FITTED_ON)
        samples = [whole.decode(segment.codes(whole)[::every]) for segment in self._segments]
        short = Nibbles.fitted(np.concatenate(samples))
        segments, self._segments, self._form = self._segments, [], short
        for segment in segments:
            self._append(segment.ids, short.encode(whole.decode(segment.codes(whole))))

    def _changed(self) -> None:
        self._present = None
        self._gpu = SegmentsOnGpu()

    def _presence(self) -> NDArray[np.bool_]:
        """Whether each id up to the newest is there."""
        if self._present is None:
            self._present = np.zeros(self.newest + 1, np.bool_)
            for segment in self._segments:
                self._present[segment.ids] = True
        return self._present

    def _among(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each id up to the newest is there and one of these."""
        present = self._presence()
        truths = np.zeros_like(present)
        truths[ids[(ids >= 0) & (ids < len(present))]] = True
        truths &= present
        return truths

    def _rough_scan(
        self, query: NDArray[np.float32], *, wanted: int, field: _Field
    ) -> Callable[[int], _Found] | None:
        """What finds so many of the best, best first, by scores that have to be looked at again."""
        if isinstance(self._form, Nibbles):
            return lambda asked: self._best(query, limit=asked, field=field)
        if field.truths is None and self._gpu.is_ready(
            self._segments, form=self._form, limit=2 * wanted
        ):
            return lambda asked: _Found(*self._gpu.nearest(query, limit=asked))
        return None

    def _refined(
        self,
        query: NDArray[np.float32],
        *,
        wanted: int,
        field: _Field,
        scan: Callable[[int], _Found],
        stored: VectorSource,
    ) -> _Found:
        """The best of a rough scan, compared exactly: so many that hardly one can be missing."""
        asked = max(_CANDIDATES, 2 * wanted)
        most = max(_MOST_CANDIDATES, asked)
        while asked < field.size:
            rough = scan(asked)
            order = np.argsort(rough.ids)
            found = _compared(query, rough.ids[order], stored=stored)
            if len(found.ids) < wanted:
                break  # FAISS may pass over rows whose coarse sum is the least possible
            worst = float(np.sort(found.scores)[-wanted])
            error = float(np.sqrt(np.mean((found.scores - rough.scores[order]) ** 2)))
            if worst - _DOUBT * error > rough.scores[-1] or asked == most:
                return found
            asked = min(4 * asked, most)
        every = self._presence() if field.truths is None else field.truths
        return _compared(query, np.flatnonzero(every), stored=stored)

    def _best(self, query: NDArray[np.float32], *, limit: int, field: _Field) -> _Found:
        """The best by what is held, best first; of equal ones the lowest ids."""
        chosen = None if field.truths is None else Chosen(field.truths)

        def scan(segments: list[Segment]) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
            with alone():
                return [part.nearest(query, limit=limit, chosen=chosen) for part in segments]

        threads = min(self._threads, len(self._segments))
        shares = [self._segments[thread::threads] for thread in range(threads)]
        scanned = map(scan, shares) if threads == 1 else self._workers().map(scan, shares)
        parts = [part for share in scanned for part in share]
        ids, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(-scores, kind="stable")
        return _Found(*best_of(ids[order], scores[order], limit=limit))

    def _workers(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="scan")
        return self._pool


class _Pieces:
    """Takes bytes off the front."""

    def __init__(self, body: NDArray[np.uint8]) -> None:
        self._rest = body

    def next(self, size: int) -> NDArray[np.uint8]:
        if size > len(self._rest):
            raise ValueError("not a whole index of vectors")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _compared(
    query: NDArray[np.float32], ids: NDArray[np.int64], *, stored: VectorSource
) -> _Found:
    # Row by row: a matrix product rounds equal rows differently, by where they stand.
    return _Found(ids, np.einsum("nd,d->n", stored(ids), query))
