"""The `vsearch` command line, and `open_catalog` for Python programs, see docs/python.md.

Here: the process itself, its settings, errors and messages.
"""

__version__ = "0.1.0"
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
    "__version__",
    "open_catalog",
]

TYPE_CHECKING = False  # `typing` takes time to load, and the command has none to lose
if TYPE_CHECKING:
    from vsearch.python import (
        Answer,
        Classification,
        FailedFile,
        LabelProbability,
        Moment,
        OpenCatalog,
        SaidWords,
        Status,
        Video,
        VsearchError,
        open_catalog,
    )


def __getattr__(name: str) -> object:
    """Load the names for programs when the first of them is asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'vsearch' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("vsearch.python"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
