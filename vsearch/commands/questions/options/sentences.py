"""Options that say what is looked for, and the question that all options of a command ask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from vsearch.commands.options import Number
from vsearch.commands.questions.options.examples import example_of
from vsearch.commands.questions.options.filters import video_filter
from vsearch.commands.questions.options.weights import weight_at_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from search import Asked, Sentence, Step

_JOINED = re.compile(r"\s([+-])\s")
_MOST_PARTS = 100


def sentence_given(text: str) -> str:
    """A sentence, with or without a weight as in `a dog^2`; anything else is refused."""
    _weighted(text)
    return text


def words_said(text: str) -> str:
    """Words that subtitles may hold; anything else is refused."""
    from catalog import InvalidWordsError, require_words

    try:
        return require_words(text)
    except InvalidWordsError as error:
        raise typer.BadParameter(str(error)) from error


def _weighted(text: str) -> tuple[str, float]:
    """A sentence and its weight."""
    sentence, weight = weight_at_end(text)
    if not sentence.strip():
        raise typer.BadParameter("it is empty; say in words what to look for")
    return sentence, weight


def step_given(text: str) -> str:
    """What one step shows, as in `a dog + a beach^2 - people`; anything else is refused."""
    _parts(text)
    return text


def _parts(text: str) -> list[tuple[str, float]]:
    """The sentences of a step with their weights, below 0 after a minus."""
    first, *others = _JOINED.split(text)
    signed = [("+", first), *zip(others[::2], others[1::2], strict=True)]
    return [
        (sentence, weight if sign == "+" else -weight)
        for sign, given in signed
        for sentence, weight in [_weighted(given)]
    ]


WordsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEXT...",
        help="A description of the moment in English, with or without quotes. Several in quotes: "
        "moments that fit all of them.",
        show_default=False,
    ),
]
AndOption = Annotated[
    list[str] | None,
    typer.Option(
        "--and",
        metavar="TEXT",
        parser=sentence_given,
        help="What the moment shows as well; may be repeated. 'a dog^2' counts twice.",
    ),
]
NotOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not",
        metavar="TEXT",
        parser=sentence_given,
        help="What the moment does not show; may be repeated. It counts half, with ^2 in full.",
    ),
]
ThenOption = Annotated[
    list[str] | None,
    typer.Option(
        "--then",
        metavar="TEXT",
        parser=step_given,
        help="What comes next in the same video; may be repeated. 'a dog + a beach - people' has "
        "several sentences.",
    ),
]
WithinOption = Annotated[
    float | None,
    typer.Option(
        "--within",
        metavar="SECONDS",
        parser=Number(0.1, 1e9),
        help="With --then: it starts so soon after what comes before has ended; 20 by default.",
        show_default=False,
    ),
]
SaidOption = Annotated[
    str | None,
    typer.Option(
        "--said",
        metavar="TEXT",
        parser=words_said,
        help="Words that are said, by subtitles: alone, or near the moment that a text describes.",
        show_default=False,
    ),
]


def asked_by(
    *,
    words: Sequence[str] | None,
    also: Sequence[str] | None,
    unwanted: Sequence[str] | None,
    like: Sequence[str] | None,
    then: Sequence[str] | None = None,
    within: float | None = None,
    said: str | None = None,
    limit: int,
    sort: str,
    per_video: int,
    show_duplicates: bool,
    globs: Sequence[str] | None,
    after: datetime | None,
    before: datetime | None,
    min_duration: float | None,
    max_duration: float | None,
    min_height: int | None,
    orientation: str | None,
    camera: str | None,
    tags: Sequence[str] | None,
) -> Asked:
    """The question that the options ask; they are the parameters of the command."""
    from search import LESS, WITHIN, Asked, Sentence, Sort, Step

    wanted = [Sentence(*_weighted(text)) for text in (*_sentences(words or ()), *(also or ()))]
    examples = tuple(example_of(text) for text in like or ())
    if not wanted and not examples and said is None and not then:
        raise typer.BadParameter("it is empty; say in words what to look for", param_hint="TEXT...")
    less = [Sentence(text, -LESS * w) for text, w in map(_weighted, unwanted or ())]
    videos = video_filter(
        globs,
        after=after,
        before=before,
        min_duration=min_duration,
        max_duration=max_duration,
        min_height=min_height,
        orientation=orientation,
        camera=camera,
        tags=tags,
    )
    steps = [Step((*wanted, *less), examples), *(Step(tuple(_step(text))) for text in then or ())]
    _require_few(steps)
    _require_sequence(steps, within=within)
    return Asked(
        steps=tuple(steps),
        within=WITHIN if within is None else within,
        limit=limit,
        videos=videos,
        said=said,
        sort=Sort(sort),
        per_video=per_video,
        fold=not show_duplicates,
    )


def _step(text: str) -> Iterator[Sentence]:
    """The sentences of a step that was given with `--then`."""
    from search import LESS, Sentence

    for sentence, weight in _parts(text):
        yield Sentence(sentence, weight if weight > 0 else LESS * weight)


def _require_few(steps: Sequence[Step]) -> None:
    """Refuse more sentences than a person writes: they would keep a server from all others."""
    number = sum(len(step.sentences) + len(step.examples) for step in steps)
    if number > _MOST_PARTS:
        raise typer.BadParameter(
            f"these are {number:,} sentences and examples; give at most {_MOST_PARTS}"
        )


def _require_sequence(steps: Sequence[Step], *, within: float | None) -> None:
    """Refuse steps that make no question."""
    from search import MOST_STEPS

    if len(steps) == 1 and within is not None:
        raise typer.BadParameter(
            "there is nothing that has to follow; give --then TEXT too", param_hint="--within"
        )
    if len(steps) > 1 and not steps[0].wants_something:
        raise typer.BadParameter("nothing comes first; give a TEXT before it", param_hint="--then")
    if len(steps) > MOST_STEPS:
        raise typer.BadParameter(
            f"these are {len(steps) - 1} texts; give at most {MOST_STEPS - 1}", param_hint="--then"
        )


def _sentences(words: Sequence[str]) -> list[str]:
    """The sentences that were typed: each argument that was quoted, or all words as one."""
    given = [word for word in words if word.strip()]
    if any(re.search(r"\s", word.strip()) for word in given):
        return given
    return [" ".join(given)] if given else []
