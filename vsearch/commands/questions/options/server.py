"""The option that says which process answers: `--server`."""

from __future__ import annotations

from typing import Annotated

import typer

from vsearch.messages import beginning

NO_SERVER = "none"


def server_given(text: str) -> str:
    """The address of a server, or `none`; anything else is refused."""
    if text != NO_SERVER and not text.startswith(("http://", "https://")):
        raise typer.BadParameter(
            f"{beginning(text)} is not allowed; give an address such as http://127.0.0.1:8600, or"
            f" {NO_SERVER}"
        )
    return text


ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL|none",
        parser=server_given,
        help="Ask the server at this address (see `vsearch serve`). Default: the one that runs here"
        " for this catalog, if there is one; `none`: no server.",
        show_default=False,
    ),
]
