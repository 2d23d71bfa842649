"""Binding of a catalog to the model whose vectors it gets: only the first vectors decide it."""

from dataclasses import dataclass

from catalog import Catalog, Provenance
from indexer.embed.threads import ClipEmbedder, EmbedderPool
from indexer.settings import IndexSettings


@dataclass(slots=True)
class Binding:
    """Binding of `catalog` to the model of `pool`, checked and made once."""

    catalog: Catalog
    settings: IndexSettings
    pool: EmbedderPool
    _provenance: Provenance | None = None  # of the model, once it is loaded and agrees
    _bound: bool = False

    def check(self) -> Provenance:
        """Refuse another model than the catalog's before its vectors pile up, not after that."""
        if self._provenance is None:
            self._provenance = provenance_of(self.pool.embedder(), settings=self.settings)
            self.catalog.check(self._provenance)
        return self._provenance

    def bind(self) -> None:
        """Bind the catalog, before its first vectors are written."""
        if not self._bound:
            self.catalog.bind(self.check())
            self._bound = True


def provenance_of(embedder: ClipEmbedder, *, settings: IndexSettings) -> Provenance:
    """What a catalog has to remember of vectors that are made with both."""
    identity = embedder.identity
    return Provenance(
        model=identity.model,
        revision=identity.revision,
        model_digest=identity.model_digest,
        dim=identity.dim,
        frames_per_clip=identity.frames_per_clip,
        window=settings.window,
        stride=settings.stride,
    )
