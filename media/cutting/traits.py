"""What a cut keeps of its source beside pictures and sound: turn, light, names of tracks."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from av.buffer import Buffer
from av.stream import Stream
from av.video.frame import VideoFrame

_KEPT = ("language", "title", "handler_name")
_CHROMA, _LIGHT = Fraction(1, 50_000), Fraction(1, 10_000)  # units of H.265, annex D.3.28


def kept_metadata(stream: Stream) -> dict[str, str]:
    """The language and the names of a stream."""
    return {name: stream.metadata[name] for name in _KEPT if name in stream.metadata}


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """The matrix (9 numbers) by which a frame is turned and mirrored; None for none."""
    data = _side_data(frame, "DISPLAYMATRIX")
    return struct.unpack("=9i", data) if data is not None and len(data) == 36 else None


@dataclass(frozen=True, slots=True)
class HdrLight:
    """The screen that a film in HDR was made on, and its brightest light, as x265 is told them."""

    display: str | None
    levels: str | None

    @classmethod
    def of(cls, frame: VideoFrame) -> "HdrLight":
        """Read them from a frame."""
        display = _side_data(frame, "MASTERING_DISPLAY_METADATA")
        levels = _side_data(frame, "CONTENT_LIGHT_LEVEL")
        return cls(
            None if display is None else _display(display),
            None if levels is None else "{},{}".format(*struct.unpack_from("=II", levels)),
        )

    def parameters(self) -> list[str]:
        """For the encoder."""
        named = {"master-display": self.display, "max-cll": self.levels}
        return [f"{name}={value}" for name, value in named.items() if value is not None]


def _display(data: bytes) -> str | None:
    """Primaries, white point and luminance in the order and units of the bitstream."""
    numbers = struct.unpack_from("=20i", data)
    has_primaries, has_luminance = struct.unpack_from("=ii", data, 80)
    if not (has_primaries and has_luminance):
        return None
    values = [Fraction(a, b or 1) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    points = [round(value / _CHROMA) for value in values[:8]]
    red, green, blue, white = (f"({x},{y})" for x, y in zip(points[::2], points[1::2], strict=True))
    dark, bright = (round(value / _LIGHT) for value in values[8:])
    return f"G{green}B{blue}R{red}WP{white}L({bright},{dark})"


def _side_data(frame: VideoFrame, kind: str) -> bytes | None:
    try:
        return bytes(cast(Mapping[str, Buffer], frame.side_data)[kind])
    except (KeyError, ValueError):  # ValueError: side data of a type that PyAV does not know
        return None
