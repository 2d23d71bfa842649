"""Looking after a catalog: what `forget` and `relocate` do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import CatalogStorageError, Forgotten, Relocated, UnknownPathError
from vsearch.messages import log
from vsearch.names import command_line
from vsearch.opening import open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catalog import Catalog
    from vsearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What was taken out of the catalog, all given paths together.

    `unknown` are those of which nothing was known, as they were given, and `present` those that are
    still on disk, by the names under which an index run meets them.
    """

    forgotten: Forgotten
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
    with open_catalog(settings) as catalog, catalog.claim(_command("forget", *given)):
        went = {path: _forget(catalog, path) for path in given}
        if any(one.files for one in went.values()):
            _save_snapshot(catalog)
    return Forgetting(
        forgotten=Forgotten(
            files=sum(one.files for one in went.values()),
            videos=sum(one.videos for one in went.values()),
            clips=sum(one.clips for one in went.values()),
        ),
        unknown=tuple(path for path, one in went.items() if not one.files),
        present=tuple(
            Path(os.path.realpath(path))
            for path, one in went.items()
            if one.files and os.path.lexists(path)
        ),
    )


def _forget(catalog: Catalog, path: Path) -> Forgotten:
    """By the name that was given, else by what it is in truth: an index goes by real folders."""
    forgotten = catalog.forget([Path(os.path.abspath(path))])  # noqa: PTH100 - `..` is to go
    return forgotten if forgotten.files else catalog.forget([Path(os.path.realpath(path))])


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
    before = Path(os.path.abspath(old))  # noqa: PTH100 - `..` is to go
    after = Path(os.path.realpath(new))
    with open_catalog(settings) as catalog, catalog.claim(_command("relocate", old, new)):
        try:
            return Relocation(before, after, catalog.relocate(before, new=after))
        except UnknownPathError:
            real = Path(os.path.realpath(old))
            if real == before:
                raise
            return Relocation(real, after, catalog.relocate(real, new=after))


def _command(name: str, *paths: Path) -> str:
    return command_line("vsearch", name, *paths)
