import csv
from itertools import pairwise
from pathlib import Path

import pytest

from catalog import IndexedVideo
from evaluation.errors import LabelsError
from evaluation.label_file import read_labels
from evaluation.questions import questions_of
from evaluation.template import ROWS, write_template
from tests.evaluation.places import VIDEOS


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_template_names_the_videos_and_can_be_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    assert write_template(path, VIDEOS) == 3
    assert rows(path) == [
        ["sentence", "video", "start", "end"],
        ["", "a.mp4", "", ""],
        ["", "/films/2024/b.mp4", "", ""],
        ["", "/films/2025/b.mp4", "", ""],
        ["", "nothing", "", ""],
    ]
    path.write_text(path.read_text().replace("\n,", "\na dog %,").replace("%", "", 1))
    text = path.read_text().splitlines()
    path.write_text("\n".join(line.replace("%", str(n)) for n, line in enumerate(text)))
    questions, left_out = questions_of(read_labels(path), VIDEOS)
    assert [len(question.places) for question in questions] == [1, 1, 1, 0]
    assert not left_out


def test_of_many_videos_some_are_chosen_from_first_to_last(tmp_path: Path) -> None:
    many = [IndexedVideo(n, 10.0, (Path(f"/films/{n}.mp4"),)) for n in range(130)]
    assert write_template(tmp_path / "labels.csv", many) == ROWS
    names = [int(row[1].removesuffix(".mp4")) for row in rows(tmp_path / "labels.csv")[1:-1]]
    assert len(set(names)) == ROWS
    assert {b - a for a, b in pairwise(names)} == {2, 3}
    assert names[-1] > 125


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("mine")
    with pytest.raises(LabelsError, match="exists already"):
        write_template(tmp_path / "labels.csv", VIDEOS)
    assert (tmp_path / "labels.csv").read_text() == "mine"


def test_a_template_is_csv_and_called_so(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"give it the suffix \.csv"):
        write_template(tmp_path / "labels.jsonl", VIDEOS)
    assert not (tmp_path / "labels.jsonl").exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="cannot be written: No such file or directory"):
        write_template(tmp_path / "none" / "labels.csv", VIDEOS)
