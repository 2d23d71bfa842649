"""Looking after a catalog: what `forget` and `relocate` do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import (
    CatalogStorageError,
    Relocated,
    Removed,
    composed,
    folded,
    ignores_case,
    true_path,
)
from machine.names import command_line
from vsearch.messages import log
from vsearch.services.models import open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from catalog import Catalog
    from vsearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What was taken out of the catalog, all given paths together.

    `unknown` are those of which nothing was known, as they were given, and `present` those that are
    still on disk, by the names under which an index run meets them.
    """

    forgotten: Removed
    unknown: tuple[Path, ...]
    present: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Relocation:
    """What lay at or below `old` lies at or below `new` now, for the catalog."""

    old: Path
    new: Path
    relocated: Relocated


def forget(paths: Iterable[Path], *, settings: Settings) -> Forgetting:
    """Take out of the catalog all that lies at or below these paths; the files stay as they are."""
    given = tuple(dict.fromkeys(paths))
    with open_catalog(settings) as catalog, catalog.lock(_command("forget", *given)):
        places = {path: _known_as(catalog, path) for path in given}
        went = {path: catalog.remove_under([place]) for path, place in places.items()}
        if any(one.files for one in went.values()):
            _save_snapshot(catalog)
    return Forgetting(
        forgotten=Removed(
            files=sum(one.files for one in went.values()),
            videos=sum(one.videos for one in went.values()),
            clips=sum(one.clips for one in went.values()),
        ),
        unknown=tuple(path for path, one in went.items() if not one.files),
        present=tuple(
            places[path] for path, one in went.items() if one.files and os.path.lexists(path)
        ),
    )


def forget_all(settings: Settings) -> Forgetting:
    """Empty the catalog; the next index run may take another model. The files stay as they are."""
    with open_catalog(settings) as catalog, catalog.lock("vsearch forget --all"):
        forgotten = catalog.remove_under([Path("/")])
        _save_snapshot(catalog)
    return Forgetting(forgotten=forgotten, unknown=(), present=())


def _known_as(catalog: Catalog, path: Path) -> Path:
    """The path by which the catalog knows what was given; its true path if it knows nothing."""
    for place in _spellings(path):
        if catalog.known_files([place]):
            return place
    true = true_path(path)
    return next(_spelled_alike(catalog, true), true)


def _spellings(path: Path) -> Iterator[Path]:
    """As it was given, then with more and more of the links in it followed, then its true path.

    A walk follows the links to what it was given, and keeps those that it meets below.
    """
    names = Path(os.path.abspath(path)).parts  # noqa: PTH100 - `..` is to go
    for followed in range(1, len(names) + 1):
        head = os.path.realpath(Path(*names[:followed]))
        yield Path(head, *names[followed:])
    yield true_path(path)


def _spelled_alike(catalog: Catalog, path: Path) -> Iterator[Path]:
    """What differs in composed letters only, or in case where the file system ignores that.

    For what is not there any more: nobody can ask the file system how it spells it.
    """
    parts = len(path.parts)
    wanted = str(path)
    for name in catalog.known_files([Path("/")]):
        known = Path(*Path(name).parts[:parts])
        text = str(known)
        if composed(text) == composed(wanted) or (
            folded(text) == folded(wanted) and ignores_case(text)
        ):
            yield known


def _save_snapshot(catalog: Catalog) -> None:
    """The vectors that went are to be gone there, too; without it they only waste its room."""
    try:
        catalog.save_snapshot()
    except CatalogStorageError as error:
        log.warning("%s", error)


def relocate(old: Path, *, new: Path, settings: Settings) -> Relocation:
    """Tell the catalog that what it knows at or below `old` lies at or below `new`.

    Raises UnknownPathError, which names the known folders.
    """
    after = true_path(new)
    with open_catalog(settings) as catalog, catalog.lock(_command("relocate", old, new)):
        before = _known_as(catalog, old)
        return Relocation(before, after, catalog.relocate(before, new=after))


def _command(name: str, *paths: Path) -> str:
    return command_line("vsearch", name, *paths)
