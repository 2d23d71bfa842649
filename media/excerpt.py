"""Small pieces of a video for people to look at: a moment as a video, an instant as a picture."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from media.container.source import DecoderOptions
from media.encode import mp4_writer
from media.errors import UndecodableError
from media.frames.layout import read_layout
from media.frames.rgb import RgbConverter, encode_jpeg, is_nearly_black
from media.frames.sequential import decode_sequential, displayed_at, shown_between

_TICKS = 90_000  # per second, the usual time base of video
_NOMINAL_RATE = Fraction(30)  # a hint for the encoder: each frame carries its own time
_CRF = 26  # enough for a preview
_AROUND = (-4.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0)  # seconds from a frame that is black
_NO_PICTURE = "not one picture of it can be decoded"


def excerpt(
    path: Path, *, start: float, end: float, max_height: int = 480, threads: int = 0
) -> bytes:
    """Encode the video at `path` from `start` to `end`, in seconds, as H.264 MP4 without sound.

    The excerpt begins at time 0 with the frame on display at `start`. Its frames are upright, with
    square pixels and even sizes, at most `max_height` pixels high; its index comes first: every
    browser plays it. The video is decoded from the key frame before `start` to `end`, one frame at
    a time; only the result grows with `end - start`. Beyond the end of the video it shows the last
    frame.

    Raises `ValueError` for an empty interval, else `MediaError`.
    """
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end):
        raise ValueError(f"an excerpt from {start} s to {end} s is empty or lies before the video")
    layout = read_layout(path)
    width, height = layout.fitted(max_height / layout.height, even=True)
    converter = RgbConverter(layout.orientation, width=width, height=height)
    decoding = decode_sequential(path, layout, start=start, options=DecoderOptions(threads))
    with TemporaryDirectory(prefix="vsearch-") as folder:
        target = Path(folder) / "excerpt.mp4"
        with (
            closing(decoding) as frames,
            mp4_writer(
                target,
                frame_rate=_NOMINAL_RATE,
                time_base=Fraction(1, _TICKS),
                crf=_CRF,
                b_frames=0,
            ) as writer,
        ):
            previous_pts = -1
            for frame, begin, until in shown_between(frames, start=start, end=end):
                pts, stop = (round((time - start) * _TICKS) for time in (begin, until))
                if pts > previous_pts:
                    pixels = converter.convert(frame.stored)
                    writer.write(pixels, pts=pts, duration=max(1, stop - pts))
                    previous_pts = pts
            if previous_pts < 0:
                raise UndecodableError(_NO_PICTURE)
        return target.read_bytes()


def thumbnail(path: Path, *, time: float, max_width: int = 320, threads: int = 0) -> bytes:
    """Encode the frame on display at `time`, in seconds, as a JPEG at most `max_width` pixels wide.

    If that frame is nearly black, as between two scenes, it is the nearest one that is not, of
    those a few seconds around it.

    Raises `MediaError`.
    """
    layout = read_layout(path)
    width, height = layout.fitted(max_width / layout.width)
    converter = RgbConverter(layout.orientation, width=width, height=height)

    def pictures(times: Sequence[float]) -> Iterator[np.ndarray]:
        decoding = decode_sequential(path, layout, start=times[0], options=DecoderOptions(threads))
        with closing(decoding) as frames:
            for frame in displayed_at(frames, times):
                yield converter.convert(frame.stored)

    shown = next(pictures([time]), None)
    if shown is None:
        raise UndecodableError(_NO_PICTURE)
    if not is_nearly_black(shown):
        return encode_jpeg(shown)
    around = [max(0.0, time + offset) for offset in _AROUND]
    lit = [
        (abs(near - time), picture)
        for near, picture in zip(around, pictures(around), strict=False)
        if not is_nearly_black(picture)
    ]
    return encode_jpeg(min(lit, key=itemgetter(0))[1] if lit else shown)
