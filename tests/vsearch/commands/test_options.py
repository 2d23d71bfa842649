"""Every value on every command line is looked at in one place, in the product's own words."""

import inspect
from typing import Any, get_type_hints

import pytest
import typer

from tests.commands import COMMANDS
from vsearch.__main__ import run
from vsearch.commands.options import Number, OneOf

NEEDED = {
    "index": ["."],
    "watch": ["."],
    "query": ["a"],
    "search": ["a"],
    "cut": ["a", "-o", "cuts"],
    "export": ["a", "-o", "list.edl"],
    "classify": ["README.md", "a", "b"],
    "forget": ["."],
    "relocate": [".", "."],
    "catalog copy": [".", "elsewhere"],
}
NONSENSE = ("", " ", "-1", "nan", "inf", "-inf", "1e400", "9" * 5000, "１", "0x10", "many", "1;2")


def parameters(name: str) -> list[tuple[str, Any, Any]]:
    """Each parameter of a command: its flag, its type, and the parser of its values."""
    callback = inspect.unwrap(COMMANDS[name].callback)
    found = []
    for parameter, hint in get_type_hints(callback, include_extras=True).items():
        if parameter != "return" and hint is not typer.Context:
            info = hint.__metadata__[0]
            named = (info.default, *(info.param_decls or ()))  # Typer keeps the first as `default`
            flag = next((name for name in named if str(name).startswith("--")), None)
            found.append((flag or f"--{parameter.replace('_', '-')}", hint.__origin__, info.parser))
    return found


EVERY = [(name, *one) for name in COMMANDS for one in parameters(name)]
NUMBERS = [(name, flag, parser) for name, flag, kind, parser in EVERY if isinstance(parser, Number)]
CHOICES = [(name, flag, parser) for name, flag, kind, parser in EVERY if isinstance(parser, OneOf)]


def refusal(capfd: pytest.CaptureFixture[str], name: str, flag: str, value: str) -> str:
    assert run([*name.split(), *NEEDED.get(name, []), f"{flag}={value}"]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert len(said.err) < 300
    return said.err


def test_every_number_is_read_by_the_one_parser_that_knows_a_range() -> None:
    told = {(name, flag) for name, flag, _ in NUMBERS}
    for name, flag, kind, _ in EVERY:
        is_number = bool({int, float} & {kind, *getattr(kind, "__args__", ())})
        assert is_number == ((name, flag) in told), (name, flag)
    assert len(NUMBERS) > 10


def test_no_other_value_is_left_to_the_words_of_a_library() -> None:
    for name, flag, kind, parser in EVERY:
        is_switch = kind is bool
        is_text = kind in (list[str], list[str] | None)
        assert is_switch or is_text or parser is not None, (name, flag)


@pytest.mark.parametrize(("name", "flag", "parser"), NUMBERS)
def test_a_number_out_of_range_is_refused_in_one_sentence(
    name: str, flag: str, parser: Number, capfd: pytest.CaptureFixture[str]
) -> None:
    beyond = (f"{parser.least - 1:.10g}", f"{parser.most * 10:.0f}", *NONSENSE)
    for value in (*beyond, "1.5") if parser.whole else beyond:
        said = refusal(capfd, name, flag, value)
        assert flag in said
        assert f"from {parser.least:,.10g} to {parser.most:,.10g}" in said
        assert "nput" not in said


@pytest.mark.parametrize(("name", "flag", "parser"), CHOICES)
def test_a_word_that_is_none_of_a_few_is_refused_with_those_named(
    name: str, flag: str, parser: OneOf, capfd: pytest.CaptureFixture[str]
) -> None:
    for value in ("", "abacus", "\x1b[2J\n", "9" * 5000):
        said = refusal(capfd, name, flag, value)
        assert flag in said
        assert all(word in said for word in parser.words)
        assert "alue error" not in said


@pytest.mark.parametrize(
    ("name", "flag"),
    [("index", "--include"), ("index", "--exclude"), ("watch", "--exclude"), ("query", "--in")],
)
def test_a_pattern_that_can_mean_nothing_is_refused(
    name: str, flag: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for value in ("", ".", "..", "../films", "/media/../films"):
        assert flag in refusal(capfd, name, flag, value)


@pytest.mark.parametrize("parser", [Number(0.1, 1e9), Number(1, 1_000, whole=True)])
def test_what_lies_in_the_range_is_read_as_it_is(parser: Number) -> None:
    assert [parser(text) for text in ("1", "7", "1000")] == [1, 7, 1000]
    assert isinstance(parser("7"), int if parser.whole else float)
    assert parser(parser.least) == parser.least
