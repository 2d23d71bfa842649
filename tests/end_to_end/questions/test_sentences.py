"""Several sentences, weights and what is not wanted, as a shell hands them over."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def asked(vsearch: Any, library: Path, model: Path) -> Any:
    """Ask; the sentences in the answer's normal form, each with its weight."""
    assert vsearch("index", library, "--model", model).code == 0

    def ask(*arguments: str) -> list[tuple[str, float]]:
        run = vsearch("query", *arguments, "--json")
        assert run.code == 0, run.err
        return [(one["text"], one["weight"]) for one in run.json["asked"]["steps"][0]["sentences"]]

    return ask


def test_how_what_was_typed_becomes_sentences(asked: Any) -> None:
    assert asked("dog", "on", "a", "beach") == [("dog on a beach", 1.0)]
    assert asked("a dog", "a beach") == [("a dog", 1.0), ("a beach", 1.0)]
    assert asked("a dog", "beach") == [("a dog", 1.0), ("beach", 1.0)]
    assert asked("dog", "--and", "beach") == [("dog", 1.0), ("beach", 1.0)]
    assert asked("--and", "beach") == [("beach", 1.0)]
    assert asked("a dog^2", "--not", "people", "--not", "a car ^3") == [
        ("a dog", 2.0),
        ("people", -0.5),
        ("a car ", -1.5),
    ]


def test_how_a_text_that_follows_becomes_sentences(vsearch: Any, asked: Any) -> None:
    run = vsearch(
        "query", "a dog", "--then", "a cat + a well-known tree^2 - rain", "--not", "sun", "--json"
    )
    steps = [
        [(one["text"], one["weight"]) for one in step["sentences"]]
        for step in run.json["asked"]["steps"]
    ]
    assert steps[0] == [("a dog", 1.0), ("sun", -0.5)]
    assert steps[1] == [("a cat", 1.0), ("a well-known tree", 2.0), ("rain", -0.5)]
    assert run.json["asked"]["within"] == 20.0
    assert run.json["query"] == "a dog, not: sun, then a cat + a well-known tree^2, not: rain"


def test_order_and_repetition_change_no_answer(vsearch: Any, asked: Any) -> None:
    answers = [
        vsearch("query", *words, "--json", "--all").json["hits"]
        for words in (("a dog", "a red car"), ("a red car", "a dog"), ("a dog^3", "a red car^3"))
    ]
    spans = [[(hit["path"], hit["start"], hit["end"]) for hit in hits] for hits in answers]
    assert spans[0] == spans[1] == spans[2]


def test_what_cannot_be_asked_is_refused_in_one_sentence(vsearch: Any, asked: Any) -> None:
    for says, *arguments in (
        ("empty",),
        ("empty", " ", ""),
        ("empty", "--not", "a cat"),
        ("0.01 to 100", "a dog^-1"),
        ("'two' is not allowed", "a dog^two"),
        ("--not", "a dog", "--not", " "),
        ("--and", "a dog", "--and", "^2"),
        ("cancel each other", "a dog", "--not", "a dog^2"),
    ):
        run = vsearch("query", *arguments)
        assert run.code in (1, 2)
        assert (run.out, run.err.count("\n")) == ("", 1)
        assert says in run.err


def test_a_word_that_negates_gets_a_hint(vsearch: Any, asked: Any) -> None:
    assert "--not" in vsearch("query", "a dog without a leash", "--all").err
    assert "--not" not in vsearch("query", "a dog on a leash", "--all").err
