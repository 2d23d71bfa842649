"""Encoding of frames as H.264 MP4 that plays everywhere; the same frames give the same bytes."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream

from media.container.target import unfinished_file
from media.errors import WriteError

DEFAULT_CRF = 20  # x264's constant rate factor: 0 is lossless, 18 looks so, 51 is worst
DEFAULT_KEYFRAME_SECONDS = 2.0
_B_FRAMES = 3


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    frame_rate: Fraction | int,
    crf: int = DEFAULT_CRF,
    keyframe_seconds: float = DEFAULT_KEYFRAME_SECONDS,
) -> None:
    """Write `frames`, (height, width, 3) uint8 RGB of one even size, as an H.264 MP4 file.

    `frame_rate` is in frames per second; key frames are at most `keyframe_seconds` apart. The same
    frames give the same bytes with the same FFmpeg and x264. The index comes first, so that players
    can start before they have the whole file. The file appears whole or not at all; an existing one
    is replaced.

    Raises `WriteError`.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with (
        unfinished_file(path, replace=True) as unfinished,
        av.open(
            f"file:{unfinished.absolute()}", "w", format="mp4", container_options=options
        ) as container,
    ):
        writer = _Writer(container, Fraction(frame_rate), crf, keyframe_seconds)
        for index, pixels in enumerate(frames):
            writer.write(pixels, index)
        writer.finish()


@dataclass(slots=True)
class _Writer:
    """MP4 file that is being written. The first frame sets the size."""

    container: OutputContainer
    frame_rate: Fraction
    crf: int
    keyframe_seconds: float
    _stream: VideoStream | None = None

    def write(self, pixels: np.ndarray, index: int) -> None:
        """Append the frame (height, width, 3) uint8 RGB of this number.

        Raises `WriteError` for a frame of another shape, type or size, or of an odd size.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise WriteError(
                f"a frame is {pixels.dtype} {pixels.shape}; it must be uint8 (height, width, 3)"
            )
        height, width, _ = pixels.shape
        stream = self._stream or self._add_stream(width, height)
        if (stream.width, stream.height) != (width, height):
            raise WriteError(
                f"a frame is {width} x {height}; those before were {stream.width} x {stream.height}"
            )
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = frame.reformat(format="yuv420p", threads=1)
        frame.pts, frame.duration, frame.time_base = index, 1, 1 / self.frame_rate
        self.container.mux(stream.encode(frame))

    def finish(self) -> None:
        """Write the frames that the encoder still holds. Raises `WriteError` if there were none."""
        if self._stream is None:
            raise WriteError("there are no frames to write")
        self.container.mux(self._stream.encode(None))

    def _add_stream(self, width: int, height: int) -> VideoStream:
        if width % 2 or height % 2:
            raise WriteError(
                f"frames are {width} x {height}; H.264 for every player needs even sizes"
            )
        options = {
            "crf": str(self.crf),
            "bf": str(_B_FRAMES),
            "preset": "veryfast",
            "g": str(max(1, round(self.frame_rate * self.keyframe_seconds))),
            "threads": "1",  # with more, the bytes depend on the machine
        }
        stream = self.container.add_stream("libx264", rate=self.frame_rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = 1 / self.frame_rate
        stream.codec_context.flags |= Flags.frame_duration  # else FFmpeg guesses the last
        self._stream = stream
        return stream
