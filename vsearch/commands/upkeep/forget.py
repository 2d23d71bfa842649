"""`vsearch forget`: removes files from the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vsearch.commands.options import (
    CatalogOption,
    JsonOption,
    QuietOption,
    VerboseOption,
    path_given,
    start,
)
from vsearch.exit_codes import REFUSED
from vsearch.messages import refuse


def forget(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH...",
            parser=path_given,
            help="Files or folders; they need not exist any more.",
        ),
    ] = None,
    *,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Remove everything, also to begin anew with another model."),
    ] = False,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Remove files, or all files below folders, from the catalog; the files stay as they are.

    \b
    Examples:
      vsearch forget /media/videos/private
      vsearch forget ~/Movies/talk.mkv /media/old-disk
      vsearch forget --all
    """
    from vsearch.services.library import maintenance
    from vsearch.show.maintenance import (
        forgetting_json,
        print_forgetting,
        tell_of_forgetting,
        unknown_paths,
    )
    from vsearch.show.output import print_json

    if everything == bool(paths):
        raise typer.BadParameter("give one or more, or --all, not both", param_hint="PATH")
    settings = start(verbose=verbose, quiet=quiet, catalog=catalog)
    done = (
        maintenance.forget(paths, settings=settings) if paths else maintenance.forget_all(settings)
    )
    if as_json:
        print_json(forgetting_json(done))
    else:
        print_forgetting(done)
    tell_of_forgetting(done)
    if done.unknown:
        refuse(unknown_paths(done))
        raise typer.Exit(REFUSED)
