"""The choice of the copy that is shown, where several files hold the same video."""

from collections.abc import Iterable
from pathlib import Path

from machine.presence import is_regular_file


def present_copy(paths: Iterable[Path]) -> Path | None:
    """The first path with a file that is there now: the catalog also knows unmounted disks."""
    return next(filter(is_regular_file, paths), None)
