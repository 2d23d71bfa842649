"""Pictures on display at given times, found by the packets around them; nothing is decoded."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av.error

from media.container.clock import duration_of, timestamp_of
from media.container.source import (
    BARE_STREAMS,
    BROADCAST_CONTAINERS,
    Source,
    open_source,
    read_packets,
)
from media.editing.facts import REORDERED, SourceFacts
from media.packets.packet_table import GUESSING_CONTAINERS

_MARGINS = (0, 30)  # seconds before a time from which packets are read; then from the beginning

Shown = tuple[Fraction, Fraction]  # first and last instant of a picture, seconds on the clock


def pictures_at(path: Path, facts: SourceFacts, times: Sequence[Fraction]) -> list[Shown]:
    """The picture on display at each of the `times`, in seconds on the file's clock.

    It is where its timestamp is; in containers that do not store those of single pictures, or may
    have cut them off, where the rate puts it. Before the first picture it is the first one, after
    the last one the last. Raises `MediaError`.
    """
    counted = BARE_STREAMS | BROADCAST_CONTAINERS | GUESSING_CONTAINERS
    with open_source(path, stream_index=facts.layout.stream_index) as source:
        if source.container_name in counted:
            return [_by_rate(facts, time) for time in times]
        return [_picture_at(source, facts, time) or _by_rate(facts, time) for time in times]


def _by_rate(facts: SourceFacts, time: Fraction) -> Shown:
    """The picture that the rate puts at a time."""
    rate = facts.rate.exact
    number = min(max((time - facts.first) * rate // 1, 0), facts.frames - 1)
    return facts.first + number / rate, facts.first + (number + 1) / rate


def _picture_at(source: Source, facts: SourceFacts, time: Fraction) -> Shown | None:
    clock, first = facts.layout.clock, facts.layout.first_pts
    wanted = max((time + clock.zero) // clock.unit, first)
    starts = [max(wanted - int(seconds / clock.unit), first) for seconds in _MARGINS]
    for start in dict.fromkeys((*starts, first)):
        try:
            source.container.seek(start, stream=source.stream)
            begin, end = _around(source, wanted)
        except (av.error.FFmpegError, OSError):
            return None
        if begin is not None:
            stop = begin * clock.unit + 1 / facts.rate.exact if end is None else end * clock.unit
            return begin * clock.unit - clock.zero, stop - clock.zero
    return None


def _around(source: Source, wanted: int) -> tuple[int | None, int | None]:
    """The last timestamp at or before the wanted one, and the next one behind it.

    Packets are read until none that follows can change the two.
    """
    begin: int | None = None
    end: int | None = None
    later = 0
    for packet in read_packets(source):
        pts = timestamp_of(packet)
        if not packet.size or pts is None or packet.is_discard:
            continue
        if pts <= wanted and (begin is None or pts > begin):
            begin, ends = pts, pts + duration_of(packet)
        elif pts > wanted:
            later += 1
            end = pts if end is None else min(end, pts)
            if later == REORDERED:
                break
    if begin is not None and end is None and ends > begin:
        end = ends
    return begin, end
