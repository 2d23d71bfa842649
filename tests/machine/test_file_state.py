"""Times of files that no calendar knows fit into the catalog, and differ as they did."""

import os

import pytest

from machine.file_state import size_and_time

YEAR = 365 * 86_400
FUTURE = 330 * YEAR  # 2300: in nanoseconds beyond 64 bits
PAST = -400 * YEAR  # 1570, likewise


def state(mtime_ns, size=5):
    return os.stat_result((0o100644, 1, 1, 1, 0, 0, size, 0, 0, 0), {"st_mtime_ns": mtime_ns})


@pytest.mark.parametrize("seconds", [-(2**62), PAST, -1, 0, 1_700_000_000, FUTURE, 2**62])
def test_any_time_fits_into_64_bits_and_differs_from_the_next(seconds):
    times = [size_and_time(state(seconds * 10**9 + n))[1] for n in range(3)]
    assert all(-(2**63) <= time < 2**63 for time in times)
    assert len(set(times)) == 3


def test_a_usual_time_is_itself():
    assert size_and_time(state(1_700_000_000_123_456_789, size=7)) == (7, 1_700_000_000_123_456_789)
