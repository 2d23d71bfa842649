"""The catalog: known videos, the files that hold them, and the clips nearest to a vector.

Checks and repairs of a whole catalog are in `catalog.verify`: a question does without their code.
What needs the database is imported at its first use: processes that read videos do without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from catalog.address import Address, DatabaseUrl
from catalog.database.words import require_words
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
    CatalogUnreachableError,
    InvalidGlobError,
    InvalidVectorError,
    InvalidWordsError,
    NotACatalogError,
    ProvenanceMismatchError,
    UnknownPathError,
    UnknownTagError,
    VideoGoneError,
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
    Cue,
    CueMatch,
    CueSpans,
    DescribedVideo,
    FileLocation,
    FileProblem,
    FileState,
    IndexedVideo,
    PartialVideo,
    Problem,
    Relocated,
    Removed,
    SampleMatch,
    SubtitleFile,
    SubtitleState,
    SubtitleTrack,
    Tag,
    TagCount,
    Verification,
    VideoDetails,
    VideoFiles,
    VideoRecord,
)
from catalog.spelling import composed, folded, ignores_case, true_path
from catalog.video_filter import EVERY_VIDEO, Orientation, VideoFilter

if TYPE_CHECKING:
    from catalog.catalog import Catalog
    from catalog.database.claims import Claim, Claims
    from catalog.vectors.library import LibraryVectors

__all__ = [
    "EVERY_VIDEO",
    "FILE_TIME",
    "NO_VIDEO",
    "Address",
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
    "CatalogUnreachableError",
    "Claim",
    "Claims",
    "ClipMatch",
    "ClipSpan",
    "Cue",
    "CueMatch",
    "CueSpans",
    "DatabaseUrl",
    "DescribedVideo",
    "FileLocation",
    "FileProblem",
    "FileState",
    "FrameVectors",
    "IndexedVideo",
    "InvalidGlobError",
    "InvalidVectorError",
    "InvalidWordsError",
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
    "SubtitleFile",
    "SubtitleState",
    "SubtitleTrack",
    "Tag",
    "TagCount",
    "UnknownPathError",
    "UnknownTagError",
    "Verification",
    "VideoDetails",
    "VideoFiles",
    "VideoFilter",
    "VideoGoneError",
    "VideoRecord",
    "composed",
    "folded",
    "ignores_case",
    "mismatch",
    "name_matcher",
    "require_glob",
    "require_words",
    "true_path",
]

_LATER = {
    "Catalog": "catalog.catalog",
    "Claim": "catalog.database.claims",
    "Claims": "catalog.database.claims",
    "LibraryVectors": "catalog.vectors.library",
}

if not TYPE_CHECKING:  # else type checkers would take any name for one of this package

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_LATER[name]), name)
