"""The bank of sentences for a model, with its vectors cached on this machine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

import search
from catalog import CatalogError
from search import Bank, everyday_sentences
from vsearch.services.file_cache import FileCache
from vsearch.services.models import known_digests, model_to_load
from xclip_core import DEMO_MODEL, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from catalog import Catalog, Provenance
    from search import EmbedTexts
    from vsearch.settings import Settings

log = logging.getLogger("vsearch")

_MOST_BANKS = 10
# The editions of the sentences; increase one when its sentences change. So a question whose
# background is kept reads none of them.
EVERYDAY, TOYS = "everyday 1", "toys 1"


def bank_of(made_by: Provenance, embed: EmbedTexts, *, settings: Settings) -> Bank:
    """The bank in the language of the model of a catalog: the toy world's for the demo model."""
    toys = made_by.model == DEMO_MODEL
    edition, sentences = (TOYS, _toy_sentences) if toys else (EVERYDAY, everyday_sentences)
    return Bank.edition(
        edition,
        model_digest=made_by.model_digest,
        embed=lambda: remembered_vectors(
            sentences(),
            made_by=made_by,
            embed=embed,
            cache=FileCache(settings.home / "cache" / "banks", capacity=_MOST_BANKS),
            purpose="that answers are compared with",
        ),
    )


def keep_background(catalog: Catalog, *, settings: Settings) -> bool:
    """Bring what answers stand against up to date after an index run, and keep it in the catalog.

    A question can do without: it computes what is missing. So an error is only logged, and a run
    that is interrupted meanwhile loses nothing: then this returns False. Of runs that share a
    catalog one does it for all.
    """
    from indexer.housekeeping import housekeeping  # a question does without its imports

    made_by = catalog.provenance
    if made_by is None:
        return True

    def embed(sentences: Sequence[str]) -> NDArray[np.float32]:
        from xclip_core import TextEmbedder

        name = model_to_load(settings, made_by=made_by)
        embedder = TextEmbedder.load(name, offline=True, cache=known_digests(settings))
        if embedder.identity.model_digest != made_by.model_digest:
            raise ModelError(f"{name} is not the model that made the catalog")
        return embedder.embed_texts(sentences)

    try:
        with housekeeping(catalog) as ours:
            if ours:
                search.keep_background(catalog, bank_of(made_by, embed, settings=settings))
    except (ModelError, CatalogError) as error:
        log.debug("the background of the catalog is not up to date: %s", error)
    except KeyboardInterrupt:
        return False
    return True


def _toy_sentences() -> tuple[str, ...]:
    from toyworld.world import COMBINATIONS

    return tuple(combination.caption for combination in COMBINATIONS)


def remembered_vectors(
    sentences: Sequence[str],
    *,
    made_by: Provenance,
    embed: EmbedTexts,
    cache: FileCache,
    purpose: str,
) -> NDArray[np.float32]:
    """Unit vectors (K, D) of K sentences, embedded once for each model on this machine."""
    key = "\n".join((made_by.model_digest, *sentences)).encode()
    shape = (len(sentences), made_by.dim)
    known = cache.get(key)
    if known is not None and len(known) == 4 * shape[0] * shape[1]:
        return np.frombuffer(known, "<f4").reshape(shape).astype(np.float32)
    number = "sentence" if len(sentences) == 1 else f"{len(sentences)} sentences"
    log.info("embedding the %s %s, once for this model", number, purpose)
    vectors = embed(sentences)
    cache.put(key, vectors.astype("<f4").tobytes())
    return vectors
