"""`vsearch mcp`: tools for agents, by the Model Context Protocol over stdio."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsearch.commands.options import (
    CatalogOption,
    JsonOption,
    ModelOption,
    QuietOption,
    VerboseOption,
    start,
)
from vsearch.messages import log
from vsearch.settings import page_environment
from vsearch.startup import HOME_VARIABLE

if TYPE_CHECKING:
    from vsearch.settings import Settings

# Clients start their servers with few variables of the user's.
_HANDED_ON = ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME")


def mcp(
    *,
    catalog: CatalogOption = None,
    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config", help="Print what the configuration of a client needs, and end."
        ),
    ] = False,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Answer an agent, which starts this command: tools that search the videos, over stdio.

    The tools only read. They speak the Model Context Protocol (MCP), as those of a running server
    or page do at /mcp. stdout holds the protocol alone. It needs the extra `mcp` of vsearch.

    \b
    Examples:
      vsearch mcp --print-config
      vsearch mcp --catalog /archive/catalog --print-config
      vsearch mcp
    """
    from machine.child import become_python
    from vsearch.services.agents import require_agents
    from vsearch.show.output import print_json, require_stdout

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    require_agents()
    if print_config:
        config = _config(settings)
        if as_json:
            print_json(config)
        else:
            require_stdout()
            sys.stdout.write(f"{json.dumps(config, indent=2)}\n")
        if settings.secrets:
            log.warning("the password is not shown; add it to `env` as PGPASSWORD")
        return
    sys.stdout.flush()
    flags = {"--verbose": verbose, "--quiet": quiet}
    # The tools' process replaces this one: signals, stdin and stdout reach it directly.
    become_python(
        ["-m", "serving.agents", *(flag for flag, on in flags.items() if on)],
        variables=page_environment(settings),
    )


def _config(settings: Settings) -> dict[str, Any]:
    """What most clients read: how to start the server of the tools, from any folder."""
    program, *before = _command()
    flags = [str(flag) for flag in settings.catalog_flags]
    named = settings.model_anywhere
    model = [] if named is None else ["--model", named]
    variables = {name: os.environ[name] for name in _HANDED_ON if os.environ.get(name)}
    home = {HOME_VARIABLE: str(settings.home)} if os.environ.get(HOME_VARIABLE) else {}
    server = {
        "command": program,
        "args": [*before, "mcp", *flags, *model],
        "env": {**home, **variables},
    }
    return {"mcpServers": {"vsearch": server}}


def _command() -> list[str]:
    """This command by its whole path."""
    script = Path(sys.argv[0]).absolute()
    if script.name == "vsearch" and os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-P", "-m", "vsearch"]
