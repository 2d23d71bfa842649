"""Dates as people write them."""

from datetime import datetime

import pytest

from vsearch.services.dates import parse_date

pytestmark = pytest.mark.usefixtures("in_berlin")
NOW = datetime(2026, 3, 31, 15, 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", "2024-01-01T00:00:00+01:00"),
        ("2024-06", "2024-06-01T00:00:00+02:00"),
        ("2024-06-09", "2024-06-09T00:00:00+02:00"),
        ("2024-06-09 18:30", "2024-06-09T18:30:00+02:00"),
        ("2024-06-09T18:30:05", "2024-06-09T18:30:05+02:00"),
        ("today", "2026-03-31T00:00:00+02:00"),
        (" Yesterday ", "2026-03-30T00:00:00+02:00"),
        ("3 days ago", "2026-03-28T00:00:00+01:00"),
        ("2 weeks ago", "2026-03-17T00:00:00+01:00"),
        ("a month ago", "2026-02-28T00:00:00+01:00"),
        ("13 months ago", "2025-02-28T00:00:00+01:00"),
        ("1 year ago", "2025-03-31T00:00:00+02:00"),
        ("2 hours ago", "2026-03-31T13:20:00+02:00"),
    ],
)
def test_a_date_begins_at_its_first_instant_in_local_time(text: str, expected: str) -> None:
    assert parse_date(text, now=NOW).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "2024-13", "2024-02-30", "24", "01.06.2024", "9999 years ago", "x" * 5000]
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no date; give one such as 2024, 2024-06") as refused:
        parse_date(text, now=NOW)
    assert len(str(refused.value)) < 200
