"""Frames at sample times, in one pass over a video that decodes as few packets as possible."""

import logging
import math
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container.source import (
    BARE_STREAMS,
    ONE_THREAD,
    DecoderOptions,
    is_read_error,
    reason,
)
from media.damage.decoding_damage import DecodingDamage
from media.errors import MediaError, UndecodableError, UnreadableError
from media.frames.frame_plan import FramePlan, plan_frames
from media.frames.hardware import first_usable
from media.frames.planned import FlawError, PlanError, decode_planned
from media.frames.rgb import RgbConverter
from media.frames.sequential import DecodedFrame, decode_sequential, displayed_at
from media.probe import VideoInfo

_log = logging.getLogger(__name__)

_LAST_FRAMES = 32  # more than FFmpeg's automatic number of threads
_SILENT_CODECS = frozenset({"vp8"})  # their decoders report no damage: any bytes become a frame


@dataclass(frozen=True, slots=True)
class RgbFrame:
    """Upright frame: `pixels` (height, width, 3) uint8 RGB.

    `time` is the start of its display, in seconds on the file's clock (see
    `media.probe.VideoInfo`). Raises `ValueError` for pixels of another shape or type.
    """

    time: float
    pixels: np.ndarray

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"pixels are {self.pixels.dtype} {self.pixels.shape}; "
                "they must be uint8 (height, width, 3)"
            )


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
    """Decode the frame on display at each of `times`: exactly `len(times)` frames.

    `times` are seconds on the file's clock, in ascending order; they may repeat. The frame on
    display is the last one whose time is not later (within a microsecond); before the first frame
    it is the first, after the last the last. Where packets cannot be decoded, the frame before them
    stays on display.

    With a `tolerance`, in seconds, a frame that begins at most that far from the sample time is
    accepted as well, and the one that is cheapest to decode is taken; with an infinite tolerance it
    is the nearest key frame. `RgbFrame.time` gives the time of the frame that was taken. `among`:
    all sample times of the video, if `times` are only a part of them; the choice of frames is made
    over all of them, so that a resumed run takes the same frames as a whole one.

    Frames on which no chosen one depends are not decoded, if the stream tells which frames depend
    on which. Otherwise, and from the first packet on that differs from those of `probe`, all
    packets are decoded, and the frames on display are taken. Only chosen frames are converted to
    RGB; a handful is held at most. `size` is the (height, width) of the upright frames, by default
    the video's own; scaling down during the conversion costs a tenth of scaling afterwards.

    `threads` counts the decoder's threads, 0 for automatic. From the first damage on there is one,
    so that the number of threads changes no frame. `accelerator` is FFmpeg's name of a hardware
    device, "auto" for the first that works, or "none"; where the device fails, the processor goes
    on. The file is closed with the iterator; then `on_damage` is called, at most once, with a short
    sentence about what could not be decoded in the part that was read.

    Raises `ValueError` for times that are not finite, do not ascend or are not `among` the others,
    and for a negative tolerance; while iterating, `MediaError` if the file cannot be opened, and
    `UndecodableError` if no frame can be decoded, `UnreadableError` where the system stops reading
    what `probe` has read without fault.
    """
    if not all(math.isfinite(time) for time in times):
        raise ValueError("times must be finite seconds")
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("times must ascend: the video is decoded in one forward pass")
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance} seconds; it must be 0 (exact) or more")
    if among is not None and not set(times).issubset(among):
        raise ValueError("times must all be in `among`")
    options = DecoderOptions(threads=threads, accelerator=_accelerator(accelerator))
    request = DecodeRequest(video, among or times, tolerance, options)
    return _rgb_frames(request, times, size=size or (video.height, video.width), report=on_damage)


def _accelerator(wanted: str) -> str | None:
    """Resolve "auto" and "none"; other names are tried with each video, which takes no time."""
    if wanted == "auto":
        return first_usable()
    return None if wanted == "none" else wanted


def _rgb_frames(
    request: "DecodeRequest",
    times: Sequence[float],
    *,
    size: tuple[int, int],
    report: Callable[[str], None] | None,
) -> Generator[RgbFrame, None, None]:
    if not times:
        return
    height, width = size
    converter = RgbConverter(request.video.layout.orientation, width=width, height=height)
    damage = DecodingDamage(was_read=request.video.damage is None)
    previous: DecodedFrame | None = None
    try:
        with closing(_decoded_frames(request, times, damage=damage)) as frames:
            for frame in frames:
                if frame is not previous:
                    rgb = RgbFrame(frame.time, converter.convert(frame.stored))
                    previous = frame
                yield rgb
        if previous is None:
            raise UndecodableError("not one picture of it can be decoded")
    finally:
        if report is not None and damage.sentence is not None:
            report(damage.sentence)


def _decoded_frames(
    request: "DecodeRequest", times: Sequence[float], *, damage: DecodingDamage
) -> Generator[DecodedFrame, None, None]:
    """Decode a frame for each of `times`: fast, and from where that fails with one thread."""
    done = 0
    for options, until in _fast_options(request, times):
        if done >= until:
            continue
        attempt = replace(request, options=options)
        try:
            with closing(attempt.frames(times[done:until], damage=_NoDamage())) as frames:
                for frame in frames:
                    yield frame
                    done += 1
        except MediaError as error:
            _log.debug("%s: fast decoding failed: %s", request.video.path, error)
    if done < len(times):
        # One thread: what several make of damage depends on how many they are.
        yield from replace(request, options=ONE_THREAD).frames(times[done:], damage=damage)


def _fast_options(
    request: "DecodeRequest", times: Sequence[float]
) -> Iterator[tuple[DecoderOptions, int]]:
    """Options that decode sound packets as one thread does, and how many of `times` they can reach.

    FFmpeg's threads drop the last frames where they meet damage: one thread decodes those. In a
    stream without a container the end can be reached only through all packets before it.
    """
    video, options = request.video, request.options
    if options.accelerator is not None:
        yield options, len(times)
    fit = video.codec not in _SILENT_CODECS and video.container not in BARE_STREAMS
    if options.threads != 1 and video.damage is None and fit:
        before_end = bisect_left(times, video.end - _LAST_FRAMES / video.frame_rate)
        yield replace(options, accelerator=None, strict=True), before_end


class _NoDamage(DecodingDamage):
    """Refusal of any damage: what fast decoding cannot decode may be sound all the same."""

    def lose(self, broken: "Packet[VideoStream] | VideoFrame") -> None:
        """Raise `UndecodableError`."""
        raise UndecodableError(f"the packet or frame at {broken.pts} is damaged")

    def end_with(self, error: Exception) -> None:
        """Raise `UnreadableError` where the system does not read on."""
        if is_read_error(error):
            raise UnreadableError(f"cannot be read: {reason(error)}") from error


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """A video to decode: all its sample times and the tolerance, in seconds; the decoder's options.

    Of damage nothing is patched up with `options.strict`, and the first flaw ends the decoding.
    """

    video: VideoInfo
    sample_times: Sequence[float]
    tolerance: float
    options: DecoderOptions

    def frames(
        self, times: Sequence[float], *, damage: DecodingDamage
    ) -> Generator[DecodedFrame, None, None]:
        """Decode a frame for each of `times`: planned, and sequentially where no plan holds.

        Raises `MediaError`.
        """
        path, layout, done = self.video.path, self.video.layout, 0
        plan = self._plan(times)
        if plan is not None:
            planned = decode_planned(path, layout, plan=plan, options=self.options)
            try:
                with closing(planned) as frames:
                    for frame in frames:
                        yield frame
                        done += 1
            except PlanError as error:
                if self.options.strict and isinstance(error, FlawError):
                    raise UndecodableError(str(error)) from error
                _log.debug("%s: decoding sequentially from %g s: %s", path, times[done], error)
        if done < len(times):
            rest = times[done:]
            sequential = decode_sequential(
                path, layout, start=rest[0], options=self.options, damage=damage
            )
            with closing(sequential) as frames:
                yield from displayed_at(frames, rest)

    def _plan(self, times: Sequence[float]) -> FramePlan | None:
        """Plan the decoding; None for damage, discontinuities or unknown dependencies."""
        video = self.video
        if video.packets is None or video.damage is not None or video.layout.restarts is not False:
            return None
        return plan_frames(
            video.packets,
            times,
            among=self.sample_times,
            clock=video.layout.clock,
            first_pts=video.layout.first_pts,
            tolerance=self.tolerance,
        )
