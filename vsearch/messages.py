"""Messages of the command on stderr, apart from progress, and their verbosity."""

import json
import logging
from collections.abc import Iterable
from contextlib import suppress

from machine.names import shown
from vsearch import caller

DEMO_KNOWS = "knows coloured shapes that move, and nothing else"

log = logging.getLogger("vsearch")

_LETTERS_QUOTED = 40


def set_volume(*, verbose: bool, quiet: bool, as_events: bool = False) -> None:
    """Send messages to stderr: warnings only, the usual ones, or all.

    With `as_events` each message is a JSON object on a line of its own.
    """
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    remote = caller.current()
    if remote is not None:
        remote.level = level
        return
    log.handlers = [_Events(level) if as_events else _Sentences(level)]
    log.propagate = False
    log.setLevel(logging.DEBUG)  # the handler knows for whom it writes


def refuse(sentence: str) -> None:
    """Print the sentence that says why a command could not be done."""
    text = shown(sentence)
    remote = caller.current()
    if remote is not None:
        remote.refusal = text
    if any(isinstance(handler, _Events) for handler in log.handlers):
        log.error(text)
    else:
        _write(f"vsearch: {text}")


def sentence_of(error: Exception) -> str | None:
    """The sentence about an error that a user can mend; None for a fault of vsearch."""
    import typer

    from vsearch.memory_errors import NO_MEMORY, is_lack_of_memory

    if isinstance(error, typer.TyperException):
        return error.format_message().rstrip(".")
    if is_lack_of_memory(error):
        return NO_MEMORY

    from vsearch.errors import user_errors

    return str(error) if isinstance(error, user_errors()) else None


def beginning(text: str) -> str:
    """A text that was given, quoted; of a long one the beginning."""
    return repr(text) if len(text) <= _LETTERS_QUOTED else f"{text[:_LETTERS_QUOTED]!r}…"


def tell_of_demo(model: str | None) -> None:
    """Warn of the demo model: its ranks and probabilities mean nothing for real footage."""
    from xclip_core import DEMO_MODEL

    if model == DEMO_MODEL:
        log.info("the demo model %s", DEMO_KNOWS)


def tell_notes(notes: Iterable[str], *, about: str | None) -> None:
    """Log the notes about a text; without one they say themselves what they are about."""
    begin = "" if about is None else f"“{_shortened(about)}”: "
    for note in notes:
        log.info("%s%s", begin, note)


def _shortened(text: str) -> str:
    return text if len(text) <= _LETTERS_QUOTED else f"{text[:_LETTERS_QUOTED]}…"


class _Messages(logging.Handler):
    """Messages of a level or above for this process, and of its own level for a caller."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self._least = least

    def filter(self, record: logging.LogRecord) -> bool:
        remote = caller.current()
        return record.levelno >= (self._least if remote is None else remote.level)


class _Sentences(_Messages):
    def emit(self, record: logging.LogRecord) -> None:
        _write(shown(record.getMessage()))


class _Events(_Messages):
    def emit(self, record: logging.LogRecord) -> None:
        event = {"event": "message", "level": record.levelname.lower(), "text": record.getMessage()}
        _write(json.dumps(event))


def _write(line: str) -> None:
    """To stderr as it is now."""
    with suppress(OSError):  # whoever read it is gone: that ends no work
        print(line, file=caller.stderr(), flush=True)
