"""The surface for Python programs, which import its names from `vsearch`; see docs/python.md.

What stands here stays: `tests/vsearch/python/test_surface.py` holds names, signatures and fields.
"""

from vsearch.python.catalog import OpenCatalog, open_catalog
from vsearch.python.errors import VsearchError
from vsearch.python.results import (
    Answer,
    Classification,
    FailedFile,
    LabelProbability,
    Moment,
    SaidWords,
    Status,
    Video,
)

__all__ = [
    "Answer",
    "Classification",
    "FailedFile",
    "LabelProbability",
    "Moment",
    "OpenCatalog",
    "SaidWords",
    "Status",
    "Video",
    "VsearchError",
    "open_catalog",
]
