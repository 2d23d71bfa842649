"""Options of commands that hand moments on: which moments, and how much around them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsearch.commands.options import Number, path_given
from vsearch.commands.questions.options.examples import examples_refused
from vsearch.messages import log, tell_notes, tell_of_demo

if TYPE_CHECKING:
    from search import Asked
    from vsearch.services.moments.found import FoundMoment
    from vsearch.settings import Settings

_STDIN = Path("-")
_SECONDS = Number(0, 3600)
_ASKED = ("words", "also", "unwanted", "then", "said", "like")  # parameters that make a question

FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        parser=path_given,
        help="Moments of this file instead of a question: what `vsearch query --json`, "
        "`vsearch tag --json` or `vsearch export` wrote, or the page's basket; - for stdin.",
    ),
]
EverythingOption = Annotated[
    bool, typer.Option("--all", help="Also the nearest moments with nothing convincing.")
]
PadBeforeOption = Annotated[
    float,
    typer.Option(
        "--pad-before",
        metavar="SECONDS",
        parser=_SECONDS,
        help="Begin each moment so much earlier.",
    ),
]
PadAfterOption = Annotated[
    float,
    typer.Option(
        "--pad-after", metavar="SECONDS", parser=_SECONDS, help="End each moment so much later."
    ),
]


def refuse_question(question: dict[str, Any], *, beside: str) -> None:
    """Refuse a question beside an option that gives the moments itself."""
    if any(question[name] for name in _ASKED):
        raise typer.BadParameter(
            "it gives the moments already; leave the question out", param_hint=beside
        )


def moments_from(file: Path) -> tuple[FoundMoment, ...]:
    """The moments in the file that was given. Raises MomentFileError."""
    from vsearch.services.moments.found import read_moments

    return read_moments(None if file == _STDIN else file)


def moments_asked_for(
    asked: Asked, *, settings: Settings, everything: bool
) -> tuple[FoundMoment, ...]:
    """The moments of the answer to a question, as `vsearch query --json` prints them."""
    from vsearch.services.answers.search import search
    from vsearch.services.moments.found import moments_in
    from vsearch.show.search import search_json

    with examples_refused():
        result = search(asked, settings=settings)
    tell_notes(result.notes, about=result.query if len(asked.texts) == 1 else None)
    if not result.convincing and result.hits and not everything:
        log.info("nothing stands out as much as what is not there; --all takes the nearest")
    if result.hits and asked.by_vectors:
        tell_of_demo(result.model)
    return tuple(moments_in(search_json(result, everything=everything)))
