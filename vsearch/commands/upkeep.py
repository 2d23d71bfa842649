"""`vsearch status`, `forget`, `relocate`, `verify`: looking after a catalog."""

from __future__ import annotations

import os

from vsearch import output
from vsearch.messages import set_volume
from vsearch.options import (
    CatalogOption,
    JsonOption,
    QuietOption,
    VerboseOption,
)
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
    from vsearch import wiring

    set_volume(verbose=verbose, quiet=quiet)
    found = wiring.status(read_settings(os.environ, catalog=catalog))
    if as_json:
        output.print_json(output.status_json(found))
    else:
        output.print_status(found)
