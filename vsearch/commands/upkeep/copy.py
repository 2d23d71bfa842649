"""`vsearch catalog copy`: copies a catalog to another place, or to a database."""

from __future__ import annotations

from typing import Annotated

import typer

from vsearch.commands.options import JsonOption, QuietOption, VerboseOption, catalog_given, start
from vsearch.exit_codes import REFUSED
from vsearch.messages import refuse


def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", parser=catalog_given, help="Folder or URL to copy.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", parser=catalog_given, help="Folder or URL to fill.")
    ],
    *,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Copy a catalog: a folder to a PostgreSQL database, back, or from one folder to another.

    The copy answers as the catalog does, and both stay. TO is a folder that is not there, or an
    empty database. Interrupted, the same command goes on. The copy is verified at the end.

    \b
    Examples:
      vsearch catalog copy ~/.local/share/vsearch/catalog postgresql://db/vsearch
      vsearch catalog copy postgresql://db/vsearch /media/backup/catalog
    """
    from catalog.transfer import copy_catalog
    from catalog.verify import verify_catalog
    from vsearch.services.models import open_catalog
    from vsearch.show.maintenance import copy_json, print_copy, print_verification
    from vsearch.show.output import print_json
    from vsearch.show.progress.counting import CountProgress

    old = start(verbose=verbose, quiet=quiet, catalog=source)
    new = start(verbose=verbose, quiet=quiet, catalog=target)
    with CountProgress("rows copied", quiet=quiet) as progress:
        copied = copy_catalog(old.catalog, new.catalog, on_progress=progress)
    with CountProgress("clips checked", quiet=quiet) as progress:
        found = verify_catalog(new.catalog, on_progress=progress)
    if found.sound:
        with open_catalog(new) as catalog:
            catalog.save_snapshot()
    if as_json:
        print_json(copy_json(copied, found, old=old.catalog, new=new.catalog))
    else:
        print_copy(copied, old=old.catalog, new=new.catalog)
        print_verification(found)
    if not found.sound:
        refuse(
            "there are problems in the copy; see them with `vsearch verify`, also in the original"
        )
        raise typer.Exit(REFUSED)
