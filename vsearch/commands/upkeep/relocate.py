"""`vsearch relocate`: gives known files another folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from machine.presence import is_there
from vsearch.commands.options import (
    CatalogOption,
    JsonOption,
    QuietOption,
    VerboseOption,
    path_given,
    start,
)
from vsearch.exit_codes import SOME_FAILED


def relocate(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", parser=path_given, help="Where the files were.")
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", parser=path_given, help="Where they are now.")
    ],
    *,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Change the path of a known folder, and of all files below it; nothing is decoded.

    For another mount point, another machine, or a library that was moved as a whole. Files that
    were moved one by one are found by `vsearch index`. Exit code 3 when NEW is there, but none of
    the files.

    \b
    Examples:
      vsearch relocate /media/old-disk /mnt/new-disk
      vsearch relocate /home/me/Movies /Volumes/Movies --catalog /Volumes/catalog
    """
    from vsearch.services.library import maintenance
    from vsearch.show.maintenance import print_relocation, relocation_json, tell_of_relocation
    from vsearch.show.output import print_json

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog)
    done = maintenance.relocate(old, new=new, settings=settings)
    if as_json:
        print_json(relocation_json(done))
    else:
        print_relocation(done)
    tell_of_relocation(done)
    if not done.found and is_there(done.new):
        raise typer.Exit(SOME_FAILED)
