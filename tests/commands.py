"""Every command of `vsearch` by its words, those of groups too: `query`, `catalog copy`."""

from typing import Any

import typer

from vsearch.cli import app

GROUP: Any = typer.main.get_command(app)


def _found(group: Any, words: str) -> dict[str, Any]:
    commands: dict[str, Any] = {}
    for name, command in group.commands.items():
        is_group = hasattr(command, "commands")
        commands |= _found(command, f"{words}{name} ") if is_group else {f"{words}{name}": command}
    return commands


COMMANDS = _found(GROUP, "")


def command_of(line: list[str]) -> str:
    """The words of the command that a line runs, of which it is the first."""
    return next((" ".join(line[:n]) for n in (2, 1) if " ".join(line[:n]) in COMMANDS), "")
