"""Writing to stdout and stderr, and the forms of numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vsearch import caller
from vsearch.errors import NoOutputError
from vsearch.startup import has_stdout
from vsearch.terminal import redraws, takes_styles, without_colours

if TYPE_CHECKING:
    from rich.console import Console


def print_json(value: dict[str, Any]) -> None:
    """One document on one line; a name that is not Unicode survives as escaped surrogates.

    Raises NoOutputError.
    """
    require_stdout()
    caller.stdout().write(json_text(value))


def json_text(value: dict[str, Any]) -> str:
    """A document on a line, with its end, in ASCII; a name that is not Unicode survives."""
    return json.dumps(value) + "\n"


def require_stdout() -> None:
    """Raise NoOutputError if the process was started without stdout."""
    if caller.current() is None and not has_stdout():
        raise NoOutputError("there is no stdout to write the result to: it is closed")


def console(*, stderr: bool = False) -> Console:
    """A console that never guesses at or wraps what it prints.

    `is_interactive` tells whether a bar can be drawn on it; see `vsearch.terminal`.
    """
    from rich.console import Console

    class OurConsole(Console):
        def on_broken_pipe(self) -> None:
            # As everywhere. Rich would end the process, whichever stream it was.
            raise BrokenPipeError

    stream = caller.stderr() if stderr else caller.stdout()
    return OurConsole(
        stderr=stderr,
        file=stream if caller.current() else None,  # None: as it is when something is printed
        _environ=caller.variables(),
        force_terminal=takes_styles(stream),
        force_interactive=redraws(stream),
        no_color=without_colours(),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `1,000 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
