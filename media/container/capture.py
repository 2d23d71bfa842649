"""Capture time and camera of a video, as its container records them.

The order of trust: QuickTime's creation date, which has a zone; Matroska's DATE_RECORDED; the
name that cameras and phones give a file; the header's creation time. Clocks that were never set
count from 1904, 1970 or 2000, so these say nothing.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from av.container import InputContainer

Tags = Mapping[str, str]

_EARLIEST = date(1990, 1, 1)  # digital video
_EPOCH = date(2000, 1, 1)  # of cameras whose clock was never set
_TOMORROW = timedelta(days=1)  # a zone ahead, or a clock that is a little fast
_MOST_LETTERS = 200  # of a camera's name

# Local time, except for names that begin with PXL, which Pixel phones write in UTC.
_NAMED = re.compile(
    r"(?<!\d)(?P<year>19\d\d|20\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)"
    r"(?:[-_ T.]|\s+at\s+)+(?P<hour>[01]\d|2[0-3])[-_.:h]?(?P<minute>[0-5]\d)"
    r"(?:[-_.:m]?(?P<second>[0-5]\d))?(?!\d{4})"
)
# They write local time where the format asks for UTC.
_LOCAL_TIME_MAKERS = ("gopro", "nikon")
_MAKES = ("com.apple.quicktime.make", "com.android.manufacturer", "make")
_MODELS = ("com.apple.quicktime.model", "com.android.model", "model")


@dataclass(frozen=True, slots=True)
class Capture:
    """When a video was recorded, and with which camera.

    Attributes:
        time: seconds since 1970 in UTC, or None. A time without a zone is taken as local.
        source: "creation date", "date recorded", "file name" or "creation time"; "unknown" without
            a time.
        camera: make and model, or None.
    """

    time: float | None = None
    source: str = "unknown"
    camera: str | None = None


def capture_of(container: InputContainer, path: Path, *, now: datetime | None = None) -> Capture:
    """Read the capture time and camera of an open file; `now` is the current time, in UTC."""
    tags = _tags(container)
    camera = _camera(tags)
    latest = (now or datetime.now(UTC)) + _TOMORROW
    for source, found in _times(tags, path, local=_writes_local_time(tags, camera)):
        if _is_possible(found, latest):
            return Capture(time=found.timestamp(), source=source, camera=camera)
    return Capture(camera=camera)


def _tags(container: InputContainer) -> dict[str, str]:
    """The tags of the file and of its streams by lower-case name; the file's come first."""
    tags: dict[str, str] = {}
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        for name, value in metadata.items():
            tags.setdefault(name.lower(), value.strip())
    return tags


def _times(tags: Tags, path: Path, *, local: bool) -> Iterator[tuple[str, datetime]]:
    """The capture times that the file claims, the most trusted first."""
    ways: tuple[tuple[str, Callable[[], datetime | None]], ...] = (
        ("creation date", lambda: _parsed(tags.get("com.apple.quicktime.creationdate"))),
        ("date recorded", lambda: _parsed(tags.get("date_recorded"))),
        ("file name", lambda: _named(path.name)),
        ("creation time", lambda: _parsed(tags.get("creation_time"), local=local)),
    )
    for source, read in ways:
        found = read()
        if found is not None:
            yield source, found


def _parsed(text: str | None, *, local: bool = False) -> datetime | None:
    """A time in ISO 8601, with `local` without its zone."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
    return found.replace(tzinfo=None) if local else found


def _named(name: str) -> datetime | None:
    """The time in a file's name, as in `PXL_20240601_103456789.mp4`."""
    match = _NAMED.search(name)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(value or 0) for value in match.groups())
    zone = UTC if name.startswith("PXL_") else None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:  # such as a 31st of June
        return None


def _is_possible(found: datetime, latest: datetime) -> bool:
    day = found.date()
    if day < _EARLIEST or day == _EPOCH:
        return False
    return found.astimezone(UTC) <= latest


def _writes_local_time(tags: Tags, camera: str | None) -> bool:
    known = " ".join((camera or "", *(tags.get(name, "") for name in ("firmware", "handler_name"))))
    return any(maker in known.lower() for maker in _LOCAL_TIME_MAKERS)


def _camera(tags: Tags) -> str | None:
    make = next((tags[name] for name in _MAKES if tags.get(name)), "")
    model = next((tags[name] for name in _MODELS if tags.get(name)), "")
    named = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return named.strip()[:_MOST_LETTERS] or None
