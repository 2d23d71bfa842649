"""Shards of an index, each scanned by one thread. The only file that imports FAISS.

A shard holds the codes of vectors under ids: all numbers in float16, or 4 bits each. For FAISS it
is an inverted file with a single list: the flat indexes that scan 4-bit codes can neither filter by
id nor store ids.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import faiss
import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
FaissIndex = Any  # the type hints of FAISS lack much of it

_LEVELS = 16
_STEP = 0.3352  # standard deviations: optimal for 16 equal steps (Max, 1960, table II)
_ROWS_IN_CACHE = 2048  # encoded at a time
_ROUNDING = 1e-5  # of a score, where FAISS compares it with a threshold in whole numbers
_GPU_BYTES = 4 << 30
_GPU_PAYS_FROM = 200_000  # rows; fewer are scanned in milliseconds on the CPU
_GPU_LIMIT = 2048  # results: the most that FAISS finds on a GPU


class Scores(NamedTuple):
    """Scored clips: `ids` (N,) int64 and their `scores` (N,) float32."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Float16:
    """A codec that keeps all numbers as float16, as the catalog stores them: lossless."""

    dim: int
    kind: ClassVar[type] = faiss.IndexIVFScalarQuantizer

    def encode(self, vectors: NDArray[np.float32]) -> Codes:
        """Codes (N, 2 D) uint8 of vectors (N, D)."""
        return vectors.astype("<f2").view(np.uint8)

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """Vectors (N, D) float32 of their codes."""
        return codes.view("<f2").astype(np.float32)

    def pack(self, ids: NDArray[np.int64], codes: Codes) -> FaissIndex:
        """The FAISS index of codes (N, bytes) under ids (N,)."""
        index = faiss.IndexIVFScalarQuantizer(
            _one_list(self.dim),
            self.dim,
            1,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # noqa: FBT003 - by_residual, by position in FAISS
        )
        return _filled(index, ids, faiss.swig_ptr(np.ascontiguousarray(codes)))

    def unpack(self, index: FaissIndex) -> Codes:
        """Codes (N, bytes) of a FAISS index, in the order of its ids."""
        return _listed_codes(index.invlists, size=2 * self.dim)


@dataclass(frozen=True, slots=True)
class ScalarQuantizer4:
    """A scalar quantiser of 4 bits a number: the nearest of 16 levels, fitted to each dimension.

    A vector of 512 numbers takes 256 bytes, and its scan a fifth of the time. The error of a cosine
    is about a tenth of the spread of one query's cosines, so the best clips have to be compared
    again with the exact vectors. FAISS scans these codes as a product quantiser with one number per
    sub-vector (André et al., "Quicker ADC", 2018).

    Attributes:
        centre: (D,) float32, the mean of each number.
        step: (D,) float32, the distance between neighbouring levels.
    """

    centre: NDArray[np.float32]
    step: NDArray[np.float32]
    kind: ClassVar[type] = faiss.IndexIVFPQFastScan

    def __post_init__(self) -> None:
        if self.centre.ndim != 1 or self.centre.shape != self.step.shape:
            raise ValueError(f"levels of shapes {self.centre.shape} and {self.step.shape}")

    @classmethod
    def fitted(cls, sample: NDArray[np.float32]) -> Self:
        """The quantiser for vectors (N, D) like these."""
        spread = sample.std(axis=0, dtype=np.float64).astype(np.float32)
        return cls(
            centre=sample.mean(axis=0, dtype=np.float64).astype(np.float32),
            step=_STEP * np.maximum(spread, np.float32(1e-6)),
        )

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return len(self.centre)

    def encode(self, vectors: NDArray[np.float32]) -> Codes:
        """Codes (N, ceil(D / 2)) uint8 of vectors (N, D); the low bits hold the first number."""
        codes = np.zeros((len(vectors), self.dim + self.dim % 2), np.uint8)
        scale = 1.0 / self.step
        offset = _LEVELS / 2 - self.centre * scale
        for begin in range(0, len(vectors), _ROWS_IN_CACHE):
            levels = vectors[begin : begin + _ROWS_IN_CACHE] * scale
            levels += offset
            np.clip(levels, 0.0, _LEVELS - 0.5, out=levels)
            codes[begin : begin + _ROWS_IN_CACHE, : self.dim] = levels.astype(np.uint8)
        codes[:, 1::2] <<= 4
        return codes[:, ::2] | codes[:, 1::2]

    def pack(self, ids: NDArray[np.int64], codes: Codes) -> FaissIndex:
        """The FAISS index of codes (N, bytes) under ids (N,)."""
        plain: FaissIndex = faiss.IndexPQ(self.dim, self.dim, 4, faiss.METRIC_INNER_PRODUCT)
        plain.is_trained = True
        plain.add_sa_codes(np.ascontiguousarray(codes))
        interleaved = faiss.IndexPQFastScan(plain)
        index = faiss.IndexIVFPQFastScan(
            _one_list(self.dim),
            self.dim,
            1,
            self.dim,
            4,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.by_residual = False
        levels = np.arange(_LEVELS, dtype=np.float32) - np.float32((_LEVELS - 1) / 2)
        centroids = self.centre[:, np.newaxis] + levels * self.step[:, np.newaxis]
        faiss.copy_array_to_vector(centroids.ravel(), index.pq.centroids)
        return _filled(index, ids, interleaved.codes.get())

    def unpack(self, index: FaissIndex) -> Codes:
        """Codes (N, bytes) of a FAISS index, in the order of its ids."""
        size = (self.dim + 1) // 2
        plain = faiss.ArrayInvertedLists(1, size)
        index.orig_invlists = plain
        index.reconstruct_orig_invlists()
        codes = _listed_codes(plain, size=size)
        index.orig_invlists = None
        return codes


Codec = Float16 | ScalarQuantizer4


class IdFilter:
    """A filter by id for FAISS, made from a `mask` (M,) bool that is indexed by id."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._bits = np.packbits(mask, bitorder="little")  # FAISS keeps a pointer only
        self.selector = faiss.IDSelectorBitmap(len(self._bits), faiss.swig_ptr(self._bits))


class Shard:
    """Codes of one codec under ids, in the form that FAISS scans."""

    def __init__(self, index: FaissIndex, *, body: NDArray[np.uint8] | None = None) -> None:
        self._index = index
        self._body = body  # FAISS may point into it

    @classmethod
    def of(cls, codec: Codec, *, ids: NDArray[np.int64], codes: Codes) -> Self:
        """A shard of codes (N, bytes) under ids (N,), at least one; it never changes.

        FAISS could add rows, but 1.15 overruns its memory when rows are added to a list of 4-bit
        codes whose length is a multiple of the bytes in a block (`BlockInvertedLists`).
        """
        return cls(codec.pack(np.ascontiguousarray(ids), codes))

    @classmethod
    def from_bytes(cls, body: NDArray[np.uint8], *, codec: Codec) -> Self:
        """A shard from the bytes (B,) of `to_bytes`; `body` may stay in use and must not change.

        Raises:
            ValueError: not a shard of this codec.
        """
        library: Any = faiss  # its type hints lack ZeroCopyIOReader
        try:
            if isinstance(codec, Float16):
                reader = library.ZeroCopyIOReader(faiss.swig_ptr(body), body.nbytes)
                index: FaissIndex = faiss.read_index(reader)
            else:  # FAISS makes a copy of these, so the body is not kept
                index = faiss.deserialize_index(body)
        except RuntimeError as error:
            raise ValueError("not a FAISS index") from error
        kind, size = type(index), (index.d, getattr(index, "nlist", 0))
        if kind is not codec.kind or size != (codec.dim, 1):
            raise ValueError(f"not a shard of {codec.dim}-dimensional vectors")
        return cls(index, body=body if isinstance(codec, Float16) else None)

    def to_bytes(self) -> memoryview:
        """The whole shard, for `from_bytes`."""
        return faiss.serialize_index(self._index).data

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Ids (N,), in the order of the rows."""
        lists = self._index.invlists
        found = faiss.rev_swig_ptr(lists.get_ids(0), lists.list_size(0))
        return np.array(found, dtype=np.int64)

    def codes(self, codec: Codec) -> Codes:
        """Codes (N, bytes), in the order of the ids."""
        return codec.unpack(self._index)

    def nearest(
        self, query: NDArray[np.float32], *, limit: int, id_filter: IdFilter | None
    ) -> Scores:
        """The `limit` best for a query (D,), best first; of equal ones the lowest ids."""
        asked = min(limit + 1, len(self))
        found, ids = self._index.search(query[np.newaxis], asked, params=_parameters(id_filter))
        scores: NDArray[np.float32] = found[0][ids[0] >= 0]  # FAISS fills up with -1
        first = Scores(ids[0][: len(scores)][:limit], scores[:limit])
        if len(scores) <= limit or scores[limit] < scores[limit - 1]:
            return first
        # Of equal scores at the edge, FAISS returns any.
        tied = self.at_least(query, float(scores[limit - 1]), id_filter)
        return best_of(tied, limit=limit) if len(tied.ids) > limit else first

    def at_least(
        self, query: NDArray[np.float32], threshold: float, id_filter: IdFilter | None
    ) -> Scores:
        """All that score `threshold` or more for a query (D,), in any order.

        FAISS may find nothing of quantised vectors where the threshold is about the lowest score
        that their codes can have.
        """
        _, scores, ids = self._index.range_search(
            query[np.newaxis], threshold - _ROUNDING, params=_parameters(id_filter)
        )
        enough = scores >= threshold
        return Scores(ids[enough], scores[enough])


def best_of(found: Scores, *, limit: int) -> Scores:
    """The `limit` best, best first; equal ones by id."""
    order = np.lexsort((found.ids, -found.scores))[:limit]
    return Scores(found.ids[order], found.scores[order])


class GpuCopy:
    """A copy of float16 shards on the first GPU, if there is one and the copy pays.

    It is made at the second query: a process with one query is done before CUDA has started.
    """

    def __init__(self) -> None:
        self._queries = 0
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._index: FaissIndex = None

    @staticmethod
    def has_room(rows: int, *, dim: int) -> bool:
        """Whether a GPU can hold this number of vectors in float16."""
        return faiss.get_num_gpus() > 0 and 2 * rows * dim <= _GPU_BYTES

    def is_ready(self, shards: Sequence[Shard], *, codec: Float16, limit: int) -> bool:
        """Whether the copy can answer with `limit` results; to be called once for each query."""
        self._queries += 1
        rows = sum(map(len, shards))
        if self._queries < 2 or rows < _GPU_PAYS_FROM or limit > _GPU_LIMIT:
            return False
        if not self.has_room(rows, dim=codec.dim):
            return False
        if self._index is None:
            self._copy(shards, codec=codec)
        return True

    def nearest(self, query: NDArray[np.float32], *, limit: int) -> Scores:
        """The `limit` best for a query (D,), best first, with approximate scores."""
        index: FaissIndex = self._index
        scores, rows = index.search(query[np.newaxis], limit)
        return Scores(self._ids[rows[0]], scores[0])

    def _copy(self, shards: Sequence[Shard], *, codec: Float16) -> None:
        settings = faiss.GpuIndexFlatConfig()
        settings.useFloat16 = True
        index = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), codec.dim, settings)
        for shard in shards:
            index.add(codec.decode(shard.codes(codec)))
        self._ids = np.concatenate([shard.ids for shard in shards])
        self._index = index


@contextmanager
def single_threaded() -> Iterator[None]:
    """Limit FAISS to one OpenMP thread for what this thread calls."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _parameters(id_filter: IdFilter | None) -> Any:
    parameters = faiss.IVFSearchParameters()
    if id_filter is not None:
        parameters.sel = id_filter.selector
    return parameters


def _one_list(dim: int) -> faiss.IndexFlatIP:
    quantizer = faiss.IndexFlatIP(dim)
    quantizer.add(np.zeros((1, dim), np.float32))
    return quantizer


def _filled(index: FaissIndex, ids: NDArray[np.int64], codes: Any) -> FaissIndex:
    index.is_trained = True
    index.invlists.add_entries(0, len(ids), faiss.swig_ptr(ids), codes)
    index.ntotal = len(ids)
    return index


def _listed_codes(lists: Any, *, size: int) -> Codes:
    rows = lists.list_size(0)
    return np.array(faiss.rev_swig_ptr(lists.get_codes(0), rows * size)).reshape(rows, size)
