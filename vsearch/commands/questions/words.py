"""The question that the words of a command line ask, for programs that take questions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from vsearch.commands.help import PlainCommand
from vsearch.commands.questions.options.sentences import asked_by
from vsearch.commands.questions.options.sets import QUESTION
from vsearch.commands.questions.query import query
from vsearch.commands.questions.session import read_options
from vsearch.errors import QuestionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search import Asked


def asked_in(words: Sequence[str]) -> Asked:
    """The question of the words that would follow `vsearch query`.

    Raises:
        QuestionError: they ask for nothing, or not so; the message is the command's.
    """
    try:
        context, _ = read_options(_command(), words)
        return asked_by(**{name: context.params[name] for name in QUESTION})
    except typer.TyperException as error:
        raise QuestionError(error.format_message().rstrip(".")) from error


@cache
def _command() -> Any:
    app = typer.Typer(add_completion=False)
    app.command(cls=PlainCommand)(query)
    return typer.main.get_command(app)
