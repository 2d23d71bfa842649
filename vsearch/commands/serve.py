"""`vsearch serve`: one process that answers the questions of many."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vsearch.commands.options import (
    PORTS,
    AllowIndexOption,
    CatalogOption,
    JsonOption,
    ModelOption,
    QuietOption,
    VerboseOption,
    host_given,
    start,
)
from vsearch.services.page import THIS_MACHINE
from vsearch.settings import page_environment


def serve(
    *,
    catalog: CatalogOption = None,
    port: Annotated[
        int, typer.Option(metavar="N", parser=PORTS, help="Port of the server.")
    ] = 8600,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            parser=host_given,
            help="Answer other machines, too, at this address of yours (0.0.0.0: at all). They "
            "need the token in the address that is shown, or that of $VSEARCH_TOKEN.",
        ),
    ] = THIS_MACHINE,
    allow_index: AllowIndexOption = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Keep model and vectors in one process, which answers the questions of many at once.

    While it runs, `vsearch query` of the same user on the same catalog has its answers from there:
    the same ones, sooner. Programs ask over HTTP, see /api/openapi.json.

    \b
    Examples:
      vsearch serve
      vsearch serve --catalog /archive/catalog --port 8700
      vsearch serve --host 192.168.1.20
      vsearch serve --allow-index
    """
    from machine.child import become_python

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    flags = {
        "--allow-index": allow_index,
        "--json": as_json,
        "--verbose": verbose,
        "--quiet": quiet,
    }
    chosen = [flag for flag, on in flags.items() if on]
    sys.stdout.flush()
    # The server replaces this process: signals reach it directly.
    become_python(
        ["-m", "serving", "--port", str(port), "--host", host, *chosen],
        variables=page_environment(settings),
    )
