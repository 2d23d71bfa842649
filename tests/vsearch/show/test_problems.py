from pathlib import Path

from catalog import FileProblem
from vsearch.show.problems import FEW, MANY, MOST_LINES, problem_lines


def problems(number: int, text: str, *, folder: str = "/films") -> list[FileProblem]:
    return [FileProblem(Path(f"{folder}/{one:04}.mp4"), text.format(one)) for one in range(number)]


def test_a_few_files_are_listed_one_by_one() -> None:
    lines = problem_lines(problems(MANY, "it is empty"))
    assert len(lines) == MANY
    assert lines[0] == "/films/0000.mp4: it is empty"


def test_very_many_files_with_one_reason_are_one_line() -> None:
    assert problem_lines(problems(1200, "it is empty")) == (
        "1,200 files, such as /films/0000.mp4: it is empty",
    )


def test_reasons_that_differ_in_numbers_are_one_reason() -> None:
    lines = problem_lines(problems(30, "breaks off at 00:{:02} of 10:00"))
    assert lines == ("30 files, such as /films/0000.mp4: breaks off at 00:00 of 10:00",)


def test_a_rare_reason_among_many_names_its_files_and_comes_last() -> None:
    rare = problems(FEW, "is encrypted", folder="/locked")
    lines = problem_lines([*rare, *problems(30, "it is empty")])
    assert lines[0].startswith("30 files, such as /films/0000.mp4")
    assert lines[1:] == tuple(f"{remark.path}: is encrypted" for remark in rare)


def test_a_list_has_an_end_and_says_where_the_rest_is() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    each_its_own = [FileProblem(Path("/f"), one + other) for one in letters for other in letters]
    lines = problem_lines(each_its_own)
    assert len(lines) == MOST_LINES + 1
    assert (
        lines[-1] == f"… and {26 * 26 - MOST_LINES} more lines; `vsearch status --json` tells all"
    )


def test_neither_name_nor_reason_can_write_on_the_screen() -> None:
    assert problem_lines([FileProblem(Path("/a\x1b[2J.mp4"), "no stream \x07")]) == (
        r"/a\x1b[2J.mp4: no stream \x07",
    )
