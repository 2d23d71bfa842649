"""What has to be known of a video stream before its pictures mean anything.

Which time it is, how large its pictures are shown, and which way up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

from av.buffer import Buffer
from av.video.frame import VideoFrame

from media.container.clock import Clock
from media.container.source import MAX_PIXELS, Source, check_size, open_source
from media.errors import UndecodableError
from media.frames.orientation import Orientation, orientation_of_matrix
from media.packets.scan import PacketScan, scan_packets

_SHAPES = (Fraction(1, 8), Fraction(8))  # pixel shapes beyond these are mistakes, or malice


@dataclass(frozen=True, slots=True)
class Layout:
    """A video stream's place in its file, clock, and geometry.

    `clock` tells the file's time of a time stamp; `first_pts` is the stamp of the first picture.
    `width` and `height` are those of the upright picture with square pixels. `restarts` is whether
    the film's time stamps start anew, so that they mean nothing to a seek; None where only the head
    of the film was looked at.
    """

    stream_index: int
    clock: Clock
    first_pts: int
    width: int
    height: int
    orientation: Orientation
    restarts: bool | None = None


def layout_of(source: Source, scan: PacketScan) -> Layout:
    """The layout of `source`, from a scan of its packets.

    Raises `UndecodableError` where no packet can be shown, `LimitError` for outsized pictures.
    """
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
        clock=scan.clock,
        first_pts=scan.extent.first,
        width=width,
        height=height,
        orientation=orientation,
        restarts=None if scan.head_only else bool(scan.restarts or scan.wrapped),
    )


def read_layout(path: Path) -> Layout:
    """The layout of the film at `path`, from its first packets only.

    Raises `MediaError`.
    """
    with open_source(path) as source:
        return layout_of(source, scan_packets(source, head_only=True))


def _orientation_of(frame: VideoFrame) -> Orientation:
    try:
        side_data = cast(Mapping[str, Buffer], frame.side_data)
        return orientation_of_matrix(bytes(side_data["DISPLAYMATRIX"]))
    except (KeyError, ValueError):  # ValueError: some other side data is of a kind new to PyAV
        return Orientation()
