"""A sentence in, ranked moments out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog import Catalog, Provenance, mismatch, path_matcher
from machine.presence import is_there
from search.errors import (
    EmptyQueryError,
    InvalidLimitError,
    NothingIndexedError,
)
from search.ranking import CLIPS_COMPARED, Moment, best_moments
from search.records import Hit, SearchResult
from search.wording import notes_on
from xclip_core import ModelIdentity

_CLIPS_PER_MOMENT = 16
_POOL_GROWTH = 4


class QueryEmbedder(Protocol):
    """What a search needs of a model."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model it is."""

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (K, D) for K texts."""

    def letters_read(self, text: str) -> int | None:
        """How many letters of a text that is too long count; None where all do."""


class Searcher:
    """Asks one catalog through one model. Safe to use from several threads.

    Args:
        catalog: what is asked.
        load_embedder: loads the model for vectors of this provenance; called once, at first use.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        load_embedder: Callable[[Provenance], QueryEmbedder],
    ) -> None:
        self._catalog = catalog
        self._load_embedder = load_embedder
        self._loading = Lock()
        self._embedder: QueryEmbedder | None = None

    def warm_up(self) -> None:
        """Load the model now, and see that it is the one that made the catalog.

        Raises:
            NothingIndexedError, ProvenanceMismatchError, and what `load_embedder` raises.
        """
        self._embedder_of(_require_provenance(self._catalog))

    def search(self, text: str, *, limit: int = 10, within: str | None = None) -> SearchResult:
        """The best moments for a sentence.

        Args:
            text: what to look for.
            limit: how many moments at most.
            within: a glob on the path (see `catalog.path_matcher`); nothing else competes.

        Raises:
            EmptyQueryError, InvalidLimitError, NothingIndexedError, ProvenanceMismatchError.
            InvalidGlobError: no path can fit `within`.
            CatalogError: the catalog cannot be read.
            What `load_embedder` raises.
        """
        started = perf_counter()
        sentence = _require_question(text, limit=limit)
        provenance = _require_provenance(self._catalog)
        embedder = self._embedder_of(provenance)
        vector: NDArray[np.float32] = embedder.embed_texts([sentence])[0]
        moments = self._best_moments(vector, limit=limit, within=within)
        wanted = path_matcher(within or "*")
        return SearchResult(
            query=text,
            model=provenance.model,
            took_ms=(perf_counter() - started) * 1000.0,
            hits=tuple(
                _hit(moment, rank=rank, wanted=wanted)
                for rank, moment in enumerate(moments, start=1)
            ),
            notes=notes_on(sentence, read=embedder.letters_read(sentence)),
        )

    def _embedder_of(self, made_by: Provenance) -> QueryEmbedder:
        with self._loading:
            self._embedder = self._embedder or self._load_embedder(made_by)
        asked = self._embedder.identity
        if made_by.model_digest != asked.model_digest:
            named = f"{asked.model} (digest {asked.model_digest[:12]})"
            raise mismatch(self._catalog.folder, made_by=made_by, asked=named)
        return self._embedder

    def _best_moments(
        self, vector: NDArray[np.float32], *, limit: int, within: str | None
    ) -> Sequence[Moment]:
        size = max(CLIPS_COMPARED, _CLIPS_PER_MOMENT * limit)
        while True:
            with self._catalog.nearest_clips(vector, limit=size, path_glob=within) as clips:
                moments = best_moments(clips, limit=limit)
                if len(moments) >= limit or len(clips) < size:
                    break
            size *= _POOL_GROWTH  # a long film that fits everywhere has filled the pool
        if not moments and not self._catalog.nearest(vector, limit=1):
            raise _nothing_indexed(self._catalog)
        return moments


def _require_provenance(catalog: Catalog) -> Provenance:
    provenance = catalog.provenance
    if provenance is None:
        raise _nothing_indexed(catalog)
    return provenance


def _nothing_indexed(catalog: Catalog) -> NothingIndexedError:
    return NothingIndexedError(
        f"the catalog in {catalog.folder} holds no videos yet; add some with `vsearch index PATH`"
    )


def _require_question(text: str, *, limit: int) -> str:
    sentence = text.strip()
    if not sentence:
        raise EmptyQueryError("the query is empty; describe in words what to look for")
    if limit < 1:
        raise InvalidLimitError(f"the limit is {limit}; ask for at least 1 moment")
    return sentence


def _hit(moment: Moment, *, rank: int, wanted: Callable[[Path], bool]) -> Hit:
    best = moment.best
    path, *others = _present_first((best.path, *best.other_paths), wanted=wanted)
    return Hit(
        rank=rank,
        score=best.score,
        path=path,
        start=moment.start,
        end=moment.end,
        peak=(best.start + best.end) / 2,
        duration=best.duration,
        clip_id=best.clip_id,
        other_paths=tuple(others),
    )


def _present_first(places: Sequence[Path], *, wanted: Callable[[Path], bool]) -> Sequence[Path]:
    """The places of one content, from one on that is there now and was asked for, if any is.

    The catalog knows files on disks that are not mounted; of copies the one that plays is shown.
    """
    if len(places) == 1:
        return places  # there is nothing to choose, so the disk is not asked
    shown = next((place for place in places if wanted(place) and is_there(place)), places[0])
    return (shown, *(place for place in places if place != shown))
