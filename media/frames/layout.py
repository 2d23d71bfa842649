"""Layout of a video stream: its clock, and the size and orientation of its frames."""

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

_SHAPES = (Fraction(1, 8), Fraction(8))  # pixel aspect ratios beyond are wrong


@dataclass(frozen=True, slots=True)
class Layout:
    """Clock and geometry of a video stream, and its index in the file.

    `clock` converts timestamps to seconds; `first_pts` is the timestamp of the first frame. `width`
    and `height` are those of the upright frame with square pixels. `restarts` is whether the
    timestamps restart, so that they cannot be used for a seek; None if only the first packets were
    read.
    """

    stream_index: int
    clock: Clock
    first_pts: int
    width: int
    height: int
    orientation: Orientation
    restarts: bool | None = None

    def fitted(self, scale: float, *, even: bool = False) -> tuple[int, int]:
        """Width and height in pixels, scaled down by `scale` but never up; both even if wanted."""
        step, scale = 2 if even else 1, min(1.0, scale)
        width, height = (
            max(step, round(size * scale / step) * step) for size in (self.width, self.height)
        )
        return width, height


def layout_of(source: Source, scan: PacketScan) -> Layout:
    """Make the layout of `source` from a scan of its packets.

    Raises `UndecodableError` if no packet can be displayed, `LimitError` for outsized frames.
    """
    orientation = Orientation() if scan.first_frame is None else _orientation_of(scan.first_frame)
    sized = scan.first_frame or source.stream.codec_context
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
    """Read the layout of the video at `path` from its first packets only.

    Raises `MediaError`.
    """
    with open_source(path) as source:
        return layout_of(source, scan_packets(source, head_only=True))


def _orientation_of(frame: VideoFrame) -> Orientation:
    try:
        side_data = cast(Mapping[str, Buffer], frame.side_data)
        return orientation_of_matrix(bytes(side_data["DISPLAYMATRIX"]))
    except (KeyError, ValueError):  # ValueError: side data of a type that PyAV does not know
        return Orientation()
