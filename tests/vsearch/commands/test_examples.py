"""What `--like` takes: files, moments of videos, weights, and names that look like those."""

from pathlib import Path

import pytest
import typer

from search import Example
from vsearch.commands.questions.options.examples import example_of


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [("83", 83), ("83.5", 83.5), ("1:23", 83), ("01:23", 83), ("1:02:03", 3723), ("0:05.25", 5.25)],
)
def test_a_moment_is_a_video_and_a_time(clock, seconds):
    assert example_of(f"beach.mp4@{clock}") == Example(Path("beach.mp4").absolute(), seconds)
    assert example_of(f"a@b.mp4@{clock}^2") == Example(Path("a@b.mp4").absolute(), seconds, 2.0)


@pytest.mark.parametrize(
    "clock", ["", "x", "1:99", "1:2:3:4", "-5", "1e3", "nan", "1:", "²", "9" * 50]
)
def test_what_is_no_time_belongs_to_the_name(clock):
    assert example_of(f"beach.mp4@{clock}") == Example(Path(f"beach.mp4@{clock}").absolute())


def test_a_name_that_exists_is_meant_as_it_is(tmp_path):
    for name in ("a@5", "a^2", "a@1:23^3", "@7", "^"):
        (tmp_path / name).touch()
        assert example_of(str(tmp_path / name)) == Example(tmp_path / name)
    assert example_of(f"{tmp_path}/a@5^3") == Example(tmp_path / "a@5", weight=3.0)
    assert example_of(f"{tmp_path}/a@5@6") == Example(tmp_path / "a@5", 6.0)


def test_what_can_be_no_example_is_refused(tmp_path):
    for text, says in (
        ("", "empty"),
        (" ", "empty"),
        (str(tmp_path), "is a folder"),
        (f"{tmp_path}^2", "is a folder"),
        ("a.jpg^0", "0.01 to 100"),
        ("a.jpg^much", "weight"),
    ):
        with pytest.raises(typer.BadParameter, match=says):
            example_of(text)
