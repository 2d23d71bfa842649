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
    captions = [figures["caption", "none", f"at least {word}"] for word in ("strong", "weak")]
    (strong_right, strong_found, _), (weak_right, weak_found, _) = captions
    # In two videos hardly any of the 448 captions is true, so that most of what is found is wrong.
    assert float(strong_right) > 2 * float(weak_right)
    assert float(weak_found) >= float(strong_found) > 0.5
    assert float(figures["colour", "none", "at least likely"][0]) > 0.7
