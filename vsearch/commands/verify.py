"""`vsearch verify`: checks the catalog, and repairs it."""

from __future__ import annotations

from typing import Annotated

import typer

from machine.names import command_line
from vsearch.commands.options import CatalogOption, JsonOption, QuietOption, VerboseOption, start
from vsearch.exit_codes import REFUSED
from vsearch.messages import refuse


def verify(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired.")] = False,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Check the catalog; exit code 1 when there is a problem that is not repaired.

    \b
    Examples:
      vsearch verify
      vsearch verify --repair --json | jq '.problems'
    """
    from catalog.verify import verify_catalog
    from vsearch.show.count_progress import CountProgress
    from vsearch.show.maintenance import print_verification, verification_json
    from vsearch.show.output import print_json

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog)
    with CountProgress("clips checked", quiet=quiet) as progress:
        found = verify_catalog(settings.catalog, repair=repair, on_progress=progress)
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
