"""Questions: a sentence to the catalog, through the text side of the model that made it.

Apart from `vsearch.wiring` because a question is answered in less time than it takes to import what
indexing needs. The page takes its parts from here, too.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from search import (
    NothingIndexedError,
    Searcher,
    SearchResult,
    SentenceMemory,
    require_provenance,
)
from vsearch.opening import (
    known_digests,
    known_sentences,
    model_to_load,
    open_catalog,
    with_flags,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catalog import CatalogStatus
    from vsearch.settings import Settings
    from xclip_core.text_embedder import TextEmbedder

log = logging.getLogger("vsearch")


def search(
    text: str,
    *,
    settings: Settings,
    limit: int,
    within: str | None = None,
) -> SearchResult:
    """The moments of the catalog that are nearest to a sentence, by the model that made it."""
    with open_searcher(settings) as searcher:
        return searcher.search(text, limit=limit, within=within)


@contextmanager
def open_searcher(settings: Settings) -> Iterator[Searcher]:
    """A searcher over the catalog, for as long as the block lasts.

    The model is loaded for the first sentence that was never asked before; one that is named
    otherwise than the catalog's is loaded here, as only a look at it can tell whether it is the
    same.

    Raises NothingIndexedError before any model is loaded, ModelConflictError and OtherModelError
    for a model that did not make the catalog.
    """
    with open_catalog(settings) as catalog:
        try:
            made_by = require_provenance(catalog)
        except NothingIndexedError as error:
            raise NothingIndexedError(with_flags(str(error), settings=settings)) from error
        model = model_to_load(settings, made_by=made_by)
        searcher = Searcher(
            catalog=catalog,
            load_embedder=partial(_load_embedder, model, settings=settings),
            memory=SentenceMemory(known_sentences(settings)),
        )
        if settings.model not in (None, made_by.model):
            searcher.warm_up()
        yield searcher


def status(settings: Settings) -> CatalogStatus:
    """What is in the catalog."""
    with open_catalog(settings) as catalog:
        return catalog.status()


def _load_embedder(model: str, *, settings: Settings) -> TextEmbedder:
    from xclip_core.text_embedder import TextEmbedder

    embedder = TextEmbedder.load(model, memo=known_digests(settings), on_message=log.info)
    log.debug("the text encoder of %s", embedder.identity.model)
    return embedder
