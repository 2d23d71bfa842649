"""What lies at a path, asked without an error: where the system refuses to tell, nothing does.

Python 3.11 raises for a disk that has gone, a folder that is closed, a link to a name that is too
long: whoever only asks whether there is something must not end of that.
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
