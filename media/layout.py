"""What has to be known of a video stream before its pictures mean anything.

Where its time begins, how large its pictures are shown, and which way up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.error
from av.buffer import Buffer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.errors import UndecodableError
from media.orientation import Orientation, orientation_of_matrix
from media.source import MAX_PIXELS, Source, check_size, open_source, read_packets

_REORDERED = 32  # packets among which the earliest is looked for; codecs reorder by 16 at most
_HEAD = 4096  # packets read at most to find where time begins: over a minute of film
_ORIENTATION_TRIES = 4  # key frames decoded at most to learn which way up the film is
_SHAPES = (Fraction(1, 8), Fraction(8))  # pixel shapes beyond these are mistakes, or malice


@dataclass(frozen=True, slots=True)
class Layout:
    """A video stream's place in its file, start of time, and geometry.

    `width` and `height` are those of the upright picture with square pixels; `first_pts` counts in
    units of the stream's time base.
    """

    stream_index: int
    first_pts: int
    width: int
    height: int
    orientation: Orientation


@dataclass(slots=True)
class Extent:
    """The stretch of time that a run of packets covers, in units of the time base."""

    first: int
    last: int
    end: int
    count: int = 1

    def add(self, pts: int, *, end: int) -> None:
        """Count one more packet in."""
        if self.count < _REORDERED:
            self.first = min(self.first, pts)
        self.last = max(self.last, pts)
        self.end = max(self.end, end)
        self.count += 1


@dataclass(slots=True)
class PacketScan:
    """What the packets of a stream say, gathered as they pass.

    Packets that show nothing are left out: those that an edit list discards, those before the first
    key frame, and those shown before it, whose references lie outside of the file. A stream that
    marks no key frame at all is taken whole.
    """

    whole: Extent | None = None
    from_key: Extent | None = None
    upright: VideoFrame | None = None  # the first picture that could be had
    _seen_key: bool = False
    _floor: int | None = None  # the first key frame's pts
    _tries: int = 0

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Take note of one packet."""
        pts = packet.dts if packet.pts is None else packet.pts
        if packet.size == 0 or pts is None:
            return
        if packet.is_keyframe or self.whole is None:
            self._look_at_picture(packet)
        if packet.is_keyframe and not self._seen_key:
            self._seen_key = True
            self._floor = None if packet.is_discard else pts
        if packet.is_discard:
            return
        end = pts + max(packet.duration or 0, 0)
        self.whole = _extended(self.whole, pts, end=end)
        if self._seen_key and (self._floor is None or pts >= self._floor):
            self.from_key = _extended(self.from_key, pts, end=end)

    @property
    def extent(self) -> Extent:
        """The extent of what can be shown. Raises `UndecodableError` if there is nothing."""
        extent = self.from_key or self.whole
        if extent is None:
            raise UndecodableError("its video stream is empty, or nothing of it can be read")
        return extent

    @property
    def knows_start(self) -> bool:
        """Whether later packets can no longer change where time begins."""
        return self.from_key is not None and self.from_key.count >= _REORDERED

    def _look_at_picture(self, packet: "Packet[VideoStream]") -> None:
        if self.upright is not None or self._tries >= _ORIENTATION_TRIES:
            return
        self._tries += 1
        self.upright = _decode_alone(packet)


def _extended(extent: Extent | None, pts: int, *, end: int) -> Extent:
    if extent is None:
        return Extent(first=pts, last=pts, end=end)
    extent.add(pts, end=end)
    return extent


def scan_packets(source: Source, *, head_only: bool = False) -> PacketScan:
    """Read the stream's packets: all, or just enough to know where time begins.

    A file that breaks off is scanned as far as it can be read.
    """
    scan = PacketScan()
    for count, packet in enumerate(read_packets(source)):
        scan.add(packet)
        if head_only and (scan.knows_start or count >= _HEAD):
            break
    return scan


def layout_of(source: Source, scan: PacketScan) -> Layout:
    """The layout of `source`, from a scan of its packets.

    Raises `UndecodableError` where no packet can be shown, `LimitError` for outsized pictures.
    """
    first_pts = scan.extent.first
    orientation = Orientation() if scan.upright is None else _orientation_of(scan.upright)
    sized = scan.upright or source.stream.codec_context
    if sized.width <= 0 or sized.height <= 0:
        raise UndecodableError(
            f"its pictures have no known size, or one beyond the limit of {MAX_PIXELS:,} pixels"
        )
    shape = source.stream.sample_aspect_ratio or Fraction(1)
    if not _SHAPES[0] <= shape <= _SHAPES[1]:
        shape = Fraction(1)
    width, height = max(1, round(sized.width * shape)), sized.height
    check_size(width, height)
    if orientation.transposed:
        width, height = height, width
    return Layout(
        stream_index=source.stream.index,
        first_pts=first_pts,
        width=width,
        height=height,
        orientation=orientation,
    )


def read_layout(path: Path) -> Layout:
    """The layout of the film at `path`, from its first packets only.

    Raises `MediaError`.
    """
    with open_source(path, threads=1) as source:
        return layout_of(source, scan_packets(source, head_only=True))


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


def _orientation_of(frame: VideoFrame) -> Orientation:
    try:
        side_data = cast(Mapping[str, Buffer], frame.side_data)
        return orientation_of_matrix(bytes(side_data["DISPLAYMATRIX"]))
    except (KeyError, ValueError):  # ValueError: some other side data is of a kind new to PyAV
        return Orientation()
