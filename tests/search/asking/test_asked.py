"""The normal form of a question, and what cannot be asked."""

import pytest

from search import (
    LESS,
    Asked,
    EmptyQueryError,
    InvalidLimitError,
    InvalidSequenceError,
    Sentence,
    Step,
)


def asked(*sentences: Sentence, limit: int = 10) -> Asked:
    return Asked(steps=(Step(sentences),), limit=limit)


def test_a_question_is_written_in_one_line() -> None:
    many = asked(Sentence("a dog", 2.0), Sentence("a beach"), Sentence("a cat", -LESS))
    assert str(many) == "a dog^2 + a beach, not: a cat"
    assert str(asked(Sentence("a dog"), Sentence("a cat", -1.0))) == "a dog, not: a cat^2"
    assert str(Asked.of("a dog")) == "a dog"
    steps = (Step((Sentence("a dog"),)), Step((Sentence("a cat", 2.0), Sentence("rain", -LESS))))
    assert str(Asked(steps=steps)) == "a dog, then a cat^2, not: rain"


@pytest.mark.parametrize(
    ("question", "error", "says"),
    [
        (asked(Sentence(" ")), EmptyQueryError, "empty"),
        (asked(Sentence("a dog"), Sentence("")), EmptyQueryError, "empty"),
        (asked(), EmptyQueryError, "only what is not wanted"),
        (asked(Sentence("a dog", -1.0)), EmptyQueryError, "only what is not wanted"),
        (asked(Sentence("a dog"), limit=0), InvalidLimitError, "at least 1"),
        (
            Asked(steps=(Step((Sentence("a dog"),)), Step((Sentence("a cat", -1.0),)))),
            EmptyQueryError,
            "only what is not wanted",
        ),
        (Asked(steps=()), InvalidSequenceError, "0 steps; ask for 1 to 10"),
        (Asked(steps=(Step((Sentence("a dog"),)),) * 11), InvalidSequenceError, "11 steps"),
        (
            Asked(steps=(Step((Sentence("a dog"),)),) * 2, within=0.0),
            InvalidSequenceError,
            "more than 0 s",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused(
    question: Asked, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        question.require_answerable()
