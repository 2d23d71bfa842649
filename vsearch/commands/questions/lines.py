"""Many questions, a line each: a sentence, or a JSON object of the options of `query`."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsearch.commands.options import path_given, start
from vsearch.commands.questions.session import OF_THE_PROCESS, Session, given_in
from vsearch.exit_codes import DONE, SOME_FAILED
from vsearch.messages import beginning, log, sentence_of
from vsearch.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from typer.core import TyperCommand

MOST_BYTES = 1024 * 1024  # of a line
_STDIN = Path("-")
_OF_THE_OUTPUT = frozenset({"as_json", "null", "opened", "paths", "quiet", "verbose"})

QueriesOption = Annotated[
    Path | None,
    typer.Option(
        "--queries",
        metavar="FILE",
        parser=path_given,
        help="Many questions, a line each: a sentence, or a JSON object of options. `-` as TEXT: "
        "from stdin. Each answer is a JSON object on a line.",
        show_default=False,
    ),
]


class LineError(Exception):
    """What is no question; the message is one sentence."""


def answer_lines(context: typer.Context, file: Path | None) -> int:
    """Answer each line of a file, or of stdin, with a JSON object; returns the exit code.

    `context` is that of `query`; the options on its command line hold for each line that does not
    give them. A line that cannot be answered gets an object with an `error`.
    """
    from vsearch.services.answers.search import WarmSearch
    from vsearch.show.output import print_json

    params, given = context.params, given_in(context)
    _refuse_what_is_for_one_question(given, file, words=params["words"])
    quiet = not params["verbose"]
    settings = start(
        verbose=not quiet, quiet=quiet, catalog=params["catalog"], model=params["model"]
    )
    usual = {name: params[name] for name in given - {"words", "queries"}}
    bad = 0
    with _opened(file) as stream, WarmSearch(settings) as warm:
        warm.warm_up(index=False)
        session = Session(context.command, warm, usual={**usual, "as_json": True, "quiet": quiet})
        for number, raw in enumerate(raw_lines(stream), start=1):
            if not raw.strip():
                continue
            session.labels = {"line": number}
            try:
                _answer(session, raw)
            except Exception as error:
                said = str(error) if isinstance(error, LineError) else sentence_of(error)
                if said is None:
                    raise
                print_json({**session.labels, "error": said})
                bad += 1
            sys.stdout.flush()
    return SOME_FAILED if bad else DONE


def raw_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream as they come; of one above `MOST_BYTES` the first `MOST_BYTES` + 1."""
    while raw := stream.readline(MOST_BYTES + 1):
        rest = raw
        while len(rest) > MOST_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MOST_BYTES + 1)
        yield raw


def text_of(raw: bytes) -> str:
    """The text of a line. Raises ValueError, with a sentence, for what is no text."""
    if len(raw) > MOST_BYTES:
        raise ValueError("the line is longer than 1 MiB")
    if b"\0" in raw:
        raise ValueError("the line is binary; give a text")
    try:
        return raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ValueError("the line is not UTF-8; write it in that encoding") from error


def _refuse_what_is_for_one_question(
    given: set[str], file: Path | None, *, words: list[str] | None
) -> None:
    if file and words:
        raise typer.BadParameter(
            "the questions are in the file; leave TEXT out", param_hint="--queries"
        )
    flags = {"null": "-0", "opened": "--open", "paths": "--paths"}
    for name in sorted(given & flags.keys()):
        raise typer.BadParameter(
            "many questions are answered in JSON; leave it out", param_hint=flags[name]
        )


@contextmanager
def _opened(file: Path | None) -> Iterator[BinaryIO]:
    if file is None or file == _STDIN:
        if is_terminal(sys.stdin):
            log.warning("type a question a line; Ctrl-D ends")
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(
            f"{file} cannot be read ({error.strerror})", param_hint="--queries"
        ) from error
    with stream:
        yield stream


def _answer(session: Session, raw: bytes) -> None:
    """Answer a line; its `id`, if it has one, becomes a label."""
    try:
        text = text_of(raw)
    except ValueError as error:
        raise LineError(str(error)) from error
    if not text.startswith("{"):
        session.ask(["--", text])
        return
    given = _json_object(text)
    if "id" in given:
        session.labels = {**session.labels, "id": given.pop("id")}
    parameters = question_parameters(session.query)
    words = words_of(given, {"id": None, **parameters})
    session.ask(words, settled={parameters[name].name for name in given.keys() - {"text"}})


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise LineError("the line is too deeply nested") from error
    except ValueError as error:
        raise LineError(f"the line begins with {{ and is not JSON: {error}") from error
    return dict(found)


def question_parameters(query: TyperCommand) -> dict[str, Any]:
    """The parameters that a question can give, by their long names; TEXT is `text`."""
    left_out = OF_THE_PROCESS | _OF_THE_OUTPUT
    found = {}
    for parameter in query.params:
        long = next((name[2:] for name in parameter.opts if name.startswith("--")), "text")
        if parameter.name not in left_out:
            found[long] = parameter
    return found


def words_of(given: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[str]:
    """A JSON object as the words that would follow `vsearch query`. Raises LineError."""
    words = []
    for name, value in given.items():
        if name not in parameters:
            allowed = ", ".join(parameters)
            raise LineError(f"there is no {beginning(name)} in a question; give {allowed}")
        if value is not None and name != "text":
            words += _option(name, value, parameters[name])
    texts = given.get("text")
    first, *more = (texts or [None]) if isinstance(texts, list) else [texts]
    words += [f"--and={_word('text', text)}" for text in more]
    return words if first is None else [*words, "--", _word("text", first)]


def _option(name: str, value: Any, parameter: Any) -> list[str]:
    if parameter.is_flag:
        if not isinstance(value, bool):
            raise LineError(f"{name} is a switch; give true or false")
        return [f"--{name}"] if value else []
    if isinstance(value, list) and not parameter.multiple:
        raise LineError(f"{name} takes one value, not a list")
    return [
        f"--{name}={_word(name, one)}" for one in (value if isinstance(value, list) else [value])
    ]


def _word(name: str, value: Any) -> str:
    """A value as it would stand on a command line."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise LineError(f"{name} takes a text or a number, not {json.dumps(value)[:40]}")
    text = str(value)
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise LineError(f"{name} holds what is no Unicode text") from error
    if "\0" in text:
        raise LineError(f"{name} holds a NUL character")
    return text
