"""Nearest vectors by cosine, exactly. The only file that knows FAISS.

Exact search over float16 takes about 15 ms per 100,000 clips of 512 numbers on one thread, and
has no recall to tune or explain.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import faiss
import numpy as np
from numpy.typing import NDArray

_QUERY_THREADS = 1  # FAISS spins beside other work: one thread is faster than four


class VectorIndex:
    """Vectors under ids. Not safe against writing and reading at once: the owner locks."""

    def __init__(self, *, dimension: int) -> None:
        codes = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self._index = faiss.IndexIDMap2(codes)
        self._body: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self._index.d)

    @property
    def ids(self) -> NDArray[np.int64]:
        """All ids (N,), in the order of their addition."""
        return np.array(faiss.vector_to_array(self._index.id_map), dtype=np.int64)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Take in (N, D) vectors under N new ids.

        Raises:
            ValueError: an id is there already (FAISS would hold it twice without a word).
        """
        if len(np.unique(ids)) != len(ids) or np.isin(ids, self.ids).any():
            raise ValueError("an id can be in the index only once")
        if len(ids):
            self._index.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), ids)

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget these ids; those that are not there are passed over."""
        if len(ids):
            self._index.remove_ids(faiss.IDSelectorBatch(np.ascontiguousarray(ids)))

    def nearest(
        self, query: NDArray[np.float32], *, limit: int, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ids and cosines of the `limit` best, best first, equal ones by id.

        Args:
            query: (D,) of unit length.
            limit: how many at most.
            among: only these ids compete, if given; they are chosen before the search.
        """
        eligible = len(self) if among is None else int(np.isin(self.ids, among).sum())
        wanted = min(limit, eligible)
        if wanted == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        asked = wanted
        while True:
            # Which of several equal clips stand at the edge is FAISS's accident: look past them.
            asked = min(2 * asked, eligible)
            ids, scores = self._search(query, limit=asked, among=among)
            if asked == eligible or scores[-1] < scores[wanted - 1]:
                break
        order = np.lexsort((ids, -scores))[:wanted]
        return ids[order], np.clip(scores[order], -1.0, 1.0)

    def to_bytes(self) -> memoryview:
        """The whole index, for `from_bytes`."""
        return faiss.serialize_index(self._index).data

    @classmethod
    def from_bytes(cls, body: bytes | memoryview, *, dimension: int) -> "VectorIndex":
        """The index that `to_bytes` wrote. FAISS has no checksum: check the digest before.

        Raises:
            ValueError: not an index of this kind and dimension.
        """
        try:
            found = faiss.deserialize_index(np.frombuffer(body, dtype=np.uint8))
        except RuntimeError as error:
            raise ValueError("not a FAISS index") from error
        return cls._of_our_kind(found, dimension=dimension)

    @classmethod
    def over(cls, body: NDArray[np.uint8], *, dimension: int) -> "VectorIndex":
        """Like `from_bytes`, but leaving the vectors where `body` has them; only to be read.

        Raises:
            ValueError: not an index of this kind and dimension.
        """
        size = body.nbytes
        reader = faiss.ZeroCopyIOReader(faiss.swig_ptr(body), size)  # type: ignore[attr-defined]
        try:
            found = faiss.read_index(reader)
        except RuntimeError as error:
            raise ValueError("not a FAISS index") from error
        index = cls._of_our_kind(found, dimension=dimension)
        index._body = body  # FAISS points into it
        return index

    def stored(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors (N, D) under N ids that are all there."""
        found: NDArray[np.float32] = self._index.reconstruct_batch(ids)
        return found

    @classmethod
    def _of_our_kind(cls, found: object, *, dimension: int) -> "VectorIndex":
        if not isinstance(found, faiss.IndexIDMap2) or found.d != dimension:
            raise ValueError(f"not an index of {dimension}-dimensional vectors under ids")
        index = cls(dimension=dimension)
        index._index = found
        return index

    def _search(
        self, query: NDArray[np.float32], *, limit: int, among: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        parameters = faiss.SearchParameters()
        if among is not None:
            parameters.sel = faiss.IDSelectorBatch(np.ascontiguousarray(among))
        with _few_threads():
            scores, ids = self._index.search(
                np.ascontiguousarray(query[np.newaxis], dtype=np.float32), limit, params=parameters
            )
        return ids[0], scores[0]


@contextmanager
def _few_threads() -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(_QUERY_THREADS)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
