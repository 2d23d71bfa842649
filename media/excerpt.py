"""Small pieces of a film for people to look at: a moment as a film, an instant as a picture."""

import math
from collections.abc import Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from media.encode import mp4_writer
from media.errors import UndecodableError
from media.frames.frame_plan import TIME_TOLERANCE
from media.frames.layout import Layout, read_layout
from media.frames.rgb import RgbConverter, encode_jpeg
from media.frames.sequential import DecodedFrame, decode_sequential, displayed_at

_TICKS = 90_000  # per second, video's usual clock
_NOMINAL_RATE = Fraction(30)  # only advice to the encoder: each picture carries its own time
_CRF = 26  # a preview
_NO_PICTURE = "not one picture of it can be decoded"


def excerpt(
    path: Path, *, start: float, end: float, max_height: int = 480, threads: int = 0
) -> bytes:
    """The film at `path` from `start` to `end`, in seconds, as an H.264 MP4 without sound.

    It begins at time 0 with the picture on display at `start`, has upright pictures with square
    pixels and even sizes, at most `max_height` high, and its index in front: every browser plays
    it. The film is decoded from the key frame before `start` to `end`, one picture at a time; only
    the result grows with `end - start`. Beyond the end of the film there is its last picture.

    Raises `ValueError` for an empty stretch of time, else `MediaError`.
    """
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end):
        raise ValueError(f"an excerpt from {start} s to {end} s is empty or lies before the film")
    layout = read_layout(path)
    width, height = _fitted(layout, scale=max_height / layout.height, even=True)
    converter = RgbConverter(layout.orientation, width=width, height=height)
    with TemporaryDirectory(prefix="vsearch-") as folder:
        target = Path(folder) / "excerpt.mp4"
        with (
            closing(decode_sequential(path, layout, start=start, threads=threads)) as pictures,
            mp4_writer(
                target,
                frame_rate=_NOMINAL_RATE,
                time_base=Fraction(1, _TICKS),
                crf=_CRF,
                b_frames=0,
            ) as writer,
        ):
            previous_pts = -1
            for picture, begin, until in _shown_between(pictures, start=start, end=end):
                pts, stop = (round((time - start) * _TICKS) for time in (begin, until))
                if pts > previous_pts:
                    pixels = converter.convert(picture.stored)
                    writer.write(pixels, pts=pts, duration=max(1, stop - pts))
                    previous_pts = pts
            if previous_pts < 0:
                raise UndecodableError(_NO_PICTURE)
        return target.read_bytes()


def thumbnail(path: Path, *, time: float, max_width: int = 320, threads: int = 0) -> bytes:
    """The picture on display at `time`, in seconds, as a JPEG at most `max_width` wide.

    Raises `MediaError`.
    """
    layout = read_layout(path)
    width, height = _fitted(layout, scale=max_width / layout.width, even=False)
    converter = RgbConverter(layout.orientation, width=width, height=height)
    with closing(decode_sequential(path, layout, start=time, threads=threads)) as pictures:
        for picture in displayed_at(pictures, [time]):
            return encode_jpeg(converter.convert(picture.stored))
    raise UndecodableError(_NO_PICTURE)


def _fitted(layout: Layout, *, scale: float, even: bool) -> tuple[int, int]:
    """Width and height of the upright picture, scaled down by `scale` but never up."""
    step = 2 if even else 1
    scale = min(1.0, scale)
    width, height = (
        max(step, round(size * scale / step) * step) for size in (layout.width, layout.height)
    )
    return width, height


def _shown_between(
    pictures: Iterable[DecodedFrame], *, start: float, end: float
) -> Iterator[tuple[DecodedFrame, float, float]]:
    """Every picture on display in [start, end), with the seconds from which and until when.

    There is always one: the first picture of a film that begins late, the last of one that is over.
    """
    shown: DecodedFrame | None = None
    for picture in pictures:
        if shown is not None and picture.time > start + TIME_TOLERANCE:
            if picture.time >= end:
                yield shown, max(start, shown.time), end
                return
            yield shown, max(start, shown.time), picture.time
        shown = picture
    if shown is not None:
        begin = max(start, shown.time)
        yield shown, begin, min(max(end, begin), max(begin, shown.time + shown.duration))
