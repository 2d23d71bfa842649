"""Many questions in one process: the answers of single calls, whatever a line holds."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from vsearch.commands.questions.lines import MOST_BYTES


@pytest.fixture(scope="module")
def vsearch(indexed: Any) -> Any:
    return indexed[0]


def answers(
    vsearch: Any, lines: str | bytes, *arguments: str
) -> tuple[int, list[dict[str, Any]], str]:
    process = vsearch.start("query", "-", *arguments, stdin=subprocess.PIPE)
    given = lines if isinstance(lines, str) else lines.decode(errors="surrogateescape")
    out, err = process.communicate(given, timeout=300)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err


def test_the_answers_are_those_of_single_calls(vsearch: Any) -> None:
    asked = (
        ("a dog runs", ("a dog runs",)),
        ({"text": "dog"}, ("dog",)),
        (
            {"text": ["a dog^2", "beach"], "not": ["a cat"], "and": "sand", "limit": 2},
            ("a dog^2", "--and", "sand", "--and", "beach", "--not", "a cat", "-k", "2"),
        ),
        (
            {"text": "a", "in": ["*.mp4", "!*long*"], "all": False},
            ("a", "--in", "*.mp4", "--in", "!*long*"),
        ),
        (
            {"text": "a dog", "min-duration": 10, "all": True, "curve": True},
            ("a dog", "--min-duration", "10", "--all", "--curve"),
        ),
        ({"text": "-k 3"}, ("--", "-k 3")),
    )
    lines = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line, _ in asked)
    code, found, err = answers(vsearch, lines)
    assert (code, err) == (0, "")
    for number, (answer, (_, words)) in enumerate(zip(found, asked, strict=True), start=1):
        single = vsearch("query", "--json", *words).json
        assert answer.pop("line") == number
        assert answer.pop("took_ms") > 0
        del single["took_ms"]
        assert answer == single
    assert found[4]["hits"]


def test_a_bad_line_is_one_error_and_the_rest_goes_on(vsearch: Any) -> None:
    bad = {
        b'{"text": "a", "lmit": 3}': "there is no 'lmit'",
        b'{"text": "a", "limit": 0, "id": 5}': "--limit': '0' is not allowed",
        b'{"text": "a", "limit": [1, 2]}': "limit takes one value",
        b'{"text": "a", "all": "yes"}': "all is a switch",
        b'{"text": "a", "in": {"a": 1}}': "in takes a text",
        b'{"text": "a", "after": "someday"}': "'someday' is no date",
        b'{"text": "a", "catalog": "/elsewhere"}': "there is no 'catalog'",
        b'{"text": "a", "json": true}': "there is no 'json'",
        b'{"text": "a", "not": "a^2"}': "cancel each other",
        b'{"text": "a\\u0000b"}': "NUL",
        b'{"text": "a\\ud800b"}': "no Unicode",
        b'{"limit": 3}': "it is empty",
        b'{"text": []}': "it is empty",
        b'{"text": "a"': "not JSON",
        b'{"text": ' + b"[" * 100_000: "nested",
        b'{"text": ' + b"9" * 5000 + b"}": "not JSON",
        b"a \xff dog": "not UTF-8",
        b"a \0 dog": "binary",
        b"a" * (MOST_BYTES + 1): "longer than 1 MiB",
        b"b" * (3 * MOST_BYTES): "longer than 1 MiB",
    }
    lines = b"\n\n".join([*bad, b'{"text": "a dog", "id": {"of": "mine"}}', b"last"])
    code, found, err = answers(vsearch, lines)
    assert (code, err) == (3, "")
    assert len(found) == len(bad) + 2
    for number, (answer, says) in enumerate(zip(found, bad.values(), strict=False)):
        assert answer.keys() <= {"line", "id", "error"}
        assert answer["line"] == 2 * number + 1
        assert says in answer["error"]
    assert found[1]["id"] == 5
    assert found[-2]["id"] == {"of": "mine"}
    assert [one["query"] for one in found[-2:]] == ["a dog", "last"]


def test_options_on_the_command_line_hold_for_lines_that_give_none(vsearch: Any) -> None:
    lines = ("a", '{"text": "a", "in": "*short*"}', '{"text": "a", "limit": null, "all": false}')
    code, found, _ = answers(
        vsearch, "\n".join(lines), "--in", "*long*", "-k", "1", "--all", "--not", "a cat"
    )
    assert code == 0
    assert [one["asked"]["limit"] for one in found] == [1, 1, 10]
    inside = [one["asked"]["filters"]["inside"] for one in found]
    assert inside == [["*long*"], ["*short*"], ["*long*"]]
    assert [len(one["asked"]["steps"][0]["sentences"]) for one in found] == [2, 2, 2]
    assert [bool(one["hits"]) for one in found] == [True, True, bool(found[2]["convincing"])]


def test_a_program_asks_reads_the_answer_and_asks_again(vsearch: Any) -> None:
    with vsearch.start("query", "-", stdin=subprocess.PIPE) as process:
        for sentence in ("a dog", "a cat", "a dog"):
            process.stdin.write(f"{sentence}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["query"] == sentence
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr.read() == ""


def test_a_reader_that_goes_away_ends_it_without_a_word(vsearch: Any) -> None:
    with vsearch.start("query", "-", stdin=subprocess.PIPE) as process:
        process.stdin.write("a dog\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write("a cat\n")
        process.stdin.flush()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""


def test_a_file_of_questions(vsearch: Any, tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_bytes("\ufeffa dog\r\n\r\na cat".encode())
    run = vsearch("query", "--queries", file)
    assert run.code == 0
    found = [json.loads(line) for line in run.out.splitlines()]
    assert [(one["line"], one["query"]) for one in found] == [(1, "a dog"), (3, "a cat")]


def test_what_makes_no_sense_with_many_questions_is_wrong_usage(
    vsearch: Any, tmp_path: Path
) -> None:
    for says, *arguments in (
        ("No such file", "--queries", tmp_path / "gone"),
        ("Is a directory", "--queries", tmp_path),
        ("leave TEXT out", "a dog", "--queries", tmp_path),
        ("-0", "-", "-0"),
        ("--open", "-", "--open", "1"),
    ):
        run = vsearch("query", *arguments)
        assert run.code == 2
        assert (run.out, run.err.count("\n")) == ("", 1)
        assert says in run.err


def test_without_a_catalog_no_line_is_answered(run_from: Any, tmp_path: Path) -> None:
    process = run_from(tmp_path / "none").start("query", "-", stdin=subprocess.PIPE)
    out, err = process.communicate("a dog\n", timeout=60)
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
