"""`vsearch shell`: question after question, with the model and the index kept in memory."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

import typer

from machine.names import command_line, words_in
from vsearch.commands.options import (
    MOMENTS,
    CatalogOption,
    JsonOption,
    ModelOption,
    QuietOption,
    VerboseOption,
    start,
)
from vsearch.commands.questions.session import Session, read_options
from vsearch.messages import beginning, log, refuse, sentence_of, tell_of_demo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from search import Hit
    from vsearch.commands.questions.prompt import Prompt
    from vsearch.services.answers.search import WarmSearch

_HELP = """\
TEXT                 ask; what would follow `vsearch query`, options too: a dog --not people -k 3
:next                the next moments of the same answer
:more N [OPTIONS]    more like moment N; words beside it narrow it down
:open N              play moment N from its start
:filters OPTIONS     use these options for all questions from now on: :filters --in '*/trip/*'
:filters             show them; `:filters none` takes them back
:help                this help; `--help` shows the options of a question
:quit                end, as Ctrl-D does; Ctrl-C ends a line or a question"""


def shell(
    context: typer.Context,
    *,
    catalog: CatalogOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ask question after question: model and index stay in memory, so answers come at once.

    A line is what would follow `vsearch query`. Lines that begin with a colon are commands; `:help`
    lists them. Lines can be edited, and are remembered in $VSEARCH_HOME.

    \b
    Examples:
      vsearch shell
      vsearch shell --catalog /media/videos/catalog -v
      vsearch shell --json < sentences.txt
    """
    from vsearch.commands.questions.prompt import Prompt
    from vsearch.interruption import ctrl_c_ends_the_line
    from vsearch.services.answers.search import WarmSearch

    settings = start(verbose=verbose, quiet=quiet, catalog=catalog, model=model)
    query = context.find_root().command.commands["query"]  # type: ignore[attr-defined]
    usual = {"as_json": as_json, "catalog": catalog, "quiet": quiet, "verbose": verbose}
    with WarmSearch(settings) as warm:
        _load(warm)
        lines = _Lines(Session(query, warm, usual=usual), usual)
        prompt = Prompt(settings.home / "history", commands=[f":{name}" for name in _COMMANDS])
        with ctrl_c_ends_the_line():
            lines.follow(prompt)


def _load(warm: WarmSearch) -> None:
    """Load model and index, and say so."""
    from vsearch.show.output import count

    started = perf_counter()
    warm.warm_up(index=True)
    status = warm.status()
    log.info(
        "%s with %s, ready after %.1f s; :help shows what can be typed",
        count(status.videos, "video"),
        count(status.clips, "clip"),
        perf_counter() - started,
    )
    tell_of_demo(status.provenance.model if status.provenance else None)


class _Lines:
    """What the lines of a shell do.

    Args:
        session: answers the questions.
        usual: the options of the shell itself, as parameters of `query`.
    """

    def __init__(self, session: Session, usual: dict[str, Any]) -> None:
        self._session = session
        self._usual = usual
        self._filters: Sequence[str] = ()
        self._ended = False

    def follow(self, prompt: Prompt) -> None:
        """Do what each line says, until the input ends or a line says so."""
        from vsearch.interruption import LineInterrupt

        while not self._ended:
            try:
                line = prompt.read()
                if line is None:
                    return
                self._do(line)
                sys.stdout.flush()
            except LineInterrupt:
                print()
            except typer.Exit:  # after the help
                pass
            except Exception as error:
                sentence = str(error) if type(error) is ValueError else sentence_of(error)
                if sentence is None:
                    raise
                refuse(sentence)

    def _do(self, line: str) -> None:
        words = _split(line)
        if not words:
            return
        if not line.lstrip().startswith(":"):
            self._session.ask(words)
            return
        typed = words[0][1:]
        fitting = [name for name in _COMMANDS if typed and name.startswith(typed)]
        if len(fitting) != 1:
            raise ValueError(f"there is no command {beginning(words[0])}; :help lists all")
        _COMMANDS[fitting[0]](self, words[1:])

    def filters(self, words: Sequence[str]) -> None:
        """Set, show or take back the options that hold for all questions."""
        if list(words) == ["none"]:
            self._filters, self._session.usual = (), self._usual
        elif words:
            context, given = read_options(self._session.query, words)
            if "words" in given:
                said = beginning(" ".join(context.params["words"]))
                raise ValueError(f"{said} is no option; give options such as --in or --after")
            chosen = {name: context.params[name] for name in given}
            self._filters, self._session.usual = words, self._usual | chosen
        log.info("filters: %s", command_line(*self._filters) if self._filters else "none")

    def next(self, words: Sequence[str]) -> None:
        """Show the next moments of the last answer."""
        _require_none(words, name="next")
        self._session.ask_on()

    def more(self, words: Sequence[str]) -> None:
        """Ask for more like a moment that was shown."""
        from vsearch.services.player import moment_of

        hit = moment_of(_number(words[:1], name="more"), self._shown())
        # With its weight, no sign in the name can be taken for one.
        self._session.ask([f"--like={hit.path}@{hit.peak:.3f}^1", *words[1:]])

    def open(self, words: Sequence[str]) -> None:
        """Play a moment that was shown."""
        from vsearch.services.player import play_moment

        play_moment(_number(words, name="open"), self._shown())

    def _shown(self) -> Iterable[Hit]:
        last = self._session.last
        return last.moments.values() if last else ()

    def help(self, words: Sequence[str]) -> None:
        """Print what can be typed."""
        _require_none(words, name="help")
        print(_HELP)

    def quit(self, words: Sequence[str]) -> None:
        """End the shell."""
        _require_none(words, name="quit")
        self._ended = True


_COMMANDS: dict[str, Callable[[_Lines, Sequence[str]], None]] = {
    "filters": _Lines.filters,
    "help": _Lines.help,
    "more": _Lines.more,
    "next": _Lines.next,
    "open": _Lines.open,
    "quit": _Lines.quit,
}


def _split(line: str) -> list[str]:
    try:
        return words_in(line)
    except ValueError as error:
        raise ValueError(
            'a quote is not closed, or the line ends in a backslash; put "…" around a sentence'
            " with an apostrophe"
        ) from error


def _number(words: Sequence[str], *, name: str) -> int:
    if len(words) != 1:
        raise ValueError(f"give the number of a moment: :{name} 1")
    return int(MOMENTS(words[0]))


def _require_none(words: Sequence[str], *, name: str) -> None:
    if words:
        raise ValueError(f":{name} takes nothing")
