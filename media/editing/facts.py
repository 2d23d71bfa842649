"""What an editing program has to know of a film: exact rate, start timecode, sizes, sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.error
import numpy as np
from numpy.typing import NDArray

from media.container.clock import duration_of, timestamp_of
from media.container.source import (
    BARE_STREAMS,
    BROADCAST_CONTAINERS,
    Source,
    open_source,
    read_packets,
)
from media.editing.rates import FrameRate, frame_rate_of
from media.editing.timecodes import StartTimecode, start_timecode
from media.frames.layout import Layout, layout_of
from media.frames.orientation import Orientation
from media.packets.packet_table import GUESSING_CONTAINERS
from media.packets.scan import scan_packets

_IN_A_RUN = 128  # packets that tell a rate: 24 from 23.976 by 5 ms
REORDERED = 17  # packets within which codecs change the order of pictures, and one
_LAST_SECONDS = 2
_INDEXED = "mov"  # the container whose index has the time of each picture
_PLACES = (Fraction(0), Fraction(1, 2))  # parts of a film at which the rate is measured


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """A track of sound: channels, and samples per second."""

    channels: int
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What an editing program has to know of a video.

    `first` is the time of its first picture in seconds on the file's clock; `frames` the number of
    its pictures, or, where they are not counted or not `rate.constant`, what its length holds at
    that rate. `width` and `height` are those of stored pictures in pixels of the shape
    `pixel_aspect`, which are shown after `rotation` degrees clockwise. `timecode` is that of the
    first picture.
    """

    rate: FrameRate
    first: Fraction
    frames: int
    width: int
    height: int
    pixel_aspect: Fraction
    rotation: int
    timecode: StartTimecode | None
    sound: tuple[SoundTrack, ...]
    layout: Layout

    @property
    def end(self) -> Fraction:
        """The time behind the last picture, in seconds on the file's clock."""
        return self.first + self.frames / self.rate.exact


def read_facts(path: Path) -> SourceFacts:
    """Read the facts of the video at `path`: from its index, or from packets at a few places.

    Raises `MediaError`.
    """
    with open_source(path) as source:
        layout = layout_of(source, scan_packets(source, head_only=True))
    with open_source(path, stream_index=layout.stream_index) as source:
        index = _indexed(source)
        runs = list(_runs(source)) if index is None else [index.timestamps]
        rate = frame_rate_of(source.stream, runs, unit=source.unit)
        first = layout.first_pts * source.unit - layout.clock.zero
        if index is not None and rate.constant:
            frames = index.shown
        else:
            frames = round((_end(source, layout) - first) * rate.exact)
        context = source.stream.codec_context
        return SourceFacts(
            rate=rate,
            first=first,
            frames=max(frames, 1),
            width=context.width,
            height=context.height,
            pixel_aspect=source.stream.sample_aspect_ratio or Fraction(1),
            rotation=_rotation(layout.orientation),
            timecode=start_timecode(path, source.container, base=round(rate.exact) or 1),
            sound=tuple(_sound(source)),
            layout=layout,
        )


@dataclass(frozen=True, slots=True)
class _Index:
    """Decoding times of all pictures, ascending, and how many of them are shown.

    At a constant rate they are as far apart as the times of display.
    """

    timestamps: NDArray[np.int64]
    shown: int


def _indexed(source: Source) -> _Index | None:
    """The index of a film whose container has one of single pictures."""
    entries = source.stream.index_entries
    if source.container_name != _INDEXED or len(entries) < max(source.stream.frames, 1):
        return None
    read = [(entry.timestamp, entry.is_discard) for entry in entries]
    timestamps = np.array([timestamp for timestamp, _ in read], dtype=np.int64)
    return _Index(timestamps, shown=sum(not hidden for _, hidden in read))


def _runs(source: Source) -> Iterator[NDArray[np.int64]]:
    """Timestamps of pictures that follow each other, ascending, from a few places of a film."""
    if source.container_name in GUESSING_CONTAINERS:
        return  # their pictures are counted, at the rate of the header
    for part in _PLACES:
        if part and not _sought(source, part * (source.container.duration or 0)):
            return
        stored = [pts for pts, _ in _timestamps(source, most=_IN_A_RUN)]
        # Where reading begins or ends within the film, pictures lack that are stored elsewhere.
        ends = len(stored) - REORDERED if len(stored) == _IN_A_RUN else len(stored)
        yield np.unique(np.array(stored, dtype=np.int64))[REORDERED if part else 0 : ends]


def _timestamps(source: Source, *, most: int | None = None) -> Iterator[tuple[int, int]]:
    """Timestamps and durations of the next packets that are shown, as they are stored."""
    count = 0
    for packet in read_packets(source):  # a damaged film is known as far as it can be read
        pts = timestamp_of(packet)
        if packet.size and pts is not None and not packet.is_discard:
            yield pts, duration_of(packet)
            count += 1
        if count == most:
            return


def _sought(source: Source, microseconds: Fraction) -> bool:
    if source.container_name in BARE_STREAMS:
        return False
    try:
        source.container.seek((source.container.start_time or 0) + int(microseconds))
    except (av.error.FFmpegError, OSError):
        return False
    return True


def _end(source: Source, layout: Layout) -> Fraction:
    """The time behind the last picture, in seconds on the file's clock.

    From the last packets, or, where those cannot be found, from what the header tells.
    """
    container = source.container
    told = container.duration or 0
    if source.container_name not in BROADCAST_CONTAINERS | GUESSING_CONTAINERS and _sought(
        source, Fraction(max(0, told - _LAST_SECONDS * av.time_base))
    ):
        last = max(_timestamps(source), default=None)
        if last is not None:
            step = last[1] or round(1 / (source.stream.average_rate or 25) / source.unit)
            return (last[0] + step) * source.unit - layout.clock.zero
    stream = source.stream
    if stream.duration:
        return layout.first_pts * source.unit + stream.duration * source.unit - layout.clock.zero
    return Fraction((container.start_time or 0) + told, av.time_base) - layout.clock.zero


def _rotation(orientation: Orientation) -> int:
    """Degrees clockwise; mirrors are not counted."""
    if orientation.transposed:
        return 90 if orientation.flipped_x else 270
    return 180 if orientation.flipped_y else 0


def _sound(source: Source) -> Iterator[SoundTrack]:
    for stream in source.container.streams.audio:
        context = stream.codec_context
        if context is not None and context.channels and context.sample_rate:
            yield SoundTrack(context.channels, context.sample_rate)
