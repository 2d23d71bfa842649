"""The catalog: known videos, the files that hold them, and the clips nearest to a vector.

Checks and repairs of a whole catalog are in `catalog.verify`: a question does without their code.
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
    CatalogOutdatedError,
    CatalogStorageError,
    InvalidGlobError,
    InvalidVectorError,
    NotACatalogError,
    ProvenanceMismatchError,
    UnknownPathError,
)
from catalog.frame_vectors import FrameVectors, QuantisedVectors
from catalog.globs import name_matcher, require_glob
from catalog.provenance import Provenance, mismatch
from catalog.records import (
    FILE_TIME,
    NO_VIDEO,
    Background,
    CatalogStatus,
    ClipMatch,
    ClipSpan,
    FileLocation,
    FileProblem,
    FileState,
    IndexedVideo,
    PartialVideo,
    Problem,
    Relocated,
    Removed,
    SampleMatch,
    Verification,
    VideoRecord,
)
from catalog.spelling import composed, folded, ignores_case, true_path
from catalog.vectors.library import LibraryVectors
from catalog.video_filter import EVERY_VIDEO, Orientation, VideoFilter

__all__ = [
    "EVERY_VIDEO",
    "FILE_TIME",
    "NO_VIDEO",
    "Background",
    "Catalog",
    "CatalogBusyError",
    "CatalogDamagedError",
    "CatalogError",
    "CatalogGoneError",
    "CatalogLockedError",
    "CatalogMissingError",
    "CatalogNewerError",
    "CatalogOutdatedError",
    "CatalogStatus",
    "CatalogStorageError",
    "ClipMatch",
    "ClipSpan",
    "FileLocation",
    "FileProblem",
    "FileState",
    "FrameVectors",
    "IndexedVideo",
    "InvalidGlobError",
    "InvalidVectorError",
    "LibraryVectors",
    "NotACatalogError",
    "Orientation",
    "PartialVideo",
    "Problem",
    "Provenance",
    "ProvenanceMismatchError",
    "QuantisedVectors",
    "Relocated",
    "Removed",
    "SampleMatch",
    "UnknownPathError",
    "Verification",
    "VideoFilter",
    "VideoRecord",
    "composed",
    "folded",
    "ignores_case",
    "mismatch",
    "name_matcher",
    "require_glob",
    "true_path",
]
