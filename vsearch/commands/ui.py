"""`vsearch ui`: the page."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import suppress
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
from vsearch.errors import PageMissingError
from vsearch.services.page import THIS_MACHINE, listening, page_address
from vsearch.settings import Settings, page_environment


def ui(
    *,
    catalog: CatalogOption = None,
    port: Annotated[int, typer.Option(metavar="N", parser=PORTS, help="Port of the page.")] = 8501,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            parser=host_given,
            help="Serve other machines, too, at this address of yours (0.0.0.0: at all). The page "
            "then opens only by the address that is shown, which has a token.",
        ),
    ] = THIS_MACHINE,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser.")
    ] = False,
    allow_index: AllowIndexOption = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Open the page: a sentence in, ranked moments and a player out.

    \b
    Examples:
      vsearch ui
      vsearch ui --port 8600 --no-browser
      vsearch ui --host 192.168.1.20
    """
    from secrets import token_urlsafe

    from machine.child import become_python
    from vsearch.show.output import print_json

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    if settings.model:
        _check_model(settings)
    flags = {
        "--allow-index": allow_index,
        "--open-browser": not no_browser,
        "--verbose": verbose,
        "--quiet": quiet,
    }
    chosen = [flag for flag, on in flags.items() if on]
    listening(host, port).close()  # refuses a port that is taken
    if importlib.util.find_spec("ui") is None:
        raise PageMissingError("this installation holds no page; install vsearch again, with `ui`")
    token = None if host == THIS_MACHINE else token_urlsafe()
    if as_json:
        print_json({"url": page_address(host, port=port, token=token)})
    sys.stdout.flush()
    # Output of libraries goes to stderr: stdout holds the result alone, which may be JSON.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # The page replaces this process: signals reach it directly.
    arguments = ["-m", "ui.serve", "--port", str(port), "--host", host, *chosen]
    become_python(arguments, variables=page_environment(settings, token=token))


def _check_model(settings: Settings) -> None:
    """Refuse here, not on the page, a model that cannot be had or did not make the catalog."""
    from catalog import CatalogMissingError
    from search import NothingIndexedError
    from vsearch.services.answers.search import open_searcher

    with (
        suppress(CatalogMissingError, NothingIndexedError),
        open_searcher(settings) as searcher,
    ):
        if settings.model is not None:
            searcher.warm_up()
