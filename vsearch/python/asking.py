"""Questions as values, by the long names of the options of `query`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsearch.cli import command
from vsearch.commands.questions.lines import question_parameters, words_of
from vsearch.commands.questions.words import asked_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search import Asked


def asked_of(question: Mapping[str, Any]) -> Asked:
    """The question that values ask, as the command reads them.

    Raises LineError and QuestionError.
    """
    return asked_in(words_of(question, question_parameters(command().commands["query"])))
