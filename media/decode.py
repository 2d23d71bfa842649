"""Pictures at wanted times, in one pass over the film that decodes no more than it must."""

import logging
import math
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container.source import BARE_STREAMS
from media.damage.packet_damage import DecodingDamage
from media.errors import MediaError, UndecodableError
from media.frames.frame_plan import FramePlan, plan_frames
from media.frames.hardware import first_usable
from media.frames.planned import FlawError, PlanError, decode_planned
from media.frames.rgb import RgbConverter
from media.frames.sequential import DecodedFrame, decode_sequential, displayed_at
from media.probe import VideoInfo

_log = logging.getLogger(__name__)

_LAST_FRAMES = 32  # more than FFmpeg takes threads by itself
_SILENT_CODECS = frozenset({"vp8"})  # whose decoders take any bytes for a picture


@dataclass(frozen=True, slots=True)
class RgbFrame:
    """A picture of a film: `pixels` are upright uint8 RGB (H, W, 3).

    `time` is when the film shows it, in seconds on the file's clock (see `media.probe.VideoInfo`).
    """

    time: float
    pixels: np.ndarray


def decode_at(
    video: VideoInfo,
    times: Sequence[float],
    *,
    size: tuple[int, int] | None = None,
    tolerance: float = 0.0,
    among: Sequence[float] | None = None,
    threads: int = 0,
    accelerator: str = "none",
    on_damage: Callable[[str], None] | None = None,
) -> Generator[RgbFrame, None, None]:
    """For each of `times`, in seconds, the frame that is on display then: exactly `len(times)`.

    `times` ascend and may repeat. On display is the last frame whose time is not later (within a
    microsecond); before the first frame it is the first, after the last the last. What cannot be
    decoded is passed over: the picture before it stays on display. With a `tolerance`, in seconds,
    a frame that begins at most that far from the wanted time will do as well, and the cheapest to
    decode is taken; with an infinite one it is the nearest key frame. `RgbFrame.time` says which.
    `among`: all sample times of the video, if `times` are only a part of them; the choice of frames
    is made over all of them, so that a resumed run takes the same frames as a whole one.

    Frames that no wanted one depends on are not decoded, where the film tells what depends on what;
    otherwise, and from where the film turns out not to be as it was probed, all are, and the frames
    are those on display. Only wanted frames are converted and at most a handful is held. `size` is
    the (height, width) of the upright pictures, the film's own unless given; to shrink them while
    they become RGB costs a tenth of doing so afterwards. `threads` counts the decoder's threads, 0
    for automatic; from where the film turns out to be damaged there is one, so that their number
    changes no frame. With an `accelerator`, by FFmpeg's name ("auto" for the first that works),
    its device decodes the film, and from where it fails the processor does. The file is closed when
    the iterator is; `on_damage` is then called, once at most, with a short sentence about what
    could not be decoded in the part that was gone through.

    Raises `ValueError` for times that do not ascend or are not `among` the others, and for a
    negative tolerance; while iterating, `MediaError` where the file cannot be opened,
    `UndecodableError` where no picture can be had.
    """
    if not all(math.isfinite(time) for time in times):
        raise ValueError("times must be finite seconds")
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("times must ascend: the film is decoded in one forward pass")
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance} seconds; it must be 0 (exact) or more")
    if among is not None and not set(times).issubset(among):
        raise ValueError("times must be among those that are given as such")
    size = size or (video.height, video.width)
    way = _Way(video, size, tolerance, among or times, threads, _accelerator(accelerator))
    return _decode_at(way, times, on_damage=on_damage)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a film is to be decoded."""

    video: VideoInfo
    size: tuple[int, int]
    tolerance: float
    among: Sequence[float]
    threads: int
    accelerator: str | None

    @property
    def in_threads(self) -> bool:
        """Whether several threads of the processor decode it."""
        return self.accelerator is None and self.threads != 1


def _accelerator(wanted: str) -> str | None:
    """A name is tried with each film: to see that there is no such device takes no time."""
    if wanted == "auto":
        return first_usable()
    return None if wanted == "none" else wanted


def _decode_at(
    way: _Way, times: Sequence[float], *, on_damage: Callable[[str], None] | None
) -> Generator[RgbFrame, None, None]:
    if not times:
        return
    damage = DecodingDamage()
    try:
        with closing(_pictures_at(way, times, damage=damage)) as pictures:
            yield from _converted(way, pictures)
    finally:
        if on_damage is not None and damage.sentence is not None:
            on_damage(damage.sentence)


def _converted(way: _Way, pictures: Iterable[DecodedFrame]) -> Iterator[RgbFrame]:
    height, width = way.size
    converter = RgbConverter(way.video.layout.orientation, width=width, height=height)
    converted: tuple[DecodedFrame, RgbFrame] | None = None
    for picture in pictures:
        if converted is None or converted[0] is not picture:
            frame = RgbFrame(time=picture.time, pixels=converter.convert(picture.stored))
            converted = picture, frame
        yield converted[1]
    if converted is None:
        raise UndecodableError("not one picture of it can be decoded")


def _pictures_at(
    way: _Way, times: Sequence[float], *, damage: DecodingDamage
) -> Generator[DecodedFrame, None, None]:
    """A picture for each of `times`: in the fastest way, from where that fails in a surer one."""
    done = 0
    for fast, until in _faster_ways(way, times):
        if done >= until:
            continue
        try:
            with closing(_played(fast, times[done:until], damage=_NoDamage())) as pictures:
                for picture in pictures:
                    yield picture
                    done += 1
        except MediaError as error:
            _log.debug("%s: not decoded in a fast way: %s", way.video.path, error)
    if done < len(times):
        yield from _played(_surest(way), times[done:], damage=damage)


def _faster_ways(way: _Way, times: Sequence[float]) -> Iterator[tuple[_Way, int]]:
    """Ways that decode what is sound as the surest does, and up to which of `times` they can.

    What threads cannot decode of the last packets, FFmpeg keeps to itself: one thread decodes
    those. In a stream without a container nobody gets there but through all that is before.
    """
    video = way.video
    if way.accelerator is not None:
        yield way, len(times)
    fit = video.codec not in _SILENT_CODECS and video.container not in BARE_STREAMS
    if way.threads != 1 and video.damage is None and fit:
        told = bisect_left(times, video.end - _LAST_FRAMES / video.frame_rate)
        yield replace(way, accelerator=None), told


def _surest(way: _Way) -> _Way:
    """One thread: what several make of damage depends on how many they are."""
    return replace(way, accelerator=None, threads=1)


class _NoDamage(DecodingDamage):
    """Passes over nothing: what an accelerator cannot decode may be in order all the same."""

    def lose(self, broken: "Packet[VideoStream] | VideoFrame") -> None:
        """Give up."""
        raise UndecodableError(f"what comes of {broken.pts} is flawed")


def _played(
    way: _Way, times: Sequence[float], *, damage: DecodingDamage
) -> Generator[DecodedFrame, None, None]:
    """A picture for each of `times`: as planned as far as that goes, from there in sequence."""
    video, done = way.video, 0
    plan = _plan(way, times)
    if plan is not None:
        try:
            playing = decode_planned(
                video.path,
                video.layout,
                plan=plan,
                threads=way.threads,
                accelerator=way.accelerator,
                forgiving=not way.in_threads,
            )
            with closing(playing) as pictures:
                for picture in pictures:
                    yield picture
                    done += 1
        except PlanError as error:
            if way.in_threads and isinstance(error, FlawError):
                raise UndecodableError(str(error)) from error
            _log.debug("%s: decoding in sequence from %g s: %s", video.path, times[done], error)
    if done < len(times):
        rest = times[done:]
        playing = decode_sequential(
            video.path,
            video.layout,
            start=rest[0],
            threads=way.threads,
            accelerator=way.accelerator,
            forgiving=not way.in_threads,
            damage=damage,
        )
        with closing(playing) as pictures:
            yield from displayed_at(pictures, rest)


def _plan(way: _Way, times: Sequence[float]) -> FramePlan | None:
    """None where the film is known to hold surprises, or does not say what depends on what."""
    video = way.video
    if video.packets is None or video.damage is not None or video.layout.restarts is not False:
        return None
    return plan_frames(
        video.packets,
        times,
        among=way.among,
        clock=video.layout.clock,
        first_pts=video.layout.first_pts,
        tolerance=way.tolerance,
    )
