"""`vsearch status`: what is in the catalog."""

from __future__ import annotations

import os

from vsearch.commands.options import CatalogOption, JsonOption, QuietOption, VerboseOption
from vsearch.messages import set_volume
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
    from vsearch.services.search import status as read_status
    from vsearch.show.output import print_json
    from vsearch.show.status import print_status, status_json

    set_volume(verbose=verbose, quiet=quiet)
    found = read_status(read_settings(os.environ, catalog=catalog))
    if as_json:
        print_json(status_json(found))
    else:
        print_status(found)
