"""Stretches of an index that are scanned by one thread each. The only file that knows FAISS.

A segment holds rows under ids, whole (`Halves`) or in short (`Nibbles`). FAISS takes it for an
inverted file with a single list, because of its flat indexes those that scan 4-bit codes can
neither choose among ids nor keep them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import faiss
import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
FaissIndex = Any  # the types that come with FAISS know less than it does

_LEVELS = 16
_STEP = 0.3352  # standard deviations: the best for 16 equal steps (Max, 1960, table II)
_ROWS_IN_CACHE = 2048  # encoded at a time
_PAST_THE_EDGE = 64  # rows
_GPU_BYTES = 4 << 30
_GPU_PAYS_FROM = 200_000  # rows: fewer are scanned in milliseconds anyway
_GPU_LIMIT = 2048  # the most answers that FAISS finds there


@dataclass(frozen=True, slots=True)
class Halves:
    """All numbers as float16, which is what the catalog stores: nothing is lost."""

    dimension: int
    kind: ClassVar[type] = faiss.IndexIVFScalarQuantizer

    def encode(self, vectors: NDArray[np.float32]) -> Codes:
        """(N, 2 D) bytes of (N, D) vectors."""
        return vectors.astype("<f2").view(np.uint8)

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """The (N, D) vectors again."""
        return codes.view("<f2").astype(np.float32)

    def pack(self, ids: NDArray[np.int64], codes: Codes) -> FaissIndex:
        """What FAISS scans."""
        index = faiss.IndexIVFScalarQuantizer(
            _one_list(self.dimension),
            self.dimension,
            1,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # noqa: FBT003 - by_residual, by position in FAISS
        )
        return _filled(index, ids, faiss.swig_ptr(np.ascontiguousarray(codes)))

    def unpack(self, index: FaissIndex) -> Codes:
        """The codes (N, B) that were packed, in the order of the ids."""
        return _listed_codes(index.invlists, size=2 * self.dimension)


@dataclass(frozen=True, slots=True)
class Nibbles:
    """Four bits a number: the nearest of 16 levels, spread over what that dimension holds.

    A row of 512 numbers takes 256 bytes, and its scan a fifth of the time. A cosine with it is off
    by about a tenth of what cosines of one query spread, so the best of it have to be looked at
    again. FAISS scans such codes by product quantisation with one number a part (André et al.,
    "Quicker ADC", 2018).
    """

    centre: NDArray[np.float32]  # (D,)
    step: NDArray[np.float32]  # (D,) between neighbouring levels
    kind: ClassVar[type] = faiss.IndexIVFPQFastScan

    @classmethod
    def fitted(cls, sample: NDArray[np.float32]) -> Self:
        """Levels that suit vectors (N, D) like these."""
        spread = sample.std(axis=0, dtype=np.float64).astype(np.float32)
        return cls(
            centre=sample.mean(axis=0, dtype=np.float64).astype(np.float32),
            step=_STEP * np.maximum(spread, np.float32(1e-6)),
        )

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return len(self.centre)

    def encode(self, vectors: NDArray[np.float32]) -> Codes:
        """(N, ceil(D / 2)) bytes of (N, D) vectors, the first of two numbers in the low bits."""
        codes = np.zeros((len(vectors), self.dimension + self.dimension % 2), np.uint8)
        scale = 1.0 / self.step
        offset = _LEVELS / 2 - self.centre * scale
        for begin in range(0, len(vectors), _ROWS_IN_CACHE):
            levels = vectors[begin : begin + _ROWS_IN_CACHE] * scale
            levels += offset
            np.clip(levels, 0.0, _LEVELS - 0.5, out=levels)
            codes[begin : begin + _ROWS_IN_CACHE, : self.dimension] = levels.astype(np.uint8)
        codes[:, 1::2] <<= 4
        return codes[:, ::2] | codes[:, 1::2]

    def pack(self, ids: NDArray[np.int64], codes: Codes) -> FaissIndex:
        """What FAISS scans."""
        plain: FaissIndex = faiss.IndexPQ(
            self.dimension, self.dimension, 4, faiss.METRIC_INNER_PRODUCT
        )
        plain.is_trained = True
        plain.add_sa_codes(np.ascontiguousarray(codes))
        interleaved = faiss.IndexPQFastScan(plain)
        index = faiss.IndexIVFPQFastScan(
            _one_list(self.dimension),
            self.dimension,
            1,
            self.dimension,
            4,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.by_residual = False
        levels = np.arange(_LEVELS, dtype=np.float32) - np.float32((_LEVELS - 1) / 2)
        centroids = self.centre[:, np.newaxis] + levels * self.step[:, np.newaxis]
        faiss.copy_array_to_vector(centroids.ravel(), index.pq.centroids)
        return _filled(index, ids, interleaved.codes.get())

    def unpack(self, index: FaissIndex) -> Codes:
        """The codes (N, B) that were packed, in the order of the ids."""
        size = (self.dimension + 1) // 2
        plain = faiss.ArrayInvertedLists(1, size)
        index.orig_invlists = plain
        index.reconstruct_orig_invlists()
        codes = _listed_codes(plain, size=size)
        index.orig_invlists = None
        return codes


Form = Halves | Nibbles


class Chosen:
    """A set of ids, given as truths (M,) by id."""

    def __init__(self, truths: NDArray[np.bool_]) -> None:
        self._bits = np.packbits(truths, bitorder="little")  # FAISS only points to them
        self.selector = faiss.IDSelectorBitmap(len(self._bits), faiss.swig_ptr(self._bits))


class Segment:
    """Rows of one form under ids, as FAISS scans them."""

    def __init__(self, index: FaissIndex, *, body: NDArray[np.uint8] | None = None) -> None:
        self._index = index
        self._body = body  # FAISS may point into it

    @classmethod
    def of(cls, form: Form, *, ids: NDArray[np.int64], codes: Codes) -> Self:
        """A segment of at least one row, of which none comes or goes any more.

        FAISS could do that, but 1.15 overruns its memory when rows are added to a list of 4-bit
        codes whose length is a multiple of the bytes in a block (`BlockInvertedLists`).
        """
        return cls(form.pack(np.ascontiguousarray(ids), codes))

    @classmethod
    def from_bytes(cls, body: NDArray[np.uint8], *, form: Form) -> Self:
        """What `to_bytes` wrote; `body` may stay in use, and must not change any more.

        Raises:
            ValueError: no segment of this form.
        """
        library: Any = faiss  # its types know no ZeroCopyIOReader
        try:
            if isinstance(form, Halves):
                reader = library.ZeroCopyIOReader(faiss.swig_ptr(body), body.nbytes)
                index: FaissIndex = faiss.read_index(reader)
            else:  # here FAISS cannot do without a copy, and need not keep the body
                index = faiss.deserialize_index(body)
        except RuntimeError as error:
            raise ValueError("not a FAISS index") from error
        kind, size = type(index), (index.d, getattr(index, "nlist", 0))
        if kind is not form.kind or size != (form.dimension, 1):
            raise ValueError(f"not a segment of {form.dimension}-dimensional vectors")
        return cls(index, body=body if isinstance(form, Halves) else None)

    def to_bytes(self) -> memoryview:
        """The whole segment, for `from_bytes`."""
        return faiss.serialize_index(self._index).data

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> NDArray[np.int64]:
        """The ids (N,), in the order of the rows."""
        lists = self._index.invlists
        found = faiss.rev_swig_ptr(lists.get_ids(0), lists.list_size(0))
        return np.array(found, dtype=np.int64)

    def codes(self, form: Form) -> Codes:
        """The codes (N, B), in the order of the ids."""
        return form.unpack(self._index)

    def nearest(
        self, query: NDArray[np.float32], *, limit: int, chosen: Chosen | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and cosines of the best for (D,), best first; of equal ones the lowest ids.

        Where `chosen` is given, only these compete.
        """
        parameters = faiss.IVFSearchParameters()
        if chosen is not None:
            parameters.sel = chosen.selector
        asked, more = limit, _PAST_THE_EDGE
        while True:
            # Which of several equal rows stand at the edge is FAISS's accident: look past them.
            asked, more = min(asked + more, len(self)), 4 * more
            found, ids = self._index.search(query[np.newaxis], asked, params=parameters)
            scores: NDArray[np.float32] = found[0][ids[0] >= 0]  # FAISS fills up with -1
            if asked == len(self) or len(scores) < asked or scores[-1] < scores[limit - 1]:
                break
        return best_of(ids[0][: len(scores)], scores, limit=limit)


def best_of(
    ids: NDArray[np.int64], scores: NDArray[np.float32], *, limit: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The first of what is in order of scores; of those that equal the last, the lowest ids."""
    if len(scores) <= limit or scores[limit] < scores[limit - 1]:
        return ids[:limit], scores[:limit]
    above, end = (np.searchsorted(-scores, -scores[limit - 1], side) for side in ("left", "right"))
    tied = np.sort(ids[above:end])[: limit - above]
    return np.concatenate([ids[:above], tied]), scores[:limit]


class SegmentsOnGpu:
    """A copy of whole segments on the first GPU, if there is one and it pays.

    It is made at the second query: a process that asks once is done before CUDA has started.
    """

    def __init__(self) -> None:
        self._queries = 0
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._index: FaissIndex = None

    @staticmethod
    def has_room(rows: int, *, dimension: int) -> bool:
        """Whether a GPU would take so many vectors whole."""
        return faiss.get_num_gpus() > 0 and 2 * rows * dimension <= _GPU_BYTES

    def is_ready(self, segments: Sequence[Segment], *, form: Halves, limit: int) -> bool:
        """Whether the copy is there and finds so many, as each query asks; the second makes it."""
        self._queries += 1
        rows = sum(map(len, segments))
        if self._queries < 2 or rows < _GPU_PAYS_FROM or limit > _GPU_LIMIT:
            return False
        if not self.has_room(rows, dimension=form.dimension):
            return False
        if self._index is None:
            self._copy(segments, form=form)
        return True

    def nearest(
        self, query: NDArray[np.float32], *, limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and cosines, the latter roughly, of the best for (D,), best first; once it is ready.

        No more than 2048 of them.
        """
        index: FaissIndex = self._index
        scores, rows = index.search(query[np.newaxis], min(limit, _GPU_LIMIT))
        return self._ids[rows[0]], scores[0]

    def _copy(self, segments: Sequence[Segment], *, form: Halves) -> None:
        settings = faiss.GpuIndexFlatConfig()
        settings.useFloat16 = True
        index = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), form.dimension, settings)
        for segment in segments:
            index.add(form.decode(segment.codes(form)))
        self._ids = np.concatenate([segment.ids for segment in segments])
        self._index = index


@contextmanager
def alone() -> Iterator[None]:
    """Let FAISS start no threads of its own for what this thread asks."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _one_list(dimension: int) -> faiss.IndexFlatIP:
    quantizer = faiss.IndexFlatIP(dimension)
    quantizer.add(np.zeros((1, dimension), np.float32))
    return quantizer


def _filled(index: FaissIndex, ids: NDArray[np.int64], codes: Any) -> FaissIndex:
    index.is_trained = True
    index.invlists.add_entries(0, len(ids), faiss.swig_ptr(ids), codes)
    index.ntotal = len(ids)
    return index


def _listed_codes(lists: Any, *, size: int) -> Codes:
    rows = lists.list_size(0)
    return np.array(faiss.rev_swig_ptr(lists.get_codes(0), rows * size)).reshape(rows, size)
