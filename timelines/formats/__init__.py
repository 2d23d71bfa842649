"""The formats of timelines, by the suffix of the file."""

from collections.abc import Callable

from timelines.formats import edl, fcp7, fcpxml, otio, players, tables
from timelines.formats.errors import TimelineError
from timelines.timeline import Timeline

FORMATS: dict[str, Callable[[Timeline], bytes]] = {
    ".fcpxml": fcpxml.written,
    ".xml": fcp7.written,
    ".edl": edl.written,
    ".otio": otio.written,
    ".csv": tables.csv,
    ".json": tables.json,
    ".m3u8": players.m3u8,
    ".xspf": players.xspf,
    ".vtt": players.vtt,
}


def written(timeline: Timeline, suffix: str) -> bytes:
    """The file of a timeline. Raises TimelineError for what the format cannot hold."""
    return FORMATS[suffix](timeline)


__all__ = ["FORMATS", "TimelineError", "written"]
