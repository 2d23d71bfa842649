"""The speed of each kind of question is measured, and what filters leave is what they should."""

from pathlib import Path

import pytest

from benchmarks.inputs import catalogs
from benchmarks.questions import speed
from xclip_core.checkpoint.location import DEMO_FOLDER


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[str]], list[list[str]]]:
    with pytest.MonkeyPatch.context() as patch:
        cache: Path = tmp_path_factory.mktemp("bench")
        patch.setattr(catalogs, "CACHE", cache)
        patch.setattr(speed, "CACHE", cache)
        patch.setattr(speed, "CUES", 2000)
        parts = list(speed.measure(DEMO_FOLDER, films=20, rounds=2))
    times, exact = (
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines()[4:]]
        for part in parts
    )
    return [row for row in times if row], [row for row in exact if row]


def test_each_kind_is_timed_beside_the_plain_question(tables) -> None:
    times = {what: (time, ratio) for what, time, ratio in tables[0]}
    assert times["a sentence (plain)"][1] == "1 × (1 to 1)"
    assert len(times) == 9 + 6 + 6
    assert all(" ms (" in time for time, _ in times.values())


def test_filters_leave_what_all_products_say(tables) -> None:
    left = {what: row for what, *row in tables[1]}
    assert [row[0] for row in left.values()] == ["5,000", "500", "250", "500", "50", "5"]
    for clips, moments, *same in left.values():
        assert moments == ("5" if clips == "5" else "10")
        for cell, limit in zip(same, (10, 256), strict=True):
            wanted = 10 * min(limit, int(clips.replace(",", "")))
            assert cell == f"{wanted:,} of {wanted:,} the same"
