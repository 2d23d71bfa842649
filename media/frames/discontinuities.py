"""Discontinuities of a video's timestamps, found by samples without reading the whole file."""

from itertools import pairwise
from pathlib import Path

import av.error

from media.container.source import BROADCAST_CONTAINERS, Source, open_source, read_packets
from media.frames.layout import Layout

_SAMPLES = 48
_PACKETS_EACH = 4  # read at each sample to find one with a timestamp


def has_discontinuity(path: Path, layout: Layout) -> bool:
    """Whether timestamps of the video at `path` restart, so that they cannot be used for a seek.

    Answered from `layout` if it was made by a scan of all packets, else by samples all over the
    file; a restart between two samples whose timestamps ascend all the same is missed. Samples are
    taken only in containers that are sought by timestamp: elsewhere a seek uses an index, and
    decoding from there passes the restart.

    Raises `MediaError` if the file cannot be opened.
    """
    if layout.restarts is not None:
        return layout.restarts
    with open_source(path, stream_index=layout.stream_index) as source:
        if source.container_name not in BROADCAST_CONTAINERS:
            return False
        size = path.stat().st_size
        samples = [_timestamp_at(source, size * index // _SAMPLES) for index in range(_SAMPLES)]
    known = [timestamp for timestamp in samples if timestamp is not None]
    return any(later < earlier for earlier, later in pairwise(known))


def _timestamp_at(source: Source, offset: int) -> int | None:
    """The first decoding timestamp behind a byte of the file."""
    try:
        source.container.seek(offset, stream=source.stream, unsupported_byte_offset=True)
    except (av.error.FFmpegError, OSError):
        return None
    for _, packet in zip(range(_PACKETS_EACH), read_packets(source), strict=False):
        if packet.dts is not None:
            return packet.dts
    return None
