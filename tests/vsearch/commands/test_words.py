"""Questions of programs: the words of the command, with its meaning and its errors."""

import pytest

from search import Asked, Sentence, Sort
from vsearch.commands.questions.words import asked_in
from vsearch.errors import QuestionError


def test_the_words_ask_what_they_ask_on_the_command_line() -> None:
    asked = asked_in(
        ["--not=people", "--in=*.mkv", "--sort=newest", "--limit=3", "--", "a dog^2", "at night"]
    )
    assert isinstance(asked, Asked)
    assert asked.steps[0].sentences == (
        Sentence("a dog", 2.0),
        Sentence("at night"),
        Sentence("people", -0.5),
    )
    assert (asked.limit, asked.sort, asked.videos.inside) == (3, Sort.NEWEST, ("*.mkv",))
    assert (asked.per_video, asked.fold) == (3, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "it is empty"),
        (["--limit=0", "--", "a dog"], "1 to"),
        (["--after=never", "--", "a dog"], "never"),
        (["--catalog=/tmp", "--", "a dog"], "for the whole command"),
        (["--colour=red", "--", "a dog"], "--colour"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_sentence_of_the_command(
    words: list[str], says: str
) -> None:
    with pytest.raises(QuestionError, match=says):
        asked_in(words)
