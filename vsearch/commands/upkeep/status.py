"""`vsearch status`: shows the contents of the catalog."""

from __future__ import annotations

from vsearch.commands.options import CatalogOption, JsonOption, QuietOption, VerboseOption, start


def status(
    *,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show the contents of the catalog, its model, its sizes, and files that failed.

    \b
    Examples:
      vsearch status
      vsearch status --json | jq -r '.failed[].path'
    """
    from vsearch.services.answers.search import status as read_status
    from vsearch.show.output import print_json
    from vsearch.show.status import print_status, status_json

    found = read_status(start(verbose=verbose, quiet=quiet, catalog=catalog))
    if as_json:
        print_json(status_json(found))
    else:
        print_status(found)
