"""The choice of the copy that is shown, where several files hold the same video."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from machine.presence import is_regular_file


def present_copy(paths: Iterable[Path]) -> Path | None:
    """The first path with a file that is there now: the catalog also knows unmounted disks."""
    return next(filter(is_regular_file, paths), None)


def copy_to_show(
    paths: Sequence[Path], other_paths: Sequence[Path]
) -> tuple[Path, tuple[Path, ...]]:
    """The copy of a file to show, one of `paths`, and all others."""
    copies = (*paths, *other_paths)
    # Without a copy there is nothing to choose, so the disk is not accessed.
    shown = (present_copy(paths) if len(copies) > 1 else None) or copies[0]
    return shown, tuple(path for path in copies if path != shown)
