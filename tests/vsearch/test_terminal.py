"""A terminal gets a bar, everything else lines; colours are another question."""

import os
from pathlib import Path
from typing import Any

import pytest

from indexer import Walking
from vsearch.show.output import console
from vsearch.show.progress.counting import CountProgress
from vsearch.show.progress.index_run import IndexProgress
from vsearch.terminal import drop_sizes_that_are_none, redraws

VARIABLES = (
    "CI",
    "COLUMNS",
    "FORCE_COLOR",
    "NO_COLOR",
    "TERM",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
)


@pytest.fixture(params=["terminal", "log"])
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Real ones: a pseudo-terminal and a file."""
    if request.param == "log":
        with (tmp_path / "log").open("w", encoding="utf-8") as file:
            yield file
    else:
        ours, theirs = os.openpty()
        with os.fdopen(theirs, "w", encoding="utf-8") as file:
            yield file
        os.close(ours)


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return monkeypatch


@pytest.mark.parametrize(
    ("environment", "bar", "colours_on_terminal", "colours_in_log"),
    [
        ({}, True, True, False),
        ({"FORCE_COLOR": "1"}, True, True, True),
        ({"FORCE_COLOR": ""}, True, True, False),
        ({"FORCE_COLOR": "0"}, True, False, False),
        ({"NO_COLOR": "1"}, True, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False, False),
        ({"NO_COLOR": ""}, True, True, False),
        ({"TERM": "dumb"}, False, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, False, False),
        ({"TTY_COMPATIBLE": "1"}, True, True, True),
        ({"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"}, True, True, True),
        ({"TTY_COMPATIBLE": "0"}, False, False, False),
        ({"TTY_INTERACTIVE": "0"}, False, True, False),
        ({"CI": "true"}, False, True, False),
        ({"CI": "true", "FORCE_COLOR": "1"}, False, True, True),
        ({"CI": "false"}, True, True, False),
    ],
)
def test_bars_and_colours_are_where_they_are_wanted(
    stream: Any,
    variables: pytest.MonkeyPatch,
    *,
    environment: dict[str, str],
    bar: bool,
    colours_on_terminal: bool,
    colours_in_log: bool,
) -> None:
    for name, value in environment.items():
        variables.setenv(name, value)
    variables.setattr("sys.stderr", stream)
    output = console(stderr=True)
    assert output.is_interactive == (bar and stream.isatty())
    with output.capture() as printed:
        output.print("red", style="red")
    assert ("31m" in printed.get()) == (colours_on_terminal if stream.isatty() else colours_in_log)


@pytest.mark.parametrize(
    ("told", "width"),
    [("1", 1), ("7", 7), ("99999", 99999)]
    + [(told, 80) for told in ("0", "-1", "", "wide", "²", "9" * 30)],
)
def test_any_width_of_the_terminal_can_be_told(
    stream: Any, variables: pytest.MonkeyPatch, told: str, width: int
) -> None:
    variables.setenv("COLUMNS", told)
    variables.setattr("sys.stderr", stream)
    drop_sizes_that_are_none()
    assert console(stderr=True).width == width
    with (
        CountProgress("clips checked", quiet=False) as checked,
        IndexProgress(quiet=False, verbose=False),
    ):
        checked(1, 2)


def test_what_is_closed_or_missing_is_no_terminal(tmp_path: Path) -> None:
    file = (tmp_path / "log").open("w", encoding="utf-8")
    file.close()
    assert not redraws(file)
    assert not redraws(None)


def test_a_log_that_is_to_be_coloured_gets_lines_all_the_same(
    tmp_path: Path, variables: pytest.MonkeyPatch
) -> None:
    variables.setenv("FORCE_COLOR", "1")
    seconds = iter(range(0, 1000, 10))
    with (tmp_path / "log").open("w", encoding="utf-8") as file:
        variables.setattr("sys.stderr", file)
        with IndexProgress(
            quiet=False, verbose=False, now=lambda: float(next(seconds))
        ) as counters:
            for found in range(3):
                counters.record(Walking(found))
        with CountProgress(
            "clips checked", quiet=False, now=lambda: float(next(seconds))
        ) as checked:
            checked(1, 2)
    written = (tmp_path / "log").read_text(encoding="utf-8")
    assert written.startswith("looking for videos, ")
    assert written.endswith("1 of 2 clips checked, about 00:30 to go\n")
    assert not {"\x1b", "\r"} & set(written)
