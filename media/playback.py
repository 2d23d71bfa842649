"""The decoded pictures of a film in the order in which they are shown, with their times."""

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from pathlib import Path

import av
import av.error
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.damage import Losses
from media.layout import Layout
from media.source import Source, open_source, read_packets

TIME_TOLERANCE = 1e-6  # seconds; wanted times are floats, frame times are fractions
# Frames by which a decoder may hand out its time stamps too late: those of containers that store
# no presentation times are guessed when packets are read, and get permuted where B-frames are.
_STAMP_DELAY = 2
_GUESSED_STAMP_DELAY = 16
_GUESSING_CONTAINERS = frozenset({"asf", "avi", "nsv", "nuv", "rm", "viv"})
_SEEK_FROM = 10.0  # seconds into the film below which decoding from the start is cheap enough
_SEEK_MARGINS = (0.0, 30.0)  # seconds before the wanted time; then the beginning of the file


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame, as the decoder stores it.

    `time` is in seconds from the film's first pts; `duration` in seconds, 0 where not known.
    """

    time: float
    duration: float
    stored: VideoFrame


def play(
    path: Path,
    layout: Layout,
    *,
    start: float = 0.0,
    threads: int = 0,
    losses: Losses | None = None,
) -> Generator[Picture, None, None]:
    """Decode the film forward, from its key frame at or before `start` seconds, to its end.

    The first picture is not later than `start`, unless the film begins later. Times never go
    backwards. What cannot be decoded is passed over, and noted in `losses`. The file is closed when
    the generator is.

    Raises `MediaError` where the file cannot be opened.
    """
    margins = _SEEK_MARGINS if start >= _SEEK_FROM else ()
    for margin in (*margins, None):
        with open_source(path, stream_index=layout.stream_index, threads=threads) as source:
            if margin is not None and not _seek(source, layout, time=start - margin):
                continue
            pictures = _in_order(source, layout, losses=Losses() if losses is None else losses)
            first = next(pictures, None)
            if margin is not None and (first is None or first.time > start + TIME_TOLERANCE):
                continue  # the seek landed too late, as it may in containers without an index
            if first is not None:
                yield first
                yield from pictures
            return


def displayed_at(pictures: Iterable[Picture], times: Sequence[float]) -> Iterator[Picture]:
    """For each of the ascending `times` the picture on display, from pictures in order of time.

    Takes no more pictures than needed. Yields nothing if there are no pictures.
    """
    if not times:
        return
    wanted = 0
    shown: Picture | None = None
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
    try:
        target = layout.first_pts + int(Fraction(time) / _time_base(source))
        source.container.seek(target, stream=source.stream)
    except (av.error.FFmpegError, OSError):
        return False
    return True


def _in_order(source: Source, layout: Layout, *, losses: Losses) -> Iterator[Picture]:
    """Pair each decoded frame with the time at which it is shown.

    Decoders hand out frames in the order in which they are shown, but some time stamps permuted:
    the earliest of the last few belongs to the oldest frame.
    """
    guessed = source.container.format.name in _GUESSING_CONTAINERS
    delay = _GUESSED_STAMP_DELAY if guessed else _STAMP_DELAY
    clock = _Clock(layout.first_pts, _time_base(source))
    waiting: deque[VideoFrame] = deque()
    stamps: list[int] = []
    for frame in _decoded(source, clock=clock, losses=losses):
        waiting.append(frame)
        heappush(stamps, clock.stamp(frame))
        if len(waiting) > delay:
            yield clock.picture(waiting.popleft(), stamp=heappop(stamps))
    while waiting:
        yield clock.picture(waiting.popleft(), stamp=heappop(stamps))


@dataclass(slots=True)
class _Clock:
    """Turns time stamps into seconds that never go backwards."""

    first_pts: int
    unit: Fraction
    _previous_stamp: int | None = None
    _latest: float = -math.inf

    def stamp(self, frame: VideoFrame) -> int:
        """The frame's time stamp; where it has none, just after the one before."""
        stamp = frame.dts if frame.pts is None else frame.pts
        if stamp is None:
            known = self.first_pts if self._previous_stamp is None else self._previous_stamp
            stamp = known + max(frame.duration or 0, 1)
        self._previous_stamp = stamp
        return stamp

    def seconds(self, stamp: int) -> float:
        return float((stamp - self.first_pts) * self.unit)

    def picture(self, frame: VideoFrame, *, stamp: int) -> Picture:
        self._latest = max(self._latest, self.seconds(stamp))
        duration = float(max(frame.duration or 0, 0) * self.unit)
        return Picture(time=self._latest, duration=duration, stored=frame)


def _decoded(source: Source, *, clock: _Clock, losses: Losses) -> Iterator[VideoFrame]:
    """All frames that can be decoded, in the order in which they are shown."""
    seen_key = (
        False  # before it, a recording cut out of a broadcast refers to what it does not hold
    )
    for packet in read_packets(source):
        seen_key = seen_key or packet.is_keyframe
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, OSError):
            if seen_key:  # the frames around it may be whole
                _note_loss(packet, clock=clock, losses=losses)
            continue
        yield from frames


def _note_loss(packet: "Packet[VideoStream]", *, clock: _Clock, losses: Losses) -> None:
    stamp = packet.dts if packet.pts is None else packet.pts
    if stamp is not None:
        start = clock.seconds(stamp)
        losses.add(start, end=start + float(max(packet.duration or 0, 0) * clock.unit))


def _time_base(source: Source) -> Fraction:
    return source.stream.time_base or Fraction(1, av.time_base)
