"""`vsearch ui`: the page."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from vsearch import output
from vsearch.messages import log, set_volume
from vsearch.options import (
    CatalogOption,
    DeviceOption,
    JsonOption,
    ModelOption,
    PrecisionOption,
    QuietOption,
    VerboseOption,
)
from vsearch.settings import page_environment, read_settings


def ui(
    *,
    catalog: CatalogOption = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=1, max=65535, help="Port on 127.0.0.1.")
    ] = 8501,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser.")
    ] = False,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Open the page on 127.0.0.1: a sentence in, ranked moments and a player out.

    \b
    Examples:
      vsearch ui
      vsearch ui --port 8600 --no-browser
    """
    from machine.child import become_python
    from vsearch import wiring

    set_volume(verbose=verbose, quiet=quiet)
    settings = read_settings(
        os.environ, catalog=catalog, model=model, device=device, precision=precision
    )
    arguments = wiring.page_command(port=port, open_browser=not no_browser)
    address = f"http://127.0.0.1:{port}"
    if as_json:
        output.print_json({"url": address})
    log.info("the page opens on %s; Ctrl-C ends it", address)
    sys.stdout.flush()
    # What Streamlit says are messages: stdout holds our result alone, which may be JSON.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # The page takes this process over: signals reach it directly, and nothing is left behind.
    become_python(arguments, variables=page_environment(settings))
