"""Times as text: the same everywhere, on the terminal, on the page and in notes of damage."""

import pytest

from machine.clock_text import clock_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "00:00"),
        (0, "00:00"),
        (59.9, "00:59"),
        (61, "01:01"),
        (192.9, "03:12"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (3792, "1:03:12"),
    ],
)
def test_hours_are_written_only_if_there_are_some(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_the_end_of_a_moment_is_rounded_up_so_that_nothing_is_cut_off() -> None:
    assert clock_text(7.2, up=True) == "00:08"
