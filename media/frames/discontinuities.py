"""Whether a film's clock restarts, told without reading all of it."""

from itertools import pairwise
from pathlib import Path

import av.error

from media.container.source import BROADCAST_CONTAINERS, Source, open_source, read_packets
from media.frames.layout import Layout

_SAMPLES = 48
_PACKETS_EACH = 4  # read at each place to find one with a time stamp


def has_discontinuity(path: Path, layout: Layout) -> bool:
    """Whether the times of the film at `path` mean nothing to a seek.

    Where `layout` does not know, the clock is looked at in some places all over the file. A restart
    that hides between two of them is missed. Only streams that are sought by their time stamps are
    looked at: elsewhere a seek leads to what an index knows, and playing on passes the restart.

    Raises `MediaError` where the file cannot be opened.
    """
    if layout.restarts is not None:
        return layout.restarts
    with open_source(path, stream_index=layout.stream_index, threads=1) as source:
        if source.container_name not in BROADCAST_CONTAINERS:
            return False
        size = path.stat().st_size
        clock = [_clock_at(source, size * index // _SAMPLES) for index in range(_SAMPLES)]
    known = [stamp for stamp in clock if stamp is not None]
    return any(later < earlier for earlier, later in pairwise(known))


def _clock_at(source: Source, position: int) -> int | None:
    """The first time stamp from a byte of the file on."""
    try:
        source.container.seek(position, stream=source.stream, unsupported_byte_offset=True)
    except (av.error.FFmpegError, OSError):
        return None
    for _, packet in zip(range(_PACKETS_EACH), read_packets(source), strict=False):
        if packet.dts is not None:
            return packet.dts
    return None
