"""The normal form of a question, and what cannot be asked."""

import pytest

from search import LESS, Asked, EmptyQueryError, InvalidLimitError, Sentence, Step


def asked(*sentences: Sentence, limit: int = 10) -> Asked:
    return Asked(step=Step(sentences), limit=limit)


def test_a_question_is_written_in_one_line() -> None:
    many = asked(Sentence("a dog", 2.0), Sentence("a beach"), Sentence("a cat", -LESS))
    assert str(many) == "a dog^2 + a beach - a cat"
    assert str(asked(Sentence("a dog"), Sentence("a cat", -1.0))) == "a dog - a cat^2"
    assert str(Asked.of("a dog")) == "a dog"


@pytest.mark.parametrize(
    ("question", "error", "says"),
    [
        (asked(Sentence(" ")), EmptyQueryError, "empty"),
        (asked(Sentence("a dog"), Sentence("")), EmptyQueryError, "empty"),
        (asked(), EmptyQueryError, "only what is not wanted"),
        (asked(Sentence("a dog", -1.0)), EmptyQueryError, "only what is not wanted"),
        (asked(Sentence("a dog"), limit=0), InvalidLimitError, "at least 1"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    question: Asked, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        question.require_answerable()
