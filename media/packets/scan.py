"""One pass over a film's packets: where it begins and ends, where it stands still."""

import math
from collections.abc import Callable
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
from media.container.source import BROADCAST_CONTAINERS, Source
from media.damage.byte_gaps import ByteGaps
from media.damage.packet_damage import PacketDamage
from media.errors import LimitError, UndecodableError, UnreadableError
from media.packets.packet_table import PacketTable, PacketTableBuilder
from media.packets.references import garbled
from media.packets.timeline import Timeline, corrected_packets

STILL = 60.0  # seconds without a new picture that are worth knowing
_NEW = 1.0  # seconds for which a picture counts as new
_REORDERED = 32  # packets among which the earliest is looked for; codecs reorder by 16 at most
_HEAD = 4096  # packets read at most to find where time begins: over a minute of film
# Behind whose packets nothing much follows.
_FILLED_CONTAINERS = frozenset({"flv", "ivf", "nut", "rm"})
_SCRAMBLED_PART = 0.05  # of a disc's bytes: only some sectors are, but all pictures need them
_PICTURE_TRIES = 4  # key frames decoded at most to get one picture


@dataclass(slots=True)
class Extent:
    """The stretch of time that a run of packets covers, in units of the time base."""

    first: int
    last: int
    end: int
    count: int = 1

    def add(self, pts: int, *, end: int) -> None:
        """Count one more packet in. Only the last picture's end counts: lengths can lie."""
        if self.count < _REORDERED:
            self.first = min(self.first, pts)
        if pts >= self.last:
            self.last, self.end = pts, end
        self.count += 1


@dataclass(slots=True)
class Stillness:
    """Stretches of more than `limit` units between two pictures."""

    limit: int
    stretches: list[tuple[int, int]] = field(default_factory=list)
    _latest: int | None = None

    def add(self, pts: int) -> None:
        """Note a new picture."""
        if self._latest is None or pts > self._latest:
            if self._latest is not None and pts - self._latest > self.limit:
                self.stretches.append((self._latest, pts))
            self._latest = pts
            return
        for index in range(len(self.stretches) - 1, -1, -1):
            start, end = self.stretches[index]
            if start < pts < end:  # a picture that is stored after one that follows it
                halves = [(start, pts), (pts, end)]
                self.stretches[index : index + 1] = [h for h in halves if h[1] - h[0] > self.limit]
            if end <= pts or index < len(self.stretches) - _REORDERED:
                return


@dataclass(slots=True)
class PacketScan:
    """What the packets of a stream say, gathered as they pass.

    Packets that show nothing are left out: those that an edit list discards, those before the first
    key frame, and those shown before it, whose references lie outside of the file. A stream that
    marks no key frame at all is taken whole.
    """

    unit: Fraction  # of time stamps, in seconds
    beginnings: StreamStarts = field(default_factory=StreamStarts)  # of all streams of the file
    head_only: bool = False  # whether only the first packets are looked at
    guessed: bool = False  # whether presentation times are guessed, and begin late, as in AVI
    whole: Extent | None = None
    from_key: Extent | None = None
    upright: VideoFrame | None = None  # the first picture that could be had
    restarts: list[int] = field(default_factory=list)  # where the clock restarts
    wrapped: bool = False  # whether it ran through its numbers and began again
    others_end: Fraction = Fraction(0)  # of the other streams, in seconds of their stamps
    table: PacketTable | None = None  # of all packets, where their stamps say enough
    is_garbled: Callable[[memoryview], bool] = lambda _: False
    damage: PacketDamage = field(init=False)
    _stillness: Stillness = field(init=False)
    _longest: float = field(init=False)
    _seen_key: bool = False
    _floor: int | None = None  # the first key frame's pts
    _lag: int | None = None  # by which guessed presentation times are late
    _tries: int = 0

    def __post_init__(self) -> None:
        self._stillness = Stillness(limit=int(STILL / self.unit))
        self.damage = PacketDamage(float(self.unit))
        self._longest = MAX_HOURS * 3600 / float(self.unit)

    def add(self, packet: "Packet[VideoStream]", *, before: Finding) -> None:
        """Take note of one packet, in front of which `before` was found."""
        pts = timestamp_of(packet)
        if packet.size == 0 or pts is None:
            return
        if packet.has_sidedata("encryption_info"):
            raise encrypted_error("Common Encryption")
        if packet.is_keyframe or self.whole is None:
            self._look_at_picture(packet)
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
            self._stillness.add(pts)
        if pts - self.whole.first > self._longest:
            raise LimitError(f"its time stamps claim more than {MAX_HOURS} hours, the most allowed")

    @property
    def extent(self) -> Extent:
        """The extent of what can be shown.

        Raises `UndecodableError` if there is nothing, `UnreadableError` if the disk is to blame,
        `UnsupportedError` if it is scrambled.
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
    def stretches(self) -> list[tuple[int, int]]:
        """Stretches between two pictures, in time stamps, that are longer than `STILL`."""
        return self._stillness.stretches

    @property
    def knows_start(self) -> bool:
        """Whether later packets can no longer change where time begins."""
        return self.from_key is not None and self.from_key.count >= _REORDERED

    def gaps(self, *, end: float) -> tuple[tuple[float, float], ...]:
        """Stretches in seconds without a new picture in a film whose last one stays until `end`."""
        extent = self.extent
        clock = self.clock
        still = [(clock.seconds(start), clock.seconds(until)) for start, until in self.stretches]
        last = self.seconds(extent.last)
        if end - last > STILL:
            still.append((last, end))
        return tuple((start + _NEW, until) for start, until in still)

    @property
    def clock(self) -> Clock:
        """The file's clock; for the errors see `extent`."""
        lag = (self._lag or 0) * self.unit
        return Clock(self.beginnings.earliest(self.extent.first * self.unit - lag) + lag, self.unit)

    def seconds(self, stamp: int) -> float:
        """The file's time of `stamp`."""
        return self.clock.seconds(stamp)

    def _look_at_picture(self, packet: "Packet[VideoStream]") -> None:
        if self.upright is not None or self._tries >= _PICTURE_TRIES:
            return
        self._tries += 1
        self.upright = _decode_alone(packet)


def scan_packets(source: Source, *, head_only: bool = False) -> PacketScan:
    """Read the stream's packets: all, or just enough to know where time begins.

    A file that breaks off is scanned as far as it can be read.
    """
    scan = PacketScan(
        source.unit,
        StreamStarts.of(source),
        head_only=head_only,
        guessed=source.container_name == "avi",
    )
    scan.damage.in_place = source.container_name == "dv"
    if source.container_name not in BROADCAST_CONTAINERS:  # there packets may be torn anywhere
        scan.is_garbled = garbled(source.stream.codec_context)
    notes = None if head_only else PacketTableBuilder.of(source)
    timeline = Timeline.of(source)
    fragmented = source.container_name == "mov" and source.stream.frames == 0
    with check_integrity(source) if not head_only else nullcontext(Findings()) as findings:
        byte_gaps = ByteGaps(source.stream, findings, all_streams=not head_only)
        packets = corrected_packets(source, timeline=timeline, observer=byte_gaps)
        for count, packet in enumerate(packets):
            scan.add(packet, before=byte_gaps.before_next())
            if notes is not None:
                notes.add(packet)
            if head_only and (scan.knows_start or count >= _HEAD):
                break
        scan.damage.finish(findings.up_to(math.inf))
    if (
        source.container_name == "mpeg"
        and scan.damage.scrambled_bytes > _SCRAMBLED_PART * byte_gaps.end
    ):
        raise encrypted_error(SCRAMBLED_DISC)  # FFmpeg hands it on as if it were clear
    scan.damage.read_error = byte_gaps.read_error
    if (fragmented or source.container_name in _FILLED_CONTAINERS) and not head_only:
        scan.damage.stopped_at = byte_gaps.end
    scan.restarts, scan.wrapped = timeline.restarts, timeline.wrapped
    if not (scan.restarts or scan.wrapped):  # only the stamps of the chosen stream were put right
        scan.others_end = byte_gaps.others.end(source.container)
    scan.table = None if notes is None else notes.table()
    return scan


def _extended(extent: Extent | None, pts: int, *, end: int) -> Extent:
    if extent is None:
        return Extent(first=pts, last=pts, end=end)
    extent.add(pts, end=end)
    return extent


def _decode_alone(packet: "Packet[VideoStream]") -> VideoFrame | None:
    """The picture of one packet by itself, where it has one.

    The packet is decoded as a copy without its flags: an edit list may want it dropped, but what it
    says about orientation and size holds for the film.
    """
    context = packet.stream.codec_context
    try:
        frames = context.decode(av.Packet(bytes(packet))) + context.decode(None)
    except (av.error.FFmpegError, OSError):
        frames = []
    context.flush_buffers()
    return frames[0] if frames else None
