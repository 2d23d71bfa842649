"""Search: a sentence in, ranked moments out."""

from collections.abc import Callable, Sequence
from threading import Lock
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import Catalog, Provenance, mismatch
from search.copies import present_copy
from search.errors import (
    EmptyQueryError,
    InvalidLimitError,
    NothingIndexedError,
)
from search.ranking import CLIPS_COMPARED, Moment, merge_into_moments
from search.records import Hit, SearchResult
from search.settings import SearchSettings
from search.wording import notes_on
from xclip_core import ModelIdentity

_CLIPS_PER_MOMENT = 16
_POOL_GROWTH = 4


class QueryEmbedder(Protocol):
    """The text side of a model, as a search uses it."""

    @property
    def identity(self) -> ModelIdentity:
        """The model's identity."""

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (K, D) float32 of K texts."""

    def letters_read(self, text: str) -> int | None:
        """The number of letters that the model reads of a text; None if it reads all."""


class Searcher:
    """A search over one catalog by one model. Safe to use from several threads.

    Args:
        catalog: the catalog to search.
        load_embedder: loads the model for vectors of this provenance; called once, at first use.
        settings: the parts of a search that are on.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        load_embedder: Callable[[Provenance], QueryEmbedder],
        settings: SearchSettings | None = None,
    ) -> None:
        self._catalog = catalog
        self._settings = settings or SearchSettings()
        self._load_embedder = load_embedder
        self._loading = Lock()
        self._embedder: QueryEmbedder | None = None

    def warm_up(self) -> None:
        """Load the model now, and check that it is the catalog's.

        Raises:
            NothingIndexedError, ProvenanceMismatchError, and what `load_embedder` raises.
        """
        self._embedder_of(self._require_provenance())

    def search(self, text: str, *, limit: int = 10, path_glob: str | None = None) -> SearchResult:
        """The best moments for a sentence.

        Args:
            text: a sentence.
            limit: maximum number of moments.
            path_glob: a glob on the path (see `catalog.path_matcher`); only such files compete.

        Raises:
            EmptyQueryError, InvalidLimitError, NothingIndexedError, ProvenanceMismatchError.
            InvalidGlobError: no path can match `path_glob`.
            CatalogError: the catalog cannot be read.
            What `load_embedder` raises.
        """
        started = perf_counter()
        sentence = _require_question(text, limit=limit)
        made_by = self._require_provenance()
        embedder = self._embedder_of(made_by)
        vector: NDArray[np.float32] = embedder.embed_texts([sentence])[0]
        moments = self._best_moments(vector, limit=limit, path_glob=path_glob)
        return SearchResult(
            query=text,
            model=made_by.model,
            took_ms=(perf_counter() - started) * 1000.0,
            hits=tuple(_hit(moment, rank=rank) for rank, moment in enumerate(moments, start=1)),
            notes=notes_on(sentence, read=embedder.letters_read(sentence)),
        )

    def _require_provenance(self) -> Provenance:
        made_by = self._catalog.provenance
        if made_by is None:
            raise self._nothing_indexed()
        return made_by

    def _embedder_of(self, made_by: Provenance) -> QueryEmbedder:
        with self._loading:
            self._embedder = self._embedder or self._load_embedder(made_by)
        asked = self._embedder.identity
        if made_by.model_digest != asked.model_digest:
            named = f"{asked.model} (digest {asked.model_digest[:12]})"
            raise mismatch(self._catalog.folder, made_by=made_by, asked=named)
        return self._embedder

    def _best_moments(
        self, vector: NDArray[np.float32], *, limit: int, path_glob: str | None
    ) -> tuple[Moment, ...]:
        """The best moments for a vector (D,); the number of clips grows until it makes enough."""
        size = max(CLIPS_COMPARED, _CLIPS_PER_MOMENT * limit)
        while True:
            clips = self._catalog.nearest_clips(vector, limit=size, path_glob=path_glob)
            moments = merge_into_moments(clips)[:limit]
            if len(moments) == limit or len(clips) < size:
                break
            size *= _POOL_GROWTH  # many clips of one long video make few moments
        if not moments and not self._catalog.has_videos:
            raise self._nothing_indexed()
        return moments

    def _nothing_indexed(self) -> NothingIndexedError:
        return NothingIndexedError(
            f"the catalog in {self._catalog.folder} holds no videos yet; add some with"
            " `vsearch index PATH`"
        )


def _require_question(text: str, *, limit: int) -> str:
    sentence = text.strip()
    if not sentence:
        raise EmptyQueryError("the query is empty; describe in words what to look for")
    if limit < 1:
        raise InvalidLimitError(f"the limit is {limit}; ask for at least 1 moment")
    return sentence


def _hit(moment: Moment, *, rank: int) -> Hit:
    best = moment.best
    copies = (*best.paths, *best.other_paths)
    # Without a copy there is nothing to choose, so the disk is not accessed.
    shown = (present_copy(best.paths) if len(copies) > 1 else None) or copies[0]
    return Hit(
        rank=rank,
        score=best.score,
        path=shown,
        start=moment.start,
        end=moment.end,
        peak=(best.start + best.end) / 2,
        duration=best.duration,
        clip_id=best.clip_id,
        other_paths=tuple(path for path in copies if path != shown),
    )
