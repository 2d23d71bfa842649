"""An instant of a video as a small picture, for people to look at."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from operator import itemgetter
from pathlib import Path

import numpy as np

from media.container.source import DecoderOptions
from media.errors import UndecodableError
from media.frames.layout import read_layout
from media.frames.rgb import RgbConverter, encode_jpeg, is_nearly_black
from media.frames.sequential import decode_sequential, displayed_at

_AROUND = (-4.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0)  # seconds from a frame that is black
_NO_PICTURE = "not one picture of it can be decoded"


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
