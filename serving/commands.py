"""Command lines of callers, answered by this process on a catalog and a model that stay open."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from catalog import UnknownPathError
from vsearch.__main__ import run
from vsearch.caller import Caller, answering
from vsearch.cli import command
from vsearch.commands.questions.lines import LineError, question_parameters, words_of
from vsearch.commands.resident import NotForTheServerError, Resident
from vsearch.errors import IndexPathError, IndexRunningError, UnknownVideoError, user_errors
from vsearch.exit_codes import DONE, WRONG_USAGE
from vsearch.messages import log
from vsearch.services.answers.search import WarmSearch
from vsearch.show.status import status_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from catalog import Catalog
    from vsearch.services.library.places import Place

Result = TypeVar("Result")

COMMANDS = ("query", "search")
_HELP = ("-h", "--help")
_LOOKS_EACH = 0.5  # seconds
# What a word means, or where a file lies, hangs on these: the process has one of each.
_THE_SAME = (
    "HOME",
    "TZ",
    *(f"PG{name}" for name in ("DATABASE", "HOST", "OPTIONS", "PORT", "SERVICE", "USER")),
    "PGSERVICEFILE",
)
_STATUS = {
    UnknownPathError: 404,
    UnknownVideoError: 404,
    IndexPathError: 400,
    IndexRunningError: 409,
}


class RefusedError(Exception):
    """A request that is refused; the message is the command's sentence.

    Attributes:
        status: of HTTP: 400 for what can never be answered as it stands, 503 for what cannot now.
    """

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@contextmanager
def refusing() -> Iterator[None]:
    """Refuse with their sentences what the user of a command could mend."""
    try:
        yield
    except user_errors() as error:
        found = (status for kind, status in _STATUS.items() if isinstance(error, kind))
        raise RefusedError(str(error), status=next(found, 503)) from error


@dataclass(frozen=True, slots=True)
class CommandLines:
    """What answers the questions of all callers. Safe to use from several threads."""

    warm: WarmSearch
    _ended: Event = field(default_factory=Event)

    def answer(self, words: Sequence[str], one: Caller, *, home: str | None) -> int:
        """Answer a command line as the command does, for a caller; the exit code.

        `home` is that of a caller that found the server by itself.

        Raises:
            NotForTheServerError: it is to answer it itself.
        """
        if tuple(words[:1]) not in {(name,) for name in COMMANDS} or set(_HELP) & set(words):
            raise NotForTheServerError
        other = any(one.variables.get(name) != os.environ.get(name) for name in _THE_SAME)
        if home is not None and other:
            raise NotForTheServerError
        with answering(one):
            return run(list(words), obj=Resident(self.warm, home))

    def search(self, question: Mapping[str, Any]) -> str:
        """The answer to a JSON object of options, as `vsearch query --json` prints it.

        Raises RefusedError.
        """
        try:
            words = words_of(question, question_parameters(command().commands["query"]))
        except LineError as error:
            raise RefusedError(str(error), status=400) from error
        one = Caller()
        code = self.answer(["query", "--json", *words], one, home=None)
        if code != DONE:
            raise RefusedError(one.refusal or "", status=400 if code == WRONG_USAGE else 503)
        return one.text("out")

    def status(self) -> dict[str, Any]:
        """The status of the catalog, as `vsearch status --json` prints it. Raises RefusedError."""
        with refusing():
            return status_json(self.warm.status())

    def similar(self, place: Place, question: Mapping[str, Any]) -> str:
        """More like a clip or a moment, as `vsearch query --like VIDEO@TIME --json` prints it.

        `question` has further options. Raises RefusedError.
        """
        with refusing():
            like = self.warm.read(place.as_example)
        given = question.get("like")
        more = given if isinstance(given, list) else [] if given is None else [given]
        return self.search({**question, "like": [like, *more]})

    def read(self, read: Callable[[Catalog], Result]) -> Result:
        """What is read from the open catalog. Raises RefusedError."""
        with refusing():
            return self.warm.read(read)

    def follow(self) -> None:
        """Load model and vectors, now and after each change, before somebody waits for them."""
        Thread(target=self._follow, name="follow", daemon=True).start()

    def end(self) -> None:
        """Close the catalog."""
        self._ended.set()
        self.warm.close()

    def _follow(self) -> None:
        seen: tuple[str, int] | None = None
        while not self._ended.wait(_LOOKS_EACH):
            try:
                version = self.warm.version()
                if version != seen:
                    seen = version
                    started = time.perf_counter()
                    self.warm.warm_up(index=True)
                    log.debug("read the catalog in %.2f s", time.perf_counter() - started)
            except user_errors() as error:
                log.debug("the catalog cannot be read now: %s", error)
