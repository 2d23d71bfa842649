"""What the settings name: the catalog, the model for it, and what is kept to save time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog import Catalog, CatalogMissingError, Provenance
from machine.names import command_line
from machine.presence import is_folder
from vsearch.errors import ModelConflictError
from vsearch.file_cache import FileCache
from xclip_core import DEFAULT_MODEL

if TYPE_CHECKING:
    from vsearch.settings import Settings

_MOST_DIGESTS = 100


def open_catalog(settings: Settings, *, create: bool = False) -> Catalog:
    """The catalog that the settings name; the caller closes it."""
    try:
        return Catalog.open(settings.catalog, create=create)
    except CatalogMissingError as error:
        raise CatalogMissingError(with_flags(str(error), settings=settings)) from error


def with_flags(advice: str, *, settings: Settings) -> str:
    """Advice to index films, so that it fills the catalog that is meant and not the usual one."""
    command = command_line("vsearch", "index", "PATH", *settings.catalog_flags)
    return advice.replace("`vsearch index PATH`", f"`{command}`")


def stored_provenance(settings: Settings) -> Provenance | None:
    """What made the catalog; None where there is no catalog, or an empty one.

    One without videos takes another model, if that is asked for.
    """
    try:
        with open_catalog(settings) as catalog:
            made_by = catalog.provenance
            other = made_by is not None and settings.model not in (None, made_by.model)
            return None if other and not catalog.has_videos else made_by
    except CatalogMissingError:
        return None


def model_to_load(settings: Settings, *, made_by: Provenance | None) -> str:
    """The model that was asked for, else the one that made the catalog, else the default.

    Raises ModelConflictError, before anything is loaded, when a model is asked for by another name
    than that of the one that made the catalog.
    """
    if made_by is None:
        return settings.model or DEFAULT_MODEL
    asked = settings.model
    if asked is None or asked == made_by.model:
        return f"{made_by.model}@{made_by.revision}" if made_by.revision else made_by.model
    # A folder may hold the same weights at another place: the catalog compares their digests.
    if is_folder(Path(asked)) or asked.partition("@")[0] == made_by.model:
        return asked
    raise ModelConflictError(
        f"the catalog {settings.catalog} was made with the model {made_by.model}, not {asked}; "
        f"leave --model out to use {made_by.model}, or begin anew: "
        f"`{_emptying(settings)}` empties the catalog, and leaves the films as they are"
    )


def _emptying(settings: Settings) -> str:
    return command_line("vsearch", "forget", "--all", *settings.catalog_flags)


def known_digests(settings: Settings) -> FileCache:
    """Of weights that were read once."""
    return FileCache(settings.home / "cache" / "digests", capacity=_MOST_DIGESTS)
