"""Labels on a small library: captions are found, and a second is counted once."""

import numpy as np
import pytest

from benchmarks.answers.asked import Models
from benchmarks.questions import tags


def test_right_and_wrong_seconds_of_labels() -> None:
    found = tags.Found()
    found.count(np.array([1, 1, 1, 1, 0, 0], bool), np.array([0, 0, 1, 1, 1, 0], bool))
    assert (found.true, found.right, found.wrong) == (4, 2, 1)
    assert found.cells[:2] == ("0.67", "0.50")
    assert tags.Found().cells == ("–", "0.00", "0.0")


def test_captions_are_found_in_long_videos(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = tags.measure(
        Models.load(), libraries=(1,), videos=2, folder=tmp_path_factory.mktemp("library")
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    figures = {tuple(row[:3]): row[3:] for row in rows if len(row) == 6}
    precision, recall, _ = figures["caption", "none", "at least strong"]
    assert float(precision) > 0.4
    assert float(recall) > 0.4
    least = [figures["caption", "none", f"at least {word}"][1] for word in ("strong", "weak")]
    assert least == sorted(least)
