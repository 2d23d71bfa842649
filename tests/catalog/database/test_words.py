"""Words are found in languages with and without spaces, and nothing in them is an operator."""

import sqlite3
from contextlib import closing

import pytest

from catalog import InvalidWordsError
from catalog.database.sqlite.full_text import CREATE_CUE_INDEX
from catalog.database.words import ends_with, expression, halves, indexed, require_words


@pytest.fixture
def found():
    """A function: which of some texts match words."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE cues (id INTEGER PRIMARY KEY, text TEXT, words TEXT)")
        for statement in CREATE_CUE_INDEX:
            connection.execute(statement)

        def ask(words, *texts):
            connection.execute("DELETE FROM cues")
            rows = [(text, indexed(text)) for text in texts]
            connection.executemany("INSERT INTO cues (text, words) VALUES (?, ?)", rows)
            matches = connection.execute(
                "SELECT text FROM cue_index JOIN cues ON cues.id = cue_index.rowid"
                " WHERE cue_index MATCH ? ORDER BY rank",
                (expression(require_words(words)),),
            )
            return [text for (text,) in matches]

        yield ask


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("uber", "Über den Wolken"),
        ("ÜBER", "uber alles"),
        ("cafe", "un café, s'il vous plaît"),
        ("don't", "I DON'T know"),
        ("料理", "私は料理を作る"),
        ("料", "私は料理を作る"),
        ("る", "私は料理を作る"),
        ("理を作", "私は料理を作る"),
        ("北京", "我们去北京吃烤鸭"),
        ("烤鸭", "我们去北京吃烤鸭。"),
        ("iPhoneを", "新しいiPhoneを買う"),
        ("ｱﾆﾒ", "アニメを見る"),
        ("ครับ", "สวัสดีครับ"),
        ("학교", "나는 학교에 간다"),
        ("привет", "Привет, как дела?"),
        ("हिन्दी", "मैं हिन्दी बोलता हूँ"),
        ("42", "the answer is 42."),
    ],
)
def test_words_are_found_whatever_the_language(found, words, text):
    assert found(words, text, "something else", "別の話", "อื่น") == [text]


def test_a_run_is_not_found_in_letters_that_are_apart(found):
    assert found("料理人", "料理と人") == []
    assert found("理料", "料理") == []


def test_all_words_in_their_order_come_first_then_all_words_anyhow(found):
    texts = ("anna said happy and birthday", "happy birthday anna", "happy anna")
    assert found("happy birthday anna", *texts) == [texts[1], texts[0]]


@pytest.mark.parametrize(
    "words",
    ['"', 'say "hello', "hello*", "NEAR(hello there)", "hello AND", "words:hello", "^hello",
     "-hello", "hello)", "(hello", "hello OR x", "hel'lo", "{hello}", "a\0hello"],
)  # fmt: skip
def test_nothing_that_a_person_writes_is_an_operator(found, words):
    try:
        found(words, "hello there")
    except InvalidWordsError:
        assert not any(map(str.isalnum, words))


def test_operators_are_words(found):
    assert found("near or not", "near or not?", "near") == ["near or not?"]
    assert found("hello*", "hellocopter") == []


@pytest.mark.parametrize("words", ["", " \n", '"', "?!…", "—", "😀"])
def test_words_without_a_letter_are_refused(words):
    with pytest.raises(InvalidWordsError, match="no words"):
        require_words(words)


@pytest.mark.parametrize("words", ["word " * 65, "x" * 1001])
def test_too_many_words_are_refused(words):
    with pytest.raises(InvalidWordsError, match="too many"):
        require_words(words)


def test_words_are_cut_in_two_at_each_space_and_inside_of_runs():
    assert [ending for *_, ending in halves("one two three")] == ["one", "one two"]
    assert [ending for *_, ending in halves("料理人")] == ["料", "料理"]
    assert halves("one") == []


def test_a_text_ends_with_words_whatever_their_accents_and_marks():
    assert ends_with("Das ist für DICH, café ...", "Fur dich cafe")
    assert ends_with("私は料", "料")
    assert not ends_with("one small step for", "small step")
    assert not ends_with("understep", "step")
