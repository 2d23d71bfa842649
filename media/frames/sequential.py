"""Sequential decoding: all frames of a video from a start time on, in display order."""

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path

import av.error
from av.video.frame import VideoFrame

from media.container.clock import duration_of, timestamp_of
from media.container.source import (
    BARE_STREAMS,
    DecoderOptions,
    Source,
    open_source,
)
from media.damage.decoding_damage import DecodingDamage
from media.frames.discontinuities import has_discontinuity
from media.frames.frame_plan import TIME_TOLERANCE
from media.frames.layout import Layout
from media.packets.packet_table import GUESSING_CONTAINERS
from media.packets.timeline import corrected_packets

SEEK_FROM = 10.0  # seconds into the video below which reading from the start is cheap enough
# Frames by which a decoder may output timestamps too late. Containers that store no presentation
# times make FFmpeg guess them while it reads packets; B-frames permute those.
_TIMESTAMP_DELAY = 2
_GUESSED_TIMESTAMP_DELAY = 16
_REORDERED_SECONDS = 10.0  # beyond a sample time in which its key frame may still be stored
_SEEK_MARGINS = (0.0, 30.0)  # seconds before the sample time; then the beginning of the file


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """Decoded frame in the decoder's size and pixel format, not yet RGB.

    `time` is in seconds on the file's clock; `duration` in seconds, 0 where unknown.
    """

    time: float
    duration: float
    stored: VideoFrame


def decode_sequential(
    path: Path,
    layout: Layout,
    *,
    options: DecoderOptions,
    start: float = 0.0,
    damage: DecodingDamage | None = None,
) -> Generator[DecodedFrame, None, None]:
    """Decode a video forward, from the key frame at or before `start` seconds to its end.

    The first frame is not later than `start`, unless the video begins later. Times never decrease.
    What cannot be decoded is skipped and added to `damage`. The file is closed with the generator.

    Raises `MediaError` if the file cannot be opened.
    """
    damage = damage or DecodingDamage()
    for strategy in _seek_strategies(path, layout, start=start):
        with open_source(path, stream_index=layout.stream_index, options=options) as source:
            frames = strategy.frames(source, layout, damage=damage)
            first = next(frames, None)
            sought = strategy.seek_to is not None
            if sought and (first is None or first.time > start + TIME_TOLERANCE):
                continue  # no seek, or too far, as it may be in containers without an index
            if first is not None:
                yield first
                yield from frames
            return


@dataclass(frozen=True, slots=True)
class SeekStrategy:
    """Way to a start time: a seek to `seek_to` seconds, or skipping the first `skip` packets."""

    seek_to: float | None = None
    skip: int = 0

    def frames(
        self, source: Source, layout: Layout, *, damage: DecodingDamage
    ) -> Iterator[DecodedFrame]:
        """Decode from there to the end, in display order; nothing if the container cannot seek.

        Decoders output frames in display order, but with some timestamps permuted: the earliest of
        the last few belongs to the oldest frame.
        """
        if self.seek_to is not None and not _seek(source, layout, time=self.seek_to):
            return
        guessed = source.container_name in GUESSING_CONTAINERS
        delay = _GUESSED_TIMESTAMP_DELAY if guessed else _TIMESTAMP_DELAY
        damage.begin(source, clock=layout.clock)
        clock = _MonotonicClock(layout)
        waiting: deque[VideoFrame] = deque()
        timestamps: list[int] = []
        for frame in _decode_packets(source, skip=self.skip, damage=damage):
            waiting.append(frame)
            heappush(timestamps, clock.timestamp(frame))
            if len(waiting) > delay:
                yield clock.decoded_frame(waiting.popleft(), timestamp=heappop(timestamps))
        while waiting:
            yield clock.decoded_frame(waiting.popleft(), timestamp=heappop(timestamps))


def _seek_strategies(path: Path, layout: Layout, *, start: float) -> Iterator[SeekStrategy]:
    """Strategies to reach `start` seconds, each more reliable and slower than the one before."""
    if start >= SEEK_FROM:
        if has_discontinuity(path, layout):
            yield SeekStrategy(skip=_packets_before(path, layout, time=start))
            return
        for margin in _SEEK_MARGINS:
            yield SeekStrategy(seek_to=start - margin)
    yield SeekStrategy()


def _packets_before(path: Path, layout: Layout, *, time: float) -> int:
    """Count the packets before the last key frame at or before `time` seconds; decode nothing."""
    count = 0
    with open_source(path, stream_index=layout.stream_index) as source:
        for index, packet in enumerate(corrected_packets(source)):
            timestamp = timestamp_of(packet)
            if timestamp is None:
                continue
            seconds = layout.clock.seconds(timestamp)
            if packet.is_keyframe and seconds <= time + TIME_TOLERANCE:
                count = index
            if seconds > time + _REORDERED_SECONDS:
                break
    return count


def _seek(source: Source, layout: Layout, *, time: float) -> bool:
    """Seek to the key frame at or before `time` seconds; False if the container cannot."""
    if source.container_name in BARE_STREAMS:
        return False  # their packets are counted from the beginning
    try:
        source.container.seek(layout.clock.timestamp(time), stream=source.stream)
    except (av.error.FFmpegError, OSError):
        return False
    return True


@dataclass(slots=True)
class _MonotonicClock:
    """Times of decoded frames, in seconds that never decrease."""

    layout: Layout
    _previous: int | None = None  # timestamp
    _latest: float = -math.inf

    def timestamp(self, frame: VideoFrame) -> int:
        """The frame's timestamp; if it has none, one step after the frame before."""
        timestamp = timestamp_of(frame)
        if timestamp is None:
            known = self.layout.first_pts if self._previous is None else self._previous
            timestamp = known + max(duration_of(frame), 1)
        self._previous = timestamp
        return timestamp

    def decoded_frame(self, frame: VideoFrame, *, timestamp: int) -> DecodedFrame:
        """The frame with its time and duration in seconds."""
        clock = self.layout.clock
        self._latest = max(self._latest, clock.seconds(timestamp))
        return DecodedFrame(self._latest, float(duration_of(frame) * clock.unit), frame)


def _decode_packets(source: Source, *, skip: int, damage: DecodingDamage) -> Iterator[VideoFrame]:
    """Decode all packets but the first `skip`; add those that cannot be decoded to `damage`."""
    packets = corrected_packets(source, observer=damage)
    for packet in islice(packets, skip, None):
        damage.watch(packet)
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, OSError):
            damage.lose(packet)  # the frames around it may be whole
            continue
        for frame in frames:
            if frame.is_corrupt:
                damage.lose(frame)
            yield frame
    damage.finish()


def displayed_at(frames: Iterable[DecodedFrame], times: Sequence[float]) -> Iterator[DecodedFrame]:
    """Select from frames in order of time the one on display at each of the ascending `times`.

    `times` are seconds on the file's clock. No more frames are read than needed. Yields nothing if
    there are no frames.
    """
    if not times:
        return
    reached = 0
    shown: DecodedFrame | None = None
    for frame in frames:
        while shown is not None and times[reached] + TIME_TOLERANCE < frame.time:
            yield shown
            reached += 1
            if reached == len(times):
                return
        shown = frame
    if shown is not None:
        for _ in times[reached:]:
            yield shown


def shown_between(
    frames: Iterable[DecodedFrame], *, start: float, end: float
) -> Iterator[tuple[DecodedFrame, float, float]]:
    """Select the frames on display in [start, end), each with the seconds of its display.

    `end` may be infinite. At least one: the first frame if the video begins later, the last if it
    ends earlier.
    """
    shown: DecodedFrame | None = None
    for frame in frames:
        if shown is not None and frame.time > start + TIME_TOLERANCE:
            if frame.time >= end:
                yield shown, max(start, shown.time), end
                return
            yield shown, max(start, shown.time), frame.time
        shown = frame
    if shown is not None:
        begin = max(start, shown.time)
        yield shown, begin, min(max(end, begin), max(begin, shown.time + shown.duration))
