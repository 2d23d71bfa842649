"""Copying of a moment's packets: from the key frame before it, hidden by an edit list up to it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, cast

import av.error
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from media.container.clock import duration_of
from media.container.source import BARE_STREAMS, Source, open_source
from media.cutting.edit_lists import Played
from media.cutting.points import NEAR, ROUNDED, out_point
from media.cutting.traits import kept_metadata
from media.errors import NotCopiedError, PointsError
from media.frames.discontinuities import has_discontinuity
from media.frames.layout import Layout
from media.packets.packet_table import GUESSING_CONTAINERS
from media.packets.timeline import corrected_packets

_MARGINS = (0, 5, 30, None)  # seconds before the wanted time; then the beginning of the file
_SOUND_MARGINS = (1, 5, 30, None)  # sound may be stored before pictures of its time, or after them
_COMPANY = 32  # packets in a row behind the out point, after which none before it comes
_BEYOND = Fraction(1, 2)  # second behind the out point up to which packets are looked at
# Seconds of sound before the in point that decoders are fed: Opus needs 80 ms (RFC 7845, 4.6).
_PREROLL = Fraction(1, 10)
_JUMP = Fraction(1, 20)  # second by which a timestamp of sound may be off before it is believed

# Codecs that MP4 files hold, and those for which it has to be QuickTime's older form of them.
_MP4 = frozenset({
    "aac", "ac3", "alac", "av1", "eac3", "flac", "h264", "hevc", "mjpeg", "mp2", "mp3",
    "mpeg1video", "mpeg2video", "mpeg4", "opus", "vorbis", "vp9",
})  # fmt: skip
_QUICKTIME = frozenset({
    "adpcm_ima_qt", "dnxhd", "dvvideo", "h263", "pcm_alaw", "pcm_f32be", "pcm_f32le", "pcm_mulaw",
    "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le", "pcm_u8",
    "prores", "qtrle",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """The packets of the pictures of a moment, and its points in units of the stream's time base.

    `times` are the timestamps (dts, pts) of the packets in the order in which they are stored, by
    the file's clock; the first belongs to a key frame. `hides` is whether they hold pictures
    outside of the points. `suffix` is that of a file which the codecs fit into. `margin` is how
    many seconds before the key frame has to be sought; None: not at all.
    """

    path: Path
    layout: Layout
    begin: int
    end: int
    times: Sequence[tuple[int, int]]
    hides: bool
    suffix: str
    margin: int | None

    @property
    def start(self) -> Fraction:
        """The in point in seconds of the file's timestamps."""
        return self.begin * self.layout.clock.unit

    @property
    def length(self) -> Fraction:
        """Seconds from the in point to the out point."""
        return (self.end - self.begin) * self.layout.clock.unit


@dataclass(frozen=True, slots=True)
class _Row:
    pts: int
    key: bool
    discard: bool
    end: int


def plan_copy(path: Path, layout: Layout, *, start: float, end: float) -> CopyPlan:
    """Plan to copy the moment from `start` to `end`, in seconds on the file's clock.

    Both are moved as `media.cutting.points` says. Raises `NotCopiedError`
    where a copy would not be exact or not be played, `PointsError` for a moment behind the end.
    """
    clock = layout.clock
    begin, stop = ((Fraction(time) + clock.zero) / clock.unit for time in (start, end))
    suffix = _suffix(path, layout)
    margin, rows = _rows(path, layout, begin, stop + _BEYOND / clock.unit)
    shown = [row for row in rows if not row.discard and row.pts >= rows[0].pts]
    final = max((row.end for row in shown), default=0)
    if begin + ROUNDED / clock.unit >= final:
        raise PointsError(f"its pictures end before {start:.3f} s, where the moment begins")
    edges = [*sorted(row.pts for row in shown), final]
    # Players differ in what they show of a picture that begins before an edit: it is whole.
    rounded = ROUNDED / clock.unit
    first = max((edge for edge in edges[:-1] if edge <= begin + rounded), default=edges[0])
    behind = next((edge for edge in edges if edge > first and edge >= stop - rounded), final)
    last = int(out_point(clock.unit * stop, Fraction(clock.unit * behind)) / clock.unit)
    times = _times(rows, first, last)
    hides = any(not first <= pts < last for _, pts in times) or begin - first > NEAR / clock.unit
    return CopyPlan(path, layout, first, last, times, hides, suffix, margin)


def _suffix(path: Path, layout: Layout) -> str:
    """The suffix of a file that the codecs fit into."""
    with open_source(path, stream_index=layout.stream_index) as source:
        guesses = source.container_name in GUESSING_CONTAINERS
        reorders = source.stream.codec_context.has_b_frames
        if source.container_name in BARE_STREAMS or (guesses and reorders):
            raise NotCopiedError("its container does not store when its pictures are shown")
        streams: list[Stream] = [source.stream, *sounds_of(source)]
        codecs = {stream.codec_context.codec.canonical_name for stream in streams}
    strange = codecs - _MP4 - _QUICKTIME
    if strange:
        raise NotCopiedError(f"MP4 files hold no {', '.join(sorted(strange))}")
    if has_discontinuity(path, layout):
        raise NotCopiedError("its clock starts anew in between")
    return ".mp4" if codecs <= _MP4 else ".mov"


def _rows(
    path: Path, layout: Layout, begin: Fraction, enough: Fraction
) -> tuple[int | None, list[_Row]]:
    """The packets from a key frame at or before `begin` on, and the margin with which it is found.

    They go on until no picture before `enough` can follow.
    """
    for margin in _MARGINS:
        with _opened_at(path, layout, begin, margin) as source:
            rows: list[_Row] = []
            late, edited = 0, _edited_end(source)
            for packet in _from_key_frame(source):
                if packet.pts is None:
                    raise NotCopiedError("it lacks times of its pictures")
                end = packet.pts + duration_of(packet)
                end = edited if packet.pts < edited < end else end
                rows.append(_Row(packet.pts, packet.is_keyframe, packet.is_discard, end))
                late = late + 1 if packet.pts > enough else 0
                if late >= _COMPANY or (packet.dts is not None and packet.dts > enough):
                    break
        if margin is None or (rows and rows[0].pts <= begin):
            return margin, rows
    return None, []


def _edited_end(source: Source) -> int:
    """Where the edit list of an MP4 file ends, which may be within a picture; 0 where unknown."""
    if source.container_name != "mov" or source.stream.start_time is None:
        return 0
    return source.stream.start_time + (source.stream.duration or 0)


def _times(rows: Sequence[_Row], begin: int, end: int) -> list[tuple[int, int]]:
    """Timestamps (dts, pts) of the packets that the pictures from `begin` to `end` need.

    Containers such as Matroska lack some decoding timestamps, so they are made of the others.
    """
    first = max(number for number, row in enumerate(rows) if row.key and row.pts <= begin)
    last = max(number for number, row in enumerate(rows) if row.pts < end)
    # Pictures that are shown before the key frame need others that are not copied.
    taken = [row for row in rows[first : last + 1] if row.pts >= rows[first].pts]
    if any(row.discard and row.pts >= begin for row in taken):
        raise NotCopiedError("its edit list leaves out parts of it")
    ordered = sorted(row.pts for row in taken)
    if any(earlier == later for earlier, later in pairwise(ordered)):
        raise NotCopiedError("some of its pictures have the same time")
    delay = max(stamp - row.pts for stamp, row in zip(ordered, taken, strict=True))
    return [(stamp - delay, row.pts) for stamp, row in zip(ordered, taken, strict=True)]


@contextmanager
def _opened_at(path: Path, layout: Layout, time: Fraction, margin: int | None) -> Iterator[Source]:
    """Open a file `margin` seconds before a time in units of its pictures; None: at its start."""
    with open_source(path, stream_index=layout.stream_index) as source:
        if margin is not None:
            with suppress(av.error.FFmpegError, OSError):
                source.container.seek(int(time - margin / source.unit), stream=source.stream)
        yield source


def _from_key_frame(source: Source) -> Iterator["Packet[VideoStream]"]:
    """The packets from here on that hold pictures, from the first key frame on."""
    begun = False
    for packet in corrected_packets(source):
        begun = begun or packet.is_keyframe
        if begun and packet.size:
            yield packet


def sounds_of(source: Source) -> list[AudioStream]:
    """The audio streams that can be decoded here, and whose form is known."""
    found = [stream for stream in source.container.streams.audio if stream.codec_context]
    return [one for one in found if one.sample_rate and one.channels and one.format is not None]


class CopiedPictures:
    """Track of copied pictures; open as long as `stack`."""

    def __init__(self, plan: CopyPlan, stack: ExitStack) -> None:
        self._plan = plan
        key = Fraction(plan.times[0][1])
        self.source = stack.enter_context(_opened_at(plan.path, plan.layout, key, plan.margin))

    def add_to(self, container: OutputContainer) -> VideoStream:
        """Add the stream."""
        added: VideoStream = _added(container, self.source.stream)
        if added.codec_context.codec.canonical_name == "hevc":
            added.codec_context.codec_tag = "hvc1"  # Apple's players know no other
        self._stream = added
        return added

    @property
    def start(self) -> Fraction:
        """The in point in seconds of the file's timestamps."""
        return self._plan.start

    @property
    def played(self) -> Played:
        """When it is played."""
        return Played(Fraction(0), self._plan.length)

    def packets(self) -> "Iterator[Packet[Stream]]":
        """The packets, in the order in which they are stored.

        Raises `NotCopiedError` if the file is no longer as it was when this was planned.
        """
        wanted = iter(self._plan.times)
        dts, pts = key = next(wanted)
        for packet in _from_key_frame(self.source):
            if packet.pts is None or packet.pts < key[1] or packet.pts != pts:
                continue
            packet.dts, packet.pts = (stamp - self._plan.begin for stamp in (dts, pts))
            packet.stream = self._stream
            yield cast("Packet[Stream]", packet)
            following = next(wanted, None)
            if following is None:
                return
            dts, pts = following
        raise NotCopiedError("it changed while it was copied")


class CopiedSound:
    """Track of copied sound; open as long as `stack`."""

    def __init__(self, plan: CopyPlan, index: int, stack: ExitStack) -> None:
        self._plan, self._index = plan, index
        self._source, self._ahead = self._opened(stack)
        stream = cast(AudioStream, self._source.container.streams[index])
        self._rate = stream.codec_context.sample_rate
        self._frame_size = stream.codec_context.frame_size or 0
        self._begin: int | None = None
        self._end = 0

    def _opened(self, stack: ExitStack) -> "tuple[Source, Iterator[Packet[Stream]]]":
        """The file at a place from which the sound before the in point is read."""
        key = self._plan.start / self._plan.layout.clock.unit
        for margin in _SOUND_MARGINS:
            with ExitStack() as trial:
                source = trial.enter_context(
                    _opened_at(self._plan.path, self._plan.layout, key, margin)
                )
                packets = _timed(source.container.demux(source.container.streams[self._index]))
                first = next(packets, None)
                if margin is None or (first and self._time(first) <= -_PREROLL):
                    stack.push(trial.pop_all())
                    return source, chain([first] if first else [], packets)
        raise AssertionError("the last margin is always taken")

    def _time(self, packet: "Packet[Stream]") -> Fraction:
        """When a packet is heard, in seconds from the in point."""
        return (packet.pts or 0) * packet.time_base - self._plan.start

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Add the stream."""
        self._stream = _added(container, self._source.container.streams[self._index])
        return cast(AudioStream, self._stream)

    @property
    def played(self) -> Played:
        """When it is played, as soon as all packets were taken."""
        begin = max(0, self._begin or 0)
        end = min(Fraction(self._end, self._rate), self._plan.length)
        return Played(min(Fraction(begin, self._rate), end), end)

    def packets(self) -> "Iterator[Packet[Stream]]":
        """The packets; their times are those of samples that follow each other without holes."""
        for packet in self._ahead:
            time = self._time(packet)
            if time >= self._plan.length:
                return
            lasts = round(duration_of(packet) * packet.time_base * self._rate)
            position = round(time * self._rate)
            if self._begin is None:
                if time + Fraction(lasts, self._rate) <= -_PREROLL:
                    continue
                self._begin = self._end = position
            # Timestamps in milliseconds would tear tiny holes.
            if abs(position - self._end) <= _JUMP * self._rate and position != self._end:
                position = self._end if self._frame_size else max(position, self._end)
            packet.time_base = Fraction(1, self._rate)
            packet.dts = packet.pts = position
            packet.duration = self._frame_size or lasts
            self._end = position + (packet.duration or 0)
            packet.stream = self._stream
            yield packet


def _timed(packets: "Iterator[Packet[Stream]]") -> "Iterator[Packet[Stream]]":
    """Those that hold something, and say when it is heard."""
    try:
        yield from (packet for packet in packets if packet.size and packet.pts is not None)
    except (av.error.FFmpegError, OSError, IndexError):
        return  # what was read so far is whole


def _added(container: OutputContainer, stream: Stream) -> Any:
    """Add a stream for packets of another one."""
    added = container.add_stream_from_template(stream, opaque=True)
    added.time_base = stream.time_base
    added.metadata.update(kept_metadata(stream))
    return added
