"""Options that say what is looked for, and the question that all options of a command ask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from vsearch.commands.questions.examples import example_of
from vsearch.commands.questions.filters import video_filter
from vsearch.commands.questions.weights import weight_at_end

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from search import Asked


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
    from search import LESS, Asked, Sentence, Sort, Step

    wanted = [Sentence(*_weighted(text)) for text in (*_sentences(words or ()), *(also or ()))]
    examples = tuple(example_of(text) for text in like or ())
    if not wanted and not examples and said is None:
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
    return Asked(
        step=Step((*wanted, *less), examples),
        limit=limit,
        videos=videos,
        said=said,
        sort=Sort(sort),
        per_video=per_video,
        fold=not show_duplicates,
    )


def _sentences(words: Sequence[str]) -> list[str]:
    """The sentences that were typed: each argument that was quoted, or all words as one."""
    given = [word for word in words if word.strip()]
    if any(re.search(r"\s", word.strip()) for word in given):
        return given
    return [" ".join(given)] if given else []
