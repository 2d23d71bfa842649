"""The catalog and the model that the settings name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import Catalog, CatalogMissingError, Provenance, mismatch
from machine import usable_cores
from machine.names import command_line
from machine.presence import is_folder
from vsearch.services.file_cache import FileCache
from xclip_core import DEFAULT_MODEL, DEMO_MODEL

if TYPE_CHECKING:
    from indexer import ClipSpec
    from vsearch.settings import Settings
    from xclip_core import Embedder

log = logging.getLogger("vsearch")

_MOST_DIGESTS = 100


def open_catalog(settings: Settings, *, create: bool = False) -> Catalog:
    """Open the catalog that the settings name; the caller closes it."""
    try:
        return Catalog.open(settings.catalog, create=create)
    except CatalogMissingError as error:
        raise CatalogMissingError(with_flags(str(error), settings=settings)) from error


def with_flags(advice: str, *, settings: Settings) -> str:
    """Advice to index, with the flags that make it fill this catalog and not the usual one."""
    command = command_line("vsearch", "index", "PATH", *settings.catalog_flags)
    return advice.replace("`vsearch index PATH`", f"`{command}`")


def existing_catalog(settings: Settings) -> Catalog | None:
    """Open the catalog that the settings name, if there is one; the caller closes it."""
    try:
        return open_catalog(settings)
    except CatalogMissingError:
        return None


def binding_provenance(catalog: Catalog, *, settings: Settings) -> Provenance | None:
    """The provenance that the model must agree with, if there is one.

    A catalog without videos takes another model, if the settings name one.
    """
    made_by = catalog.provenance
    other = made_by is not None and settings.model not in (None, made_by.model)
    return None if other and not catalog.has_videos else made_by


def catalog_provenance(settings: Settings) -> Provenance | None:
    """The same for the catalog that the settings name, which may not exist."""
    catalog = existing_catalog(settings)
    if catalog is None:
        return None
    with catalog:
        return binding_provenance(catalog, settings=settings)


def model_to_load(settings: Settings, *, made_by: Provenance | None) -> str:
    """The name of the model: from the settings, else from the catalog, else the default.

    Raises ProvenanceMismatchError, before anything is loaded, when the settings name another model
    than the one that made the catalog, and CheckpointNotFoundError when no model has such a name.
    """
    if made_by is None:
        return settings.model or DEFAULT_MODEL
    asked = settings.model
    if asked is None or asked == made_by.model:
        return f"{made_by.model}@{made_by.revision}" if made_by.revision else made_by.model
    # A folder may hold the same weights at another place: the catalog compares their digests.
    if is_folder(Path(asked)) or asked.partition("@")[0] == made_by.model:
        return asked
    from xclip_core.checkpoint.location import parse_hub_name

    if asked != DEMO_MODEL:
        parse_hub_name(asked)  # a name that no model has is another error
    raise mismatch(settings.catalog, made_by=made_by, asked=asked)


def known_digests(settings: Settings) -> FileCache:
    """The cache of digests of weights."""
    return FileCache(settings.home / "cache" / "digests", capacity=_MOST_DIGESTS)


def load_embedder(settings: Settings, *, made_by: Provenance | None) -> Embedder:
    """Load the whole model; see `model_to_load` for which, and for the errors."""
    from xclip_core import Embedder

    embedder = Embedder.load(
        model_to_load(settings, made_by=made_by),
        device=settings.device,
        precision=settings.precision,
        cache=known_digests(settings),
        on_message=log.info,
    )
    log.debug("model %s on %s in %s", embedder.identity.model, embedder.device, embedder.precision)
    return embedder


class LazyModel:
    """A model that is loaded once, on first use; a conflict of names is an error at once."""

    def __init__(self, settings: Settings, *, made_by: Provenance | None) -> None:
        self._settings = settings
        self._made_by = made_by
        self._loaded: Embedder | None = None
        self._name = model_to_load(settings, made_by=made_by)

    def clip_format(self) -> ClipSpec:
        """Read the form of a clip from the checkpoint's small files, without PyTorch.

        Files that are not on this machine yet are fetched.
        """
        from xclip_core import locate, read_clip_format

        return read_clip_format(locate(self._name, on_message=log.info).folder)

    def load(self) -> Embedder:
        """The embedder. Each call of it computes in one thread: several calls run side by side."""
        if self._loaded is None:
            from xclip_core.inference.devices import compute_in_one_thread

            compute_in_one_thread()
            self._loaded = load_embedder(self._settings, made_by=self._made_by)
        return self._loaded

    @property
    def calls_at_once(self) -> int:
        """The number of calls to run side by side: one for each core, one for a GPU."""
        on_cpu = self._loaded is not None and self._loaded.device == "cpu"
        return usable_cores() if on_cpu else 1
