"""Edit decision lists, CMX 3600: one track, in ASCII, in the list's rate."""

from collections.abc import Iterator

from timelines.formats.errors import TimelineError
from timelines.formats.names import ascii_line, reels
from timelines.timeline import Placed, Timeline

_MOST_EVENTS = 999
_TITLE_LETTERS = 70
_WORDS = {0: "V", 1: "B"}  # for the channels of sound; with more AA/V, which are two


def written(timeline: Timeline) -> bytes:
    """The list as an EDL. Raises TimelineError for more events than it can number."""
    if len(timeline.items) > _MOST_EVENTS:
        raise TimelineError(
            f"an EDL holds {_MOST_EVENTS} moments at most, and these are {len(timeline.items):,};"
            " ask for fewer, or write .fcpxml, .xml or .otio"
        )
    return "".join(f"{one}\r\n" for one in _lines(timeline)).encode("ascii")


def _lines(timeline: Timeline) -> Iterator[str]:
    reel_of = reels(timeline.sources)
    yield f"TITLE: {ascii_line(timeline.name)[:_TITLE_LETTERS]}"
    yield f"FCM: {'DROP FRAME' if timeline.rate.drop else 'NON-DROP FRAME'}"
    yield ""
    for number, placed in enumerate(timeline.placed, start=1):
        item = placed.item
        words = _WORDS.get(item.source.channels, "AA/V")
        times = " ".join(_times(timeline, placed))
        yield f"{number:03}  {reel_of[item.source.path]:<8} {words:<5} C        {times}"
        yield f"* FROM CLIP NAME: {ascii_line(item.source.path.name)}"
        if item.source.by_seconds:
            yield f"* COMMENT: {ascii_line(item.source.by_seconds).upper()}"
        for marker in item.markers:
            at = placed.begin + int(marker.frame * timeline.rate.exact / item.source.rate.exact)
            label = timeline.rate.label(timeline.rate.hour + at)
            text = f"{marker.note}: {marker.text}" if marker.note else marker.text
            yield f"* LOC: {label} GREEN   {ascii_line(text)}"


def _times(timeline: Timeline, placed: Placed) -> Iterator[str]:
    """Source in and out, record in and out: both last equally long.

    A tape is found by its labels: of another rate than the list's, hours, minutes and seconds stay.
    """
    rate, item = timeline.rate, placed.item
    number, counted = item.source.start + item.first, item.source.rate
    if counted.exact != rate.exact:
        number, counted = rate.with_label_of(number, counted), rate
    for frame in (number, number + placed.end - placed.begin):
        yield counted.label(frame)
    for frame in (placed.begin, placed.end):
        yield rate.label(rate.hour + frame)
