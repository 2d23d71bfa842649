"""The `vsearch` command: one Typer app, and the list of its subcommands."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import typer

from vsearch import __version__
from vsearch.commands.demo import demo
from vsearch.commands.help import PlainCommand, PlainGroup
from vsearch.commands.index import index
from vsearch.commands.mcp import mcp
from vsearch.commands.questions.classify import classify
from vsearch.commands.questions.cut import cut
from vsearch.commands.questions.eval import evaluate
from vsearch.commands.questions.export import export
from vsearch.commands.questions.query import query
from vsearch.commands.questions.shell import shell
from vsearch.commands.questions.tag import tag
from vsearch.commands.serve import serve
from vsearch.commands.ui import ui
from vsearch.commands.upkeep.copy import copy
from vsearch.commands.upkeep.forget import forget
from vsearch.commands.upkeep.relocate import relocate
from vsearch.commands.upkeep.status import status
from vsearch.commands.upkeep.verify import verify
from vsearch.commands.watch import watch

app = typer.Typer(
    name="vsearch",
    help="Find moments in your own videos from a sentence, on your own machine.",
    epilog="Exit codes: 0 done, 1 could not do it, 2 wrong usage, 3 done but some files failed; "
    "128 + N ended by signal N (130: Ctrl-C).",
    cls=PlainGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


catalogs = typer.Typer(cls=PlainGroup, no_args_is_help=True, help="Do more with whole catalogs.")
catalogs.command(cls=PlainCommand)(copy)


@catalogs.callback()
def _catalogs() -> None:
    pass


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's callbacks take the value alone
    if wanted:
        typer.echo(f"vsearch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "-V", "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


# In the order of the help: what people begin with, then the upkeep.
app.command(cls=PlainCommand)(index)
app.command(cls=PlainCommand)(watch)
app.command(cls=PlainCommand)(query)
app.command("search", cls=PlainCommand, help="The same as `query`.")(query)
app.command(cls=PlainCommand)(shell)
app.command(cls=PlainCommand)(tag)
app.command(cls=PlainCommand)(cut)
app.command(cls=PlainCommand)(export)
app.command(cls=PlainCommand)(classify)
app.command("eval", cls=PlainCommand)(evaluate)
app.command(cls=PlainCommand)(ui)
app.command(cls=PlainCommand)(serve)
app.command(cls=PlainCommand)(mcp)
app.command(cls=PlainCommand)(demo)
app.command(cls=PlainCommand)(status)
app.command(cls=PlainCommand)(forget)
app.command(cls=PlainCommand)(relocate)
app.command(cls=PlainCommand)(verify)
app.add_typer(catalogs, name="catalog")


@cache
def command() -> Any:
    """The command that the app makes; Typer has no public name for its type."""
    return typer.main.get_command(app)
