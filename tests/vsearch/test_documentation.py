"""What is not documented does not exist, and what is documented does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import COMMANDS, GROUP, command_of

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
HEAVY = {
    "av",
    "catalog",
    "evaluation",
    "faiss",
    "huggingface_hub",
    "indexer",
    "matplotlib",
    "media",
    "numpy",
    "search",
    "sqlalchemy",
    "streamlit",
    "timelines",
    "tokenizers",
    "torch",
    "watchdog",
    "xclip_core",
}


def command_lines(text: str) -> list[list[str]]:
    """Every line of a text that runs `vsearch`, as words, up to the remark beside it."""
    found = re.findall(r"^\s*vsearch ([a-z].*?)(?:\s{2,}.*| \|.*)?$", text, flags=re.MULTILINE)
    return [line.split() for line in found]


def code_in(markdown: str) -> str:
    """What stands in code blocks and code spans, each on lines of its own."""
    blocks = re.findall(r"^```\w*$(.*?)^```$", markdown, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", markdown)
    return "\n".join([*blocks, *spans])


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vsearch", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_tells_of_the_command(name: str) -> None:
    assert f"`vsearch {name}" in README


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_tells_of_every_option_of_the_command(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    flags = {option for option in options if option.startswith("-")} - {"--help", "-h"}
    told = set(re.findall(r"`(--?[a-z0-9-]+)", README))
    assert flags <= told


def test_every_option_in_the_readme_exists() -> None:
    table = README[README.index("## Commands") : README.index("| exit code")]
    told = set(re.findall(r"`(--?[a-z][a-z-]*)", table))
    known = {
        option
        for command in (GROUP, *COMMANDS.values())
        for parameter in command.params
        for option in parameter.opts
    }
    assert told <= known | {"--help"}


def test_every_command_in_the_readme_exists() -> None:
    lines = command_lines(code_in(README))
    assert len(lines) >= len(COMMANDS)
    for line in lines:
        assert command_of(line)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"search"}))
def test_the_help_of_a_command_has_examples_of_itself(name: str) -> None:
    examples = COMMANDS[name].help.partition("Examples:")[2]
    lines = command_lines(examples)
    assert lines
    for line in lines:
        assert command_of(line) == name
        flags = {word for word in line if re.fullmatch(r"--?[a-z-]+", word)}
        assert flags <= {option for parameter in COMMANDS[name].params for option in parameter.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_in_json_when_asked(name: str) -> None:
    assert "--json" in {option for parameter in COMMANDS[name].params for option in parameter.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_leaves_line_breaks_to_the_terminal(name: str) -> None:
    sentences = COMMANDS[name].help.partition("\b")[0]
    assert "\n" not in sentences.replace("\n\n", "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_everything_a_command_takes_is_described_in_its_help(name: str) -> None:
    assert all(parameter.help for parameter in COMMANDS[name].params)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["index", "--help"]])
def test_help_answers_without_any_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from vsearch.__main__ import run\n"
        f"code = run({arguments!r})\n"
        f"heavy = {HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}\n"
        "sys.exit(f'imported {heavy}' if heavy else code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr


def test_help_names_every_command_and_every_exit_code() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in GROUP.commands)
    assert "Exit codes: 0 done, 1 could not do it, 2 wrong usage, 3 done but" in done.stdout


@pytest.mark.parametrize(
    ("asked", "answered"), [(("help",), ("--help",)), (("help", "query"), ("query", "--help"))]
)
def test_help_is_had_by_its_name_too(asked: tuple[str, ...], answered: tuple[str, ...]) -> None:
    assert run(*asked).returncode == 0
    assert run(*asked).stdout == run(*answered).stdout


def test_the_version_has_a_short_name() -> None:
    assert run("-V").stdout == run("--version").stdout != ""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_nothing_that_is_not_to_be_typed(name: str) -> None:
    """Arguments are named as every manual names them, and nothing follows a switch."""
    text = run(*name.split(), "--help").stdout
    assert not re.search(r"[{}<>]", text.partition("Examples:")[0])
    assert not re.search(r"<\w+(\[\w+\])?>", text)
    usage = next(line for line in text.splitlines() if "Usage:" in line)
    assert re.fullmatch(rf" Usage: vsearch {name} \[OPTIONS\]( \[?[A-Z]+(\.\.\.)?\]?)* *", usage)


def test_an_argument_that_is_not_always_needed_is_shown_in_brackets() -> None:
    assert "Usage: vsearch forget [OPTIONS] [PATH...]" in run("forget", "--help").stdout
    assert "Usage: vsearch index [OPTIONS] PATH..." in run("index", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "way"),
    [
        (("query",), "vsearch query --help"),
        (("search", "--nonsense"), "vsearch search --help"),
        (("watch", ".", "--poll", "often"), "vsearch watch --help"),
        (("serach", "a red car"), "vsearch --help"),
        (("--nonsense",), "vsearch --help"),
    ],
)
def test_wrong_usage_names_the_way_to_the_right_one(arguments: tuple[str, ...], way: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.endswith(f"; see `{way}`\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("vsearch rel", {"relocate"}),
        ("vsearch index --device c", {"cpu", "cuda"}),
        ("vsearch query --nu", {"--null"}),
    ],
)
def test_a_shell_can_complete_commands_options_and_values(typed: str, offered: set[str]) -> None:
    done = run(
        _VSEARCH_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(len(typed.split()) - 1),
    )
    assert set(done.stdout.split()) == offered, done.stderr


def test_without_a_command_the_help_is_shown() -> None:
    done = run()
    assert done.returncode == 2
    assert "Usage: vsearch" in done.stdout + done.stderr
