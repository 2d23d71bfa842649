"""Sprite of a moment: one JPEG with a grid of small pictures, to look through it by hovering."""

import math
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import numpy as np

from machine.cores import usable_cores
from media.container.source import ONE_THREAD, DecoderOptions
from media.errors import UndecodableError
from media.frames.discontinuities import has_discontinuity
from media.frames.layout import Layout, read_layout
from media.frames.rgb import RgbConverter, encode_jpeg
from media.frames.sequential import DecodedFrame, decode_sequential, displayed_at

_Timed = tuple[float, np.ndarray]  # seconds, pixels (height, width, 3) uint8 RGB
_Frames = Generator[DecodedFrame, None, None]

_KEY_FRAMES = replace(ONE_THREAD, skip="NONKEY")
_LONG = 120.0  # seconds of film, beyond which packets between two pictures are not even read
_ENOUGH = 7  # different pictures, beyond which key frames do


@dataclass(frozen=True, slots=True)
class SpriteLayout:
    """Grid of a sprite: pictures of `width` x `height` pixels, row by row in order of time."""

    columns: int = 5
    rows: int = 5
    width: int = 160
    height: int = 90

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return self.columns * self.rows

    def times(self, start: float, end: float) -> list[float]:
        """The second that each picture stands for: the middle of its share of the moment."""
        return [start + (end - start) * (index + 0.5) / self.count for index in range(self.count)]


SPRITE = SpriteLayout()


def sprite(
    path: Path, *, start: float, end: float, stopped: Callable[[], bool] = lambda: False
) -> bytes:
    """Encode the film at `path` from `start` to `end`, in seconds, as a JPEG laid out as `SPRITE`.

    Pictures are upright and whole; what is left of their places is black. Key frames are taken
    where there are enough of them, so that a long moment takes no longer than a short one; then a
    picture may be some seconds off. Where `stopped` says so, it ends within a few frames.

    Raises `ValueError` for an empty interval, `UndecodableError` if there is no picture or it was
    stopped, else `MediaError`.
    """
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end):
        raise ValueError(f"a sprite from {start} s to {end} s is empty or lies before the video")
    layout = read_layout(path)
    layout = replace(layout, restarts=has_discontinuity(path, layout))
    times = SPRITE.times(start, end)
    pictures = _Pictures(path, layout, stopped)
    found = pictures.sought(times) if end - start > _LONG else pictures.key_frames(start, end)
    if len(found) < _ENOUGH and end - start <= _LONG:
        found = pictures.at(times) or found
    if not found:
        raise UndecodableError("not one picture of it can be decoded")
    sheet = np.zeros((SPRITE.rows * SPRITE.height, SPRITE.columns * SPRITE.width, 3), np.uint8)
    for index, time in enumerate(times):
        # Encoders put key frames where a scene begins: what is on display then is the one before.
        pixels = next((made for begins, made in reversed(found) if begins <= time), found[0][1])
        row, column = divmod(index, SPRITE.columns)
        top = row * SPRITE.height + (SPRITE.height - pixels.shape[0]) // 2
        left = column * SPRITE.width + (SPRITE.width - pixels.shape[1]) // 2
        sheet[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return encode_jpeg(sheet)


class _Pictures:
    """Small pictures of one film, each with the second that it is for."""

    def __init__(self, path: Path, layout: Layout, stopped: Callable[[], bool]) -> None:
        self._path, self._layout, self._stopped = path, layout, stopped
        scale = min(SPRITE.width / layout.width, SPRITE.height / layout.height)
        width, height = layout.fitted(scale)
        self._converter = RgbConverter(layout.orientation, width=width, height=height)

    def key_frames(self, start: float, end: float) -> list[_Timed]:
        """Those from `start` to `end`, and the one before, in order of time."""
        with closing(self._frames(start, _KEY_FRAMES)) as frames:
            return [self._small(frame) for frame in takewhile(lambda f: f.time < end, frames)]

    def sought(self, times: list[float]) -> list[_Timed]:
        """The key frame before each of the times, or after where there is none."""
        found: dict[float, _Timed] = {}
        for time in times:
            with closing(self._frames(time, _KEY_FRAMES)) as frames:
                for frame in frames:
                    if frame.time not in found:
                        found[frame.time] = self._small(frame)
                    break
        return [found[time] for time in sorted(found)]

    def at(self, times: list[float]) -> list[_Timed]:
        """The frame on display at each of the times, but for frames that no other needs."""
        threads = min(2, usable_cores())
        options = DecoderOptions(threads=threads, skip="NONREF")
        with closing(self._frames(times[0], options)) as frames:
            shown = displayed_at(frames, times)
            return [
                (time, self._small(frame)[1]) for time, frame in zip(times, shown, strict=False)
            ]

    def _small(self, frame: DecodedFrame) -> _Timed:
        return frame.time, self._converter.convert(frame.stored)

    def _frames(self, start: float, options: DecoderOptions) -> _Frames:
        return _until_stopped(
            decode_sequential(self._path, self._layout, start=start, options=options),
            self._stopped,
        )


def _until_stopped(frames: _Frames, stopped: Callable[[], bool]) -> _Frames:
    with closing(frames):
        for frame in frames:
            if stopped():
                raise UndecodableError("it is no longer wanted")
            yield frame
