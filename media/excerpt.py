"""Small pieces of a video for people to look at: a moment as a video, an instant as a picture."""

import math
from collections.abc import Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from media.container.source import DecoderOptions
from media.encode import mp4_writer
from media.errors import UndecodableError
from media.frames.frame_plan import TIME_TOLERANCE
from media.frames.layout import Layout, read_layout
from media.frames.rgb import RgbConverter, encode_jpeg
from media.frames.sequential import DecodedFrame, decode_sequential, displayed_at

_TICKS = 90_000  # per second, the usual time base of video
_NOMINAL_RATE = Fraction(30)  # a hint for the encoder: each frame carries its own time
_CRF = 26  # enough for a preview
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
    width, height = _fitted(layout, scale=max_height / layout.height, even=True)
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
            for frame, begin, until in _shown_between(frames, start=start, end=end):
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

    Raises `MediaError`.
    """
    layout = read_layout(path)
    width, height = _fitted(layout, scale=max_width / layout.width, even=False)
    converter = RgbConverter(layout.orientation, width=width, height=height)
    decoding = decode_sequential(path, layout, start=time, options=DecoderOptions(threads))
    with closing(decoding) as frames:
        for frame in displayed_at(frames, [time]):
            return encode_jpeg(converter.convert(frame.stored))
    raise UndecodableError(_NO_PICTURE)


def _fitted(layout: Layout, *, scale: float, even: bool) -> tuple[int, int]:
    """Width and height of the upright frame in pixels, scaled down by `scale` but never up."""
    step = 2 if even else 1
    scale = min(1.0, scale)
    width, height = (
        max(step, round(size * scale / step) * step) for size in (layout.width, layout.height)
    )
    return width, height


def _shown_between(
    frames: Iterable[DecodedFrame], *, start: float, end: float
) -> Iterator[tuple[DecodedFrame, float, float]]:
    """Select the frames on display in [start, end), each with the seconds of its display.

    At least one: the first frame if the video begins later, the last if it ends earlier.
    """
    shown: DecodedFrame | None = None
    for frame in frames:
        if shown is not None and frame.time > start + TIME_TOLERANCE:
            if frame.time >= end:
                yield shown, max(start, shown.time), end
                return
            yield shown, max(start, shown.time), frame.time
        shown = frame
    if shown is not None:
        begin = max(start, shown.time)
        yield shown, begin, min(max(end, begin), max(begin, shown.time + shown.duration))
