"""`vsearch verify`: checks the catalog, and repairs it."""

from __future__ import annotations

from typing import Annotated

import typer

from machine.names import command_line
from vsearch.commands.options import CatalogOption, JsonOption, QuietOption, VerboseOption, start
from vsearch.exit_codes import REFUSED, SOME_FAILED
from vsearch.messages import log, refuse


def verify(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired.")] = False,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Check the catalog; exit code 1 when there is a problem that is not repaired.

    After a repair that could keep no video, it is 3.

    \b
    Examples:
      vsearch verify
      vsearch verify --repair --json | jq '.problems'
    """
    from catalog import CatalogMissingError
    from catalog.verify import verify_catalog
    from vsearch.services.models import with_flags
    from vsearch.show.maintenance import print_verification, verification_json
    from vsearch.show.output import print_json
    from vsearch.show.progress.counting import CountProgress

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog)
    try:
        with CountProgress("clips checked", quiet=quiet) as progress:
            found = verify_catalog(settings.catalog, repair=repair, on_progress=progress)
    except CatalogMissingError as error:
        raise CatalogMissingError(with_flags(str(error), settings=settings)) from error
    if as_json:
        print_json(verification_json(found))
    else:
        print_verification(found)
    if not found.sound:
        command = command_line("vsearch", "verify", "--repair", *settings.catalog_flags)
        refuse(
            "some problems cannot be repaired; queries work as far as the catalog is sound"
            if repair
            else f"there are problems; `{command}` repairs what can be repaired"
        )
        raise typer.Exit(REFUSED)
    if repair and found.problems and not found.videos:
        log.warning("no video is left in the catalog")
        raise typer.Exit(SOME_FAILED)
