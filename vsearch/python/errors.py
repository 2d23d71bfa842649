"""The one error of the surface for programs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class VsearchError(Exception):
    """What was asked cannot be done; the message is the sentence that the command would print.

    The error that it follows from is its `__cause__`.
    """


@contextmanager
def one_kind_of_error() -> Iterator[None]:
    """Make each error that a user can mend a VsearchError; others are faults, and stay."""
    from vsearch.commands.questions.lines import LineError
    from vsearch.messages import sentence_of

    try:
        yield
    except Exception as error:
        sentence = str(error) if isinstance(error, LineError) else sentence_of(error)
        if sentence is None:
            raise
        raise VsearchError(sentence) from error
