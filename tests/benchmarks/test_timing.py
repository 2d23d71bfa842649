"""Ways in turns, ratios round by round, and the table that comes of them."""

from itertools import count
from pathlib import Path

import pytest

from benchmarks.__main__ import record
from benchmarks.measure.section import Row, Section, as_markdown, read_section, write_section
from benchmarks.measure.timing import Figure, Timing, ratio, side_by_side

SECTION = Section(
    title="Something",
    setting="Two sizes, three rounds.",
    rows=(
        Row("fast / slow", Figure(2.0, 1.5, 3.25), bar="at least 1.5 ×", met=True),
        Row("recall", 0.9975, bar="at least 0.999", met=False, note="of ten"),
        Row("on a GPU", "there is none"),
    ),
    notes=("It was quiet.",),
)


def test_ways_take_turns_in_an_order_that_turns() -> None:
    order: list[str] = []
    ways = {name: lambda name=name: order.append(name) for name in "abc"}
    side_by_side(ways, rounds=2, warm_ups=1)
    assert "".join(order) == "abc" + "bca" + "cab"


def test_the_warm_up_is_not_counted() -> None:
    ticks = count()
    timings = side_by_side(
        {"only": lambda: None}, rounds=3, warm_ups=5, clock=lambda: float(next(ticks))
    )
    assert timings["only"].seconds == (1.0, 1.0, 1.0)


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 ways in 3 rounds"):
        side_by_side({}, rounds=3)


def test_ratios_are_taken_round_by_round() -> None:
    # A machine that was ten times slower in the second round changes neither ratio.
    found = ratio(Timing((2.0, 20.0, 3.0)), Timing((1.0, 10.0, 1.0)))
    assert (found.median, found.low, found.high) == (2.0, 2.0, 3.0)


def test_ratios_need_the_same_rounds() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio(Timing((1.0, 2.0)), Timing((1.0,)))


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure(1234.5, 900.0, 2000.0, "ms"), "1234 ms (900 to 2000)"),
        (Figure(1.0567, 0.98, 1.2), "1.06 × (0.98 to 1.2)"),
    ],
)
def test_a_figure_shows_its_spread(figure: Figure, text: str) -> None:
    assert str(figure) == text


def test_a_section_travels_between_processes_whole(tmp_path: Path) -> None:
    write_section(SECTION, path=tmp_path / "section.json")
    assert read_section(tmp_path / "section.json") == SECTION


def test_the_table_tells_what_was_missed() -> None:
    text = as_markdown(SECTION)
    assert "| fast / slow | 2 × (1.5 to 3.25) | at least 1.5 × | yes |  |" in text
    assert "| recall | 0.9975 | at least 0.999 | **no** | of ten |" in text
    assert text.endswith("- It was quiet.\n")


def test_the_last_results_replace_those_before(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("above\n<!-- results of make bench: begin -->\nold\n<!-- end -->\nbelow\n")
    record("new", path=page, of="make bench")
    record("newer", path=page, of="make bench")
    assert page.read_text() == (
        "above\n<!-- results of make bench: begin -->\nnewer\n<!-- end -->\nbelow\n"
    )


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="lacks the lines"):
        record("new", path=page, of="make bench")
    assert page.read_text() == "nothing"
