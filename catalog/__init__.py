"""The catalog: which videos are known, where they lie, and which clip is nearest to a vector."""

from catalog.catalog import Catalog
from catalog.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogGoneError,
    CatalogHeldError,
    CatalogMissingError,
    CatalogNewerError,
    CatalogStorageError,
    InvalidVectorError,
    NotACatalogError,
    ProvenanceMismatchError,
)
from catalog.globs import name_matcher, path_matcher
from catalog.records import (
    CatalogStatus,
    ClipMatch,
    ClipSpan,
    Failure,
    FilePlace,
    FileState,
    Provenance,
    VideoRecord,
)

__all__ = [
    "Catalog",
    "CatalogBusyError",
    "CatalogDamagedError",
    "CatalogError",
    "CatalogGoneError",
    "CatalogHeldError",
    "CatalogMissingError",
    "CatalogNewerError",
    "CatalogStatus",
    "CatalogStorageError",
    "ClipMatch",
    "ClipSpan",
    "Failure",
    "FilePlace",
    "FileState",
    "InvalidVectorError",
    "NotACatalogError",
    "Provenance",
    "ProvenanceMismatchError",
    "VideoRecord",
    "name_matcher",
    "path_matcher",
]
