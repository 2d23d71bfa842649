"""The catalog: which videos are known, where they lie, and which clip is nearest to a vector.

What looks through a whole catalog and mends it is in `catalog.verify`: questions do without.
"""

from catalog.catalog import Catalog
from catalog.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogGoneError,
    CatalogLockedError,
    CatalogMissingError,
    CatalogNewerError,
    CatalogStorageError,
    InvalidGlobError,
    InvalidVectorError,
    NotACatalogError,
    ProvenanceMismatchError,
    UnknownPathError,
)
from catalog.globs import name_matcher, path_matcher, require_glob
from catalog.records import (
    NO_VIDEO,
    CatalogStatus,
    ClipMatch,
    ClipSpan,
    FileLocation,
    FileProblem,
    FileState,
    PartialVideo,
    Problem,
    Provenance,
    Relocated,
    Removed,
    SampleMatch,
    Verification,
    VideoRecord,
)
from catalog.spelling import composed, folded, ignores_case, true_path
from catalog.store.clips import NearestClips

__all__ = [
    "NO_VIDEO",
    "Catalog",
    "CatalogBusyError",
    "CatalogDamagedError",
    "CatalogError",
    "CatalogGoneError",
    "CatalogLockedError",
    "CatalogMissingError",
    "CatalogNewerError",
    "CatalogStatus",
    "CatalogStorageError",
    "ClipMatch",
    "ClipSpan",
    "FileLocation",
    "FileProblem",
    "FileState",
    "InvalidGlobError",
    "InvalidVectorError",
    "NearestClips",
    "NotACatalogError",
    "PartialVideo",
    "Problem",
    "Provenance",
    "ProvenanceMismatchError",
    "Relocated",
    "Removed",
    "SampleMatch",
    "UnknownPathError",
    "Verification",
    "VideoRecord",
    "composed",
    "folded",
    "ignores_case",
    "name_matcher",
    "path_matcher",
    "require_glob",
    "true_path",
]
