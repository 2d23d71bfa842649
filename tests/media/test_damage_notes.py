"""What is said of damaged films; and that nothing is said of sound ones."""

import pytest

from media.damage import Losses, clock_time


def test_losses_close_to_each_other_are_one_place():
    losses = Losses()
    assert losses.sentence("is torn") is None
    for start in (61.0, 61.04, 61.9, 62.5):
        losses.add(start, end=start + 0.04)
    assert losses.sentence("is torn", origin=1.0) == "is torn from 01:00 to 01:01"
    losses.add(3700.0, end=3700.04)
    losses.add(3800.0, end=3800.04)
    assert losses.sentence("is torn") == "is torn from 01:01 to 01:02 and at 2 more places"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1.0, "00:00"), (192.9, "03:12"), (3599.9, "59:59"), (3600.0, "1:00:00")]
)
def test_times_are_written_as_players_write_them(seconds, text):
    assert clock_time(seconds) == text
