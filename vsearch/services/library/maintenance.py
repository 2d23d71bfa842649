"""Removing paths from the catalog, and changing them: `forget` and `relocate`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import CatalogStorageError, true_path
from machine.names import command_line
from vsearch.messages import log
from vsearch.services.library.known_paths import known_as
from vsearch.services.models import open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catalog import Catalog
    from vsearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Counts of what was removed from the catalog, for all given paths together.

    Attributes:
        unknown: the given paths of which nothing was known.
        present: those that still exist on disk, by the names under which an index run finds them.
    """

    files: int
    videos: int
    clips: int
    unknown: tuple[Path, ...] = ()
    present: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Relocation:
    """A change of paths in the catalog, from `old` to `new` and below.

    `files` have other paths now; `found` of them exist on disk.
    """

    old: Path
    new: Path
    files: int
    found: int


def forget(paths: Iterable[Path], *, settings: Settings) -> Forgotten:
    """Remove all that is known at or below these paths from the catalog; the files stay."""
    given = tuple(dict.fromkeys(paths))
    with open_catalog(settings) as catalog, catalog.lock(_command("forget", *given)):
        places = {path: known_as(catalog, path) for path in given}
        went = {path: catalog.remove_under([place]) for path, place in places.items()}
        if any(one.files for one in went.values()):
            _save_snapshot(catalog)
    return Forgotten(
        files=sum(one.files for one in went.values()),
        videos=sum(one.videos for one in went.values()),
        clips=sum(one.clips for one in went.values()),
        unknown=tuple(path for path, one in went.items() if not one.files),
        present=tuple(
            places[path] for path, one in went.items() if one.files and os.path.lexists(path)
        ),
    )


def forget_all(settings: Settings) -> Forgotten:
    """Empty the catalog; the next index run may take another model. The files stay."""
    with open_catalog(settings) as catalog, catalog.lock("vsearch forget --all"):
        went = catalog.remove_under([Path("/")])
        _save_snapshot(catalog)
    return Forgotten(files=went.files, videos=went.videos, clips=went.clips)


def _save_snapshot(catalog: Catalog) -> None:
    """Remove the vectors from the snapshot, too; a failure only wastes room there."""
    try:
        catalog.save_snapshot()
    except CatalogStorageError as error:
        log.warning("%s", error)


def relocate(old: Path, *, new: Path, settings: Settings) -> Relocation:
    """Change the paths of all that is known at or below `old` to paths at or below `new`.

    Raises UnknownPathError, which names the known folders.
    """
    after = true_path(new)
    with open_catalog(settings) as catalog, catalog.lock(_command("relocate", old, new)):
        before = known_as(catalog, old)
        moved = catalog.relocate(before, new=after)
        return Relocation(before, after, files=moved.files, found=moved.found)


def _command(name: str, *paths: Path) -> str:
    return command_line("vsearch", name, *paths)
