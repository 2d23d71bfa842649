"""Dates and times as people write them, in local time: `2024-06`, `yesterday`, `2 weeks ago`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from vsearch.messages import beginning

FORMS = "2024, 2024-06, 2024-06-01, '2024-06-01 18:30', today, yesterday, '2 weeks ago'"

_FORMATS = ("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
_AGO = re.compile(r"(\d{1,4}|an?|one) (hour|day|week|month|year)s? ago")
_BETWEEN_DATE_AND_TIME = re.compile(r"(?<=\d)t(?=\d)")
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24}
_WORDS = {"today": 0, "yesterday": 1}  # days ago


def parse_date(text: str, *, now: datetime | None = None) -> datetime:
    """The instant at which a date or time begins, with the local zone.

    A year, month or day begins at its first midnight, "2 weeks ago" at the midnight of that day,
    "2 hours ago" at that instant. `now` is the current time.

    Raises:
        ValueError: no date; the message says what is allowed.
    """
    now = (now or datetime.now()).astimezone()
    said = _BETWEEN_DATE_AND_TIME.sub(" ", " ".join(text.lower().split()))
    try:
        found = _written(said) or _counted_back(said, now)
        if found is not None:
            return found.replace(tzinfo=None).astimezone()
    except (ValueError, OverflowError):  # before the year 1, or an impossible day
        found = None
    raise ValueError(f"{beginning(text)} is no date; give one such as {FORMS}")


def _written(said: str) -> datetime | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(said, form)
        except ValueError:
            continue
    return None


def _counted_back(said: str, now: datetime) -> datetime | None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if said in _WORDS:
        return midnight.replace(tzinfo=None) - timedelta(days=_WORDS[said])
    match = _AGO.fullmatch(said)
    if match is None:
        return None
    number = int(match[1]) if match[1].isdecimal() else 1
    if match[2] == "hour":
        return now - timedelta(hours=number)
    if match[2] in _HOURS:
        return midnight.replace(tzinfo=None) - timedelta(hours=number * _HOURS[match[2]])
    months = midnight.year * 12 + midnight.month - 1 - number * (12 if match[2] == "year" else 1)
    first = midnight.replace(year=months // 12, month=months % 12 + 1, day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first.replace(day=min(midnight.day, (following - timedelta(days=1)).day))
