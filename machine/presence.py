"""Existence of files and folders, without errors: False where the system gives no answer.

Python 3.11 raises for a disk that has gone, a folder that is closed, a link to a name that is too
long; a check for existence must not end with that.
"""

import os
from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether anything can be reached at the path."""
    return os.path.exists(path)  # noqa: PTH110 - see the module


def is_folder(path: Path) -> bool:
    """Whether it is a folder, or a link to one."""
    return os.path.isdir(path)  # noqa: PTH112


def is_regular_file(path: Path) -> bool:
    """Whether it is a regular file, or a link to one."""
    return os.path.isfile(path)  # noqa: PTH113
