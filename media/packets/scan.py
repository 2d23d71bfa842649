"""Scan of all packets of a video stream: its start, end, gaps, damage and packet table."""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.error
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container.clock import MAX_HOURS, Clock, StreamStarts, duration_of, timestamp_of
from media.container.encryption import SCRAMBLED_BROADCAST, SCRAMBLED_DISC, encrypted_error
from media.container.findings import Finding, Findings
from media.container.integrity import check_integrity
from media.container.source import (
    BROADCAST_CONTAINERS,
    PacketObserver,
    PacketObservers,
    Source,
)
from media.damage.byte_gaps import ByteGaps
from media.damage.packet_damage import PacketDamage
from media.errors import LimitError, UndecodableError, UnreadableError
from media.packets.packet_table import PacketTable, PacketTableBuilder
from media.packets.references import garbled
from media.packets.timeline import Timeline, corrected_packets

MIN_GAP = 60.0  # seconds without a new frame
_NEW = 1.0  # seconds for which a frame counts as new
_REORDERED = 32  # packets among which the earliest is searched; codecs reorder by 16 at most
_HEAD = 4096  # packets read at most to find the start: over a minute of video
_NO_TRAILER = frozenset({"flv", "ivf", "nut", "rm"})  # containers that end with their last packet
_SCRAMBLED_SHARE = 0.05  # of a disc's bytes: few sectors are scrambled, but all frames need them
_FRAME_ATTEMPTS = 4  # key frames decoded at most to get one frame


@dataclass(slots=True)
class Extent:
    """Time from the first to the last packet and its end, in units of the time base."""

    first: int
    last: int
    end: int
    count: int = 1

    def add(self, pts: int, *, end: int) -> None:
        """Count in a packet. Only the last frame's end counts: durations may be wrong."""
        if self.count < _REORDERED:
            self.first = min(self.first, pts)
        if pts >= self.last:
            self.last, self.end = pts, end
        self.count += 1


@dataclass(slots=True)
class FrameGaps:
    """Intervals of more than `limit` units between two frames."""

    limit: int
    intervals: list[tuple[int, int]] = field(default_factory=list)
    _latest: int | None = None

    def add(self, pts: int) -> None:
        """Count in a new frame."""
        if self._latest is None or pts > self._latest:
            if self._latest is not None and pts - self._latest > self.limit:
                self.intervals.append((self._latest, pts))
            self._latest = pts
            return
        for index in range(len(self.intervals) - 1, -1, -1):
            start, end = self.intervals[index]
            if start < pts < end:  # a frame that is stored after one that follows it
                halves = [(start, pts), (pts, end)]
                self.intervals[index : index + 1] = [h for h in halves if h[1] - h[0] > self.limit]
            if end <= pts or index < len(self.intervals) - _REORDERED:
                return


@dataclass(slots=True)
class PacketScan:
    """Measurements of a stream, gathered while its packets are read.

    Packets that display nothing are left out: those that an edit list discards, those before the
    first key frame, and those displayed before it, whose references lie outside of the file. Of a
    stream without any key frame all packets count.
    """

    unit: Fraction  # of timestamps, in seconds
    starts: StreamStarts = field(default_factory=StreamStarts)  # of all streams of the file
    head_only: bool = False  # whether only the first packets are read
    guessed: bool = False  # whether presentation times are guessed, and begin late, as in AVI
    whole: Extent | None = None
    from_key: Extent | None = None
    first_frame: VideoFrame | None = None  # that could be decoded
    restarts: list[int] = field(default_factory=list)  # timestamps at which the clock restarts
    wrapped: bool = False  # whether the clock wrapped around
    others_end: Fraction = Fraction(0)  # of the other streams, in seconds of their timestamps
    table: PacketTable | None = None  # of all packets, if their timestamps are complete
    is_garbled: Callable[[memoryview], bool] = lambda _: False
    damage: PacketDamage = field(init=False)
    _frame_gaps: FrameGaps = field(init=False)
    _longest: float = field(init=False)
    _seen_key: bool = False
    _floor: int | None = None  # the first key frame's pts
    _lag: int | None = None  # by which guessed presentation times are late
    _attempts: int = 0

    def __post_init__(self) -> None:
        self._frame_gaps = FrameGaps(limit=int(MIN_GAP / self.unit))
        self.damage = PacketDamage(float(self.unit))
        self._longest = MAX_HOURS * 3600 / float(self.unit)

    def add(self, packet: "Packet[VideoStream]", *, before: Finding) -> None:
        """Count in a packet, in front of which `before` was found.

        Raises `UnsupportedError` for an encrypted packet, `LimitError` for too long a video.
        """
        pts = timestamp_of(packet)
        if packet.size == 0 or pts is None:
            return
        if packet.has_sidedata("encryption_info"):
            raise encrypted_error("Common Encryption")
        if packet.is_keyframe or self.whole is None:
            self._decode_first(packet)
        if packet.is_keyframe and not self._seen_key:
            self._seen_key = True
            self._floor = None if packet.is_discard else pts
        if packet.is_discard:
            return
        end = pts + min(duration_of(packet), int(self._longest))
        if self.guessed and self._lag is None and packet.dts is not None:
            self._lag = pts - packet.dts
        if self._seen_key:
            is_garbled = self.is_garbled(memoryview(packet))
            self.damage.add(packet, pts, before=before, is_garbled=is_garbled)
        self.whole = _extended(self.whole, pts, end=end)
        if self._seen_key and (self._floor is None or pts >= self._floor):
            self.from_key = _extended(self.from_key, pts, end=end)
            self._frame_gaps.add(pts)
        if pts - self.whole.first > self._longest:
            raise LimitError(f"its timestamps claim more than {MAX_HOURS} hours, the most allowed")

    @property
    def extent(self) -> Extent:
        """Extent of the packets that can be displayed.

        Raises `UndecodableError` if there are none, `UnreadableError` after a read error,
        `UnsupportedError` for a scrambled stream.
        """
        extent = self.from_key or self.whole
        if extent is None and self.damage.read_error is not None:
            raise UnreadableError(f"cannot be read: {self.damage.read_error}")
        if extent is None and self.damage.scrambled_bytes:
            raise encrypted_error(SCRAMBLED_BROADCAST)
        if extent is None:
            raise UndecodableError("its video stream is empty, or nothing of it can be read")
        return extent

    @property
    def long_intervals(self) -> list[tuple[int, int]]:
        """Intervals between two frames longer than `MIN_GAP`, in timestamps."""
        return self._frame_gaps.intervals

    @property
    def knows_start(self) -> bool:
        """Whether later packets can no longer change the start."""
        return self.from_key is not None and self.from_key.count >= _REORDERED

    def gaps(self, *, end: float) -> tuple[tuple[float, float], ...]:
        """Intervals without a new frame, in seconds; the last frame is displayed until `end`."""
        clock = self.clock
        gaps = [(clock.seconds(start), clock.seconds(stop)) for start, stop in self.long_intervals]
        last = clock.seconds(self.extent.last)
        if end - last > MIN_GAP:
            gaps.append((last, end))
        return tuple((start + _NEW, stop) for start, stop in gaps)

    @property
    def clock(self) -> Clock:
        """The file's clock; for the errors see `extent`."""
        lag = (self._lag or 0) * self.unit
        return Clock(self.starts.earliest(self.extent.first * self.unit - lag) + lag, self.unit)

    def _decode_first(self, packet: "Packet[VideoStream]") -> None:
        if self.first_frame is None and self._attempts < _FRAME_ATTEMPTS:
            self._attempts += 1
            self.first_frame = _decode_alone(packet)


def scan_packets(
    source: Source, *, head_only: bool = False, observers: Sequence[PacketObserver] = ()
) -> PacketScan:
    """Read the stream's packets: all, or with `head_only` as many as give the start.

    The `observers` are called with them, too.

    A truncated file is scanned as far as it can be read. Raises `UnsupportedError` for an encrypted
    stream, `LimitError` for too long a video.
    """
    scan = PacketScan(
        source.unit,
        StreamStarts.of(source),
        head_only=head_only,
        guessed=source.container_name == "avi",
    )
    scan.damage.in_place = source.container_name == "dv"
    if source.container_name not in BROADCAST_CONTAINERS:  # whose packets may be torn anywhere
        scan.is_garbled = garbled(source.stream.codec_context)
    builder = None if head_only else PacketTableBuilder.of(source)
    timeline = Timeline.of(source)
    fragmented = source.container_name == "mov" and source.stream.frames == 0
    with check_integrity(source) if not head_only else nullcontext(Findings()) as findings:
        byte_gaps = ByteGaps(source.stream, findings, all_streams=not head_only)
        packets = corrected_packets(
            source, timeline=timeline, observer=PacketObservers((byte_gaps, *observers))
        )
        for count, packet in enumerate(packets):
            scan.add(packet, before=byte_gaps.before_next())
            if builder is not None:
                builder.add(packet)
            if head_only and (scan.knows_start or count >= _HEAD):
                break
        scan.damage.finish(findings.up_to(math.inf))
    is_disc = source.container_name == "mpeg"
    if is_disc and scan.damage.scrambled_bytes > _SCRAMBLED_SHARE * byte_gaps.end:
        raise encrypted_error(SCRAMBLED_DISC)  # FFmpeg reads it as if it were clear
    scan.damage.read_error = byte_gaps.read_error
    if (fragmented or source.container_name in _NO_TRAILER) and not head_only:
        scan.damage.stopped_at = byte_gaps.end
    scan.restarts, scan.wrapped = timeline.restarts, timeline.wrapped
    if not (scan.restarts or scan.wrapped):  # only those of the chosen stream were corrected
        scan.others_end = byte_gaps.others.end(source.container)
    scan.table = None if builder is None else builder.table()
    return scan


def _extended(extent: Extent | None, pts: int, *, end: int) -> Extent:
    if extent is None:
        return Extent(first=pts, last=pts, end=end)
    extent.add(pts, end=end)
    return extent


def _decode_alone(packet: "Packet[VideoStream]") -> VideoFrame | None:
    """Decode one packet by itself; None if it yields no frame.

    The packet is copied without its flags: an edit list may discard it, but its orientation and
    size are those of the video.
    """
    context = packet.stream.codec_context
    try:
        frames = context.decode(av.Packet(bytes(packet))) + context.decode(None)
    except (av.error.FFmpegError, OSError):
        frames = []
    context.flush_buffers()
    return frames[0] if frames else None
