"""The decoded pictures of a film in the order in which they are shown, with their times."""

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path

import av.error
from av.video.frame import VideoFrame

from media.container.source import BARE_STREAMS, Source, open_source
from media.damage.packet_damage import DecodingDamage
from media.frames.discontinuities import has_discontinuity
from media.frames.frame_plan import TIME_TOLERANCE
from media.frames.layout import Layout
from media.packets.packet_table import GUESSING_CONTAINERS
from media.packets.timeline import corrected_packets

# Frames by which a decoder may hand out its time stamps too late: those of containers that store
# no presentation times are guessed when packets are read, and get permuted where B-frames are.
_STAMP_DELAY = 2
_GUESSED_STAMP_DELAY = 16
_SEEK_FROM = 10.0  # seconds into the film below which decoding from the start is cheap enough
_REORDERED_SECONDS = 10.0  # beyond a wanted time in which its key frame might still come
_SEEK_MARGINS = (0.0, 30.0)  # seconds before the wanted time; then the beginning of the file


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One decoded frame, as the decoder stores it.

    `time` is in seconds on the file's clock; `duration` in seconds, 0 where not known.
    """

    time: float
    duration: float
    stored: VideoFrame


def decode_sequential(
    path: Path,
    layout: Layout,
    *,
    start: float = 0.0,
    threads: int = 0,
    accelerator: str | None = None,
    forgiving: bool = True,
    damage: DecodingDamage | None = None,
) -> Generator[DecodedFrame, None, None]:
    """Decode the film forward, from its key frame at or before `start` seconds, to its end.

    The first picture is not later than `start`, unless the film begins later. Times never go
    backwards. What cannot be decoded is passed over, and noted in `damage`; without `forgiving`
    that is also what a decoder would patch up. The file is closed when the generator is.

    Raises `MediaError` where the file cannot be opened.
    """
    for way in _ways_to(path, layout, start=start):
        with open_source(
            path,
            stream_index=layout.stream_index,
            threads=threads,
            accelerator=accelerator,
            forgiving=forgiving,
        ) as source:
            if way.seek_to is not None and not _seek(source, layout, time=way.seek_to):
                continue
            pictures = _in_order(source, layout, skip=way.skip, damage=damage or DecodingDamage())
            first = next(pictures, None)
            if way.seek_to is not None and (first is None or first.time > start + TIME_TOLERANCE):
                continue  # the seek landed too late, as it may in containers without an index
            if first is not None:
                yield first
                yield from pictures
            return


@dataclass(frozen=True, slots=True)
class _Way:
    """How to get near a moment: by a seek to a time in seconds, or by passing over packets."""

    seek_to: float | None = None
    skip: int = 0


def _ways_to(path: Path, layout: Layout, *, start: float) -> Iterator[_Way]:
    """Ways to get to `start`, each surer and slower than the one before."""
    if start >= _SEEK_FROM:
        if has_discontinuity(path, layout):
            yield _Way(skip=_packets_before(path, layout, time=start))
            return
        for margin in _SEEK_MARGINS:
            yield _Way(seek_to=start - margin)
    yield _Way()


def _packets_before(path: Path, layout: Layout, *, time: float) -> int:
    """How many packets come before the last key frame at or before `time`, without decoding."""
    count = 0
    with open_source(path, stream_index=layout.stream_index, threads=1) as source:
        for index, packet in enumerate(corrected_packets(source)):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is None:
                continue
            seconds = layout.clock.seconds(stamp)
            if packet.is_keyframe and seconds <= time + TIME_TOLERANCE:
                count = index
            if seconds > time + _REORDERED_SECONDS:
                break
    return count


def displayed_at(
    pictures: Iterable[DecodedFrame], times: Sequence[float]
) -> Iterator[DecodedFrame]:
    """For each of the ascending `times` the picture on display, from pictures in order of time.

    Takes no more pictures than needed. Yields nothing if there are no pictures.
    """
    if not times:
        return
    wanted = 0
    shown: DecodedFrame | None = None
    for picture in pictures:
        while shown is not None and times[wanted] + TIME_TOLERANCE < picture.time:
            yield shown
            wanted += 1
            if wanted == len(times):
                return
        shown = picture
    if shown is not None:
        for _ in times[wanted:]:
            yield shown


def _seek(source: Source, layout: Layout, *, time: float) -> bool:
    """Go to the key frame at or before `time`; whether the container could."""
    if source.container_name in BARE_STREAMS:
        return False  # its packets are counted from the beginning
    try:
        source.container.seek(layout.clock.stamp(time), stream=source.stream)
    except (av.error.FFmpegError, OSError):
        return False
    return True


def _in_order(
    source: Source, layout: Layout, *, skip: int, damage: DecodingDamage
) -> Iterator[DecodedFrame]:
    """Pair each decoded frame with the time at which it is shown.

    Decoders hand out frames in the order in which they are shown, but some time stamps permuted:
    the earliest of the last few belongs to the oldest frame.
    """
    guessed = source.container_name in GUESSING_CONTAINERS
    delay = _GUESSED_STAMP_DELAY if guessed else _STAMP_DELAY
    damage.begin(source, clock=layout.clock)
    clock = _SteadyClock(layout)
    waiting: deque[VideoFrame] = deque()
    stamps: list[int] = []
    for frame in _decoded(source, skip=skip, damage=damage):
        waiting.append(frame)
        heappush(stamps, clock.stamp(frame))
        if len(waiting) > delay:
            yield clock.picture(waiting.popleft(), stamp=heappop(stamps))
    while waiting:
        yield clock.picture(waiting.popleft(), stamp=heappop(stamps))


@dataclass(slots=True)
class _SteadyClock:
    """Turns time stamps into seconds that never go backwards."""

    layout: Layout
    _previous_stamp: int | None = None
    _latest: float = -math.inf

    def stamp(self, frame: VideoFrame) -> int:
        """The frame's time stamp; where it has none, just after the one before."""
        stamp = frame.dts if frame.pts is None else frame.pts
        if stamp is None:
            known = self.layout.first_pts if self._previous_stamp is None else self._previous_stamp
            stamp = known + max(frame.duration or 0, 1)
        self._previous_stamp = stamp
        return stamp

    def picture(self, frame: VideoFrame, *, stamp: int) -> DecodedFrame:
        self._latest = max(self._latest, self.layout.clock.seconds(stamp))
        duration = float(max(frame.duration or 0, 0) * self.layout.clock.unit)
        return DecodedFrame(time=self._latest, duration=duration, stored=frame)


def _decoded(source: Source, *, skip: int, damage: DecodingDamage) -> Iterator[VideoFrame]:
    """All frames that can be decoded, in the order in which they are shown."""
    packets = corrected_packets(source, watcher=damage)
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
