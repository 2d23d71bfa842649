"""Searches, and the status of the catalog: what commands and the page ask for.

Imports nothing that only indexing needs: a search takes less time than those imports.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Self, TypeVar

from catalog import Catalog, CatalogGoneError, ProvenanceMismatchError
from search import NothingIndexedError, Searcher, SearchResult, SearchSettings
from vsearch.services.models import known_digests, model_to_load, open_catalog, with_flags
from vsearch.services.sentences.bank import bank_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from catalog import CatalogStatus, ClipMatch, Provenance
    from search import Asked, Bank, EmbedTexts
    from vsearch.services.answers.likeness import Likenesses
    from vsearch.services.sentences.prompts import PromptedEmbedder, Prompts
    from vsearch.settings import Settings
    from xclip_core import TextEmbedder

log = logging.getLogger("vsearch")

Result = TypeVar("Result")


def search(asked: Asked, *, settings: Settings, with_curves: bool = False) -> SearchResult:
    """The answer to a question, and, if asked for, the curves of the videos of its moments."""
    with open_searcher(settings) as searcher:
        return searcher.answer(asked, with_curves=with_curves)


@contextmanager
def open_searcher(settings: Settings) -> Iterator[Searcher]:
    """Open the catalog, with a searcher over it, for as long as the block lasts.

    The model is loaded for the first sentence or by `Searcher.warm_up`. NothingIndexedError is
    raised before that, and ProvenanceMismatchError for another model: before, if it has another
    name, else after.
    """
    with open_catalog(settings) as catalog, _advice_for(settings):
        yield searcher_of(catalog, settings)


@contextmanager
def _advice_for(settings: Settings) -> Iterator[None]:
    try:
        yield
    except NothingIndexedError as error:
        raise NothingIndexedError(with_flags(str(error), settings=settings)) from error


class WarmSearch:
    """Answers to many questions, from a catalog and a model that stay open until the block ends.

    What other processes index is found. A catalog that was replaced by another is opened again.
    Safe to use from several threads.

    Attributes:
        settings: those of the catalog and the model.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opening = Lock()
        self._catalog: Catalog | None = None
        self._searcher: Searcher | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """The folder of the catalog's view and of what else is kept beside it."""
        return self.read(lambda catalog: catalog.folder)

    def warm_up(self, *, index: bool) -> None:
        """Load the model, and with `index` the vectors of the catalog.

        Raises one of `user_errors()`: no catalog, nothing indexed, no model, another model.
        """
        with _advice_for(self.settings):
            _, searcher = self._opened()
            searcher.warm_up()
            if index:  # the first question of a process may do without the index
                for _ in range(2):
                    searcher.search("anything", limit=1)

    def answer(self, asked: Asked, *, with_curves: bool = False) -> SearchResult:
        """The answer to a question; see `search`."""
        with _advice_for(self.settings):
            catalog, searcher = self._opened()
            try:
                return searcher.answer(asked, with_curves=with_curves)
            except (CatalogGoneError, ProvenanceMismatchError):
                self._close(catalog)
                return self._opened()[1].answer(asked, with_curves=with_curves)

    def version(self) -> tuple[str, int]:
        """The version of the catalog: as long as it is the same, so are all answers."""
        return self.read(lambda catalog: catalog.version)

    def status(self) -> CatalogStatus:
        """The contents of the catalog, counted."""
        return self.read(Catalog.status)

    def close(self) -> None:
        """Close the catalog; the next question opens it again."""
        self._close(self._catalog)

    def read(self, read: Callable[[Catalog], Result]) -> Result:
        """What `read` returns of the open catalog."""
        catalog, _ = self._opened()
        try:
            return read(catalog)
        except CatalogGoneError:
            self._close(catalog)
            return read(self._opened()[0])

    def _opened(self) -> tuple[Catalog, Searcher]:
        with self._opening:
            if self._catalog is None or self._searcher is None:
                self._catalog = open_catalog(self.settings)
                self._searcher = searcher_of(self._catalog, self.settings)
            return self._catalog, self._searcher

    def _close(self, catalog: Catalog | None) -> None:
        """Close a catalog, unless another thread has done so, and has opened the next one."""
        with self._opening:
            if catalog is None or catalog is not self._catalog:
                return
            self._catalog = self._searcher = None
        catalog.close()


def searcher_of(catalog: Catalog, settings: Settings) -> Searcher:
    """A searcher over an open catalog; see `open_searcher`."""
    return searchers_of(catalog, settings, named={"default": SearchSettings()})["default"]


def searchers_of(
    catalog: Catalog, settings: Settings, *, named: Mapping[str, SearchSettings]
) -> dict[str, Searcher]:
    """A searcher for each choice of parts, by name; all share one model."""
    load = cache(partial(load_text_embedder, settings=settings))
    bank = partial(bank_of, settings=settings)
    prompts = cache(partial(_prompts, catalog, settings=settings))

    @cache
    def load_prompted(made_by: Provenance) -> PromptedEmbedder:
        return prompts().prompted_embedder(made_by)

    def prompted_bank(made_by: Provenance, embed: EmbedTexts) -> Bank:
        return bank(load_prompted(made_by).made(made_by), embed)

    @cache
    def likenesses() -> Likenesses:
        from vsearch.services.answers.likeness import Likenesses  # most questions do without

        return Likenesses(catalog, settings=settings)

    def prompt_for(
        sentences: Sequence[str], clips: Sequence[ClipMatch]
    ) -> Mapping[int, NDArray[np.float32]]:
        return prompts().prompt_for(sentences, clips)

    return {
        name: Searcher(
            catalog=catalog,
            load_embedder=load_prompted if parts.prompts else load,
            settings=parts,
            bank=prompted_bank if parts.prompts else bank,
            prompt_for=prompt_for,
            likeness_of=lambda example, made_by: likenesses().of(example, made_by),
        )
        for name, parts in named.items()
    }


def _prompts(catalog: Catalog, *, settings: Settings) -> Prompts:
    from vsearch.services.sentences.prompts import Prompts  # imports what only indexing needs

    return Prompts(catalog, settings=settings)


def status(settings: Settings) -> CatalogStatus:
    """The contents of the catalog, counted."""
    with open_catalog(settings) as catalog:
        return catalog.status()


def load_text_embedder(made_by: Provenance, *, settings: Settings) -> TextEmbedder:
    """Load the text side of the model that made a catalog."""
    model = model_to_load(settings, made_by=made_by)
    from xclip_core import TextEmbedder

    embedder = TextEmbedder.load(model, cache=known_digests(settings), on_message=log.info)
    log.debug("the text encoder of %s", embedder.identity.model)
    return embedder
