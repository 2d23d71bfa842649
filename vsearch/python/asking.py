"""Questions as values, a JSON object or what a program gives, read by the options of `query`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsearch.cli import command
from vsearch.commands.questions.lines import question_parameters, words_of
from vsearch.commands.questions.options.sentences import asked_by
from vsearch.commands.questions.options.sets import QUESTION
from vsearch.commands.questions.session import read_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search import Asked


def asked_of(question: Mapping[str, Any]) -> Asked:
    """The question that values by the long names of options ask, as the command reads them.

    Raises LineError and TyperException.
    """
    query = command().commands["query"]
    words = words_of(question, question_parameters(query))
    context, _ = read_options(query, words)
    return asked_by(**{name: context.params[name] for name in QUESTION})
