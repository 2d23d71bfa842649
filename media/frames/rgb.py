"""Conversion of decoded frames to upright RGB pixels, and of those to JPEG."""

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from media.container.source import reason
from media.errors import UndecodableError, WriteError
from media.frames.orientation import Orientation

_DARK, _LIT_SHARE = 40, 0.03  # the brightest channel of a dark pixel; a picture has more of others
_JPEG_SCALE = "3"  # the encoder's quantiser, 2 (best) to 31


class RgbConverter:
    """Conversion of frames of any stored size and pixel format to upright RGB of one size."""

    def __init__(self, orientation: Orientation, *, width: int, height: int) -> None:
        self._orientation = orientation
        self._stored_size = (height, width) if orientation.transposed else (width, height)
        self._reformatter = VideoReformatter()

    def convert(self, frame: VideoFrame) -> np.ndarray:
        """Convert to upright pixels (height, width, 3) uint8 RGB. Raises `UndecodableError`."""
        width, height = self._stored_size
        try:
            rgb = self._reformatter.reformat(frame, width, height, "rgb24", threads=1)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise UndecodableError(f"a picture cannot be made RGB: {reason(error)}") from error
        return self._orientation.apply(rgb.to_ndarray())


def encode_jpeg(pixels: np.ndarray) -> bytes:
    """Encode `pixels` (height, width, 3) uint8 RGB as a JPEG file. Raises `WriteError`."""
    height, width, _ = pixels.shape
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    try:
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
        encoder.options = {"qmin": _JPEG_SCALE, "qmax": _JPEG_SCALE, "threads": "1"}
        packets = encoder.encode(frame.reformat(format="yuvj420p", threads=1))
        packets += encoder.encode(None)
    except (av.error.FFmpegError, OSError) as error:
        raise WriteError(f"a JPEG could not be made: {reason(error)}") from error
    return b"".join(bytes(packet) for packet in packets)


def is_nearly_black(pixels: np.ndarray) -> bool:
    """Whether `pixels` (height, width, 3) uint8 RGB show nothing but black, small text apart."""
    lit = (pixels.max(axis=2) > _DARK).mean()
    return bool(lit < _LIT_SHARE)
