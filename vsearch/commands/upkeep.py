"""`vsearch status`, `forget`, `relocate`, `verify`: looking after a catalog."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from vsearch import output
from vsearch.exit_codes import REFUSED
from vsearch.messages import refuse, set_volume
from vsearch.options import CatalogOption, JsonOption, QuietOption, VerboseOption, path_given
from vsearch.settings import read_settings


def status(
    *,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show what is in the catalog, the model that made it, its sizes, and what failed.

    \b
    Examples:
      vsearch status
      vsearch status --json | jq -r '.failed[].path'
    """
    from vsearch import asking
    from vsearch.status_report import print_status, status_json

    set_volume(verbose=verbose, quiet=quiet)
    found = asking.status(read_settings(os.environ, catalog=catalog))
    if as_json:
        output.print_json(status_json(found))
    else:
        print_status(found)


def forget(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH...",
            parser=path_given,
            help="Files or folders; they need not be there any more.",
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All that is known, to begin anew, also by another model.")
    ] = False,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Take files, or all files below folders, out of the catalog; the files stay as they are.

    \b
    Examples:
      vsearch forget /media/videos/private
      vsearch forget ~/Movies/talk.mkv /media/old-disk
      vsearch forget --all
    """
    from vsearch import upkeep, upkeep_report

    set_volume(verbose=verbose, quiet=quiet)
    if everything == bool(paths):
        raise typer.BadParameter("give one or more, or --all, not both", param_hint="PATH")
    settings = read_settings(os.environ, catalog=catalog)
    done = upkeep.forget(paths, settings=settings) if paths else upkeep.forget_all(settings)
    if as_json:
        output.print_json(upkeep_report.forgetting_json(done))
    else:
        upkeep_report.print_forgetting(done)
    upkeep_report.tell_of_forgetting(done)
    if done.unknown:
        refuse(upkeep_report.unknown_paths(done))
        raise typer.Exit(REFUSED)


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
    """Tell the catalog that a folder has moved, with all that lies below it; nothing is decoded.

    For another mount point, another machine, a whole library that was moved. What was moved file by
    file, `vsearch index` finds by itself.

    \b
    Examples:
      vsearch relocate /media/old-disk /mnt/new-disk
      vsearch relocate /home/me/Movies /Volumes/Movies --catalog /Volumes/catalog
    """
    from vsearch import upkeep, upkeep_report

    set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(os.environ, catalog=catalog)
    done = upkeep.relocate(old, new=new, settings=settings)
    if as_json:
        output.print_json(upkeep_report.relocation_json(done))
    else:
        upkeep_report.print_relocation(done)
    upkeep_report.tell_of_relocation(done)


def verify(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Check that the catalog is whole; exit code 1 when something is wrong and not mended.

    \b
    Examples:
      vsearch verify
      vsearch verify --repair --json | jq '.problems'
    """
    from catalog.verify import verify_catalog
    from vsearch import upkeep_report
    from vsearch.check_progress import CheckProgress

    set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(os.environ, catalog=catalog)
    with CheckProgress(quiet=quiet) as progress:
        found = verify_catalog(settings.catalog, repair=repair, on_progress=progress)
    if as_json:
        output.print_json(upkeep_report.verification_json(found))
    else:
        upkeep_report.print_verification(found)
    if not found.sound:
        refuse(
            "something cannot be mended; the catalog answers as far as it is whole"
            if repair
            else "something is wrong; `vsearch verify --repair` mends what can be mended"
        )
        raise typer.Exit(REFUSED)
