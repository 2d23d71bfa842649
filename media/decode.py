"""Pictures at wanted times, in one forward pass over the film."""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from media.errors import UndecodableError
from media.picture import RgbConverter
from media.playback import Picture, displayed_at, play
from media.probe import VideoInfo
from media.signs import DecodingDamage


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a film: `pixels` are upright uint8 RGB (H, W, 3).

    `time` is when the film shows it, in seconds from the first presentation timestamp.
    """

    time: float
    pixels: np.ndarray


def decode_at(
    video: VideoInfo,
    times: Sequence[float],
    *,
    size: tuple[int, int] | None = None,
    threads: int = 0,
    on_damage: Callable[[str], None] | None = None,
) -> Generator[Frame, None, None]:
    """For each of `times`, in seconds, the frame that is on display then: exactly `len(times)`.

    `times` ascend and may repeat. On display is the last frame whose time is not later (within a
    microsecond); before the first frame it is the first, after the last the last. What cannot be
    decoded is passed over: the picture before it stays on display. Only wanted frames are converted
    and at most a handful is held. `size` is the (height, width) of the upright pictures, the film's
    own unless given; to shrink them while they become RGB costs a tenth of doing so afterwards.
    `threads` counts the decoder's threads, 0 for automatic. The file
    is closed when the iterator is; `on_damage` is then called, once at most, with a short sentence
    about what could not be decoded in the part that was gone through.

    Raises `ValueError` for times that do not ascend; while iterating, `MediaError` where the file
    cannot be opened, `UndecodableError` where no picture can be decoded.
    """
    if not all(math.isfinite(time) for time in times):
        raise ValueError("times must be finite seconds")
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("times must ascend: the film is decoded in one forward pass")
    size = size or (video.height, video.width)
    return _decode_at(video, times, size=size, threads=threads, on_damage=on_damage)


def _decode_at(
    video: VideoInfo,
    times: Sequence[float],
    *,
    size: tuple[int, int],
    threads: int,
    on_damage: Callable[[str], None] | None,
) -> Generator[Frame, None, None]:
    if not times:
        return
    damage = DecodingDamage()
    try:
        yield from _frames_at(video, times, size=size, threads=threads, damage=damage)
    finally:
        if on_damage is not None and damage.sentence is not None:
            on_damage(damage.sentence)


def _frames_at(
    video: VideoInfo,
    times: Sequence[float],
    *,
    size: tuple[int, int],
    threads: int,
    damage: DecodingDamage,
) -> Iterator[Frame]:
    layout = video.layout
    height, width = size
    converter = RgbConverter(layout.orientation, width=width, height=height)
    converted: tuple[Picture, Frame] | None = None
    playing = play(video.path, layout, start=times[0], threads=threads, damage=damage)
    with closing(playing) as pictures:
        for picture in displayed_at(pictures, times):
            if converted is None or converted[0] is not picture:
                frame = Frame(time=picture.time, pixels=converter.convert(picture.stored))
                converted = picture, frame
            yield converted[1]
    if converted is None:
        raise UndecodableError("not one picture of it can be decoded")
