"""Reels: moments of several videos, one after the other in one file."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from media.container.target import unfinished_file
from media.cutting.canvas import Canvas, Fitter, ReelSource
from media.cutting.edit_lists import Played, movie_units
from media.cutting.encoding import encoder_options, shown_from
from media.cutting.output import OnProgress, write_tracks
from media.playback.soundtrack import SAMPLE_RATE, STEREO, Soundtrack

_SOUND_BITS = 192_000  # per second
_WITHIN = Fraction(1, 4)  # of a frame of the reel, at which the picture on display is taken
_SAMPLES = 1024


def write_reel(
    sources: Sequence[ReelSource],
    target: Path,
    *,
    overwrite: bool,
    on_progress: OnProgress = lambda _: None,
) -> float:
    """Write the moments to `target`, which appears whole or not at all; its length in seconds.

    The pictures are upright, of one size and one rate; black bars fill the size. The sound is the
    best track of each video in stereo. Raises as `media.cutting.cut.write_cut`.
    """
    canvas = Canvas.of(sources)
    pictures = _Pictures(canvas)
    sound = _Sound(pictures) if any(source.facts.sound for source in sources) else None
    with unfinished_file(target, replace=overwrite) as unfinished:
        write_tracks(
            unfinished,
            [pictures] if sound is None else [pictures, sound],
            _packets(sources, pictures, sound),
            units=movie_units(1 / canvas.rate, [SAMPLE_RATE]),
            quicktime=False,
            tags={},
            on_progress=on_progress,
        )
    return float(pictures.played.end)


class _Pictures:
    """Track of pictures of one size, at one rate."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.count = 0  # so far

    @property
    def played(self) -> Played:
        """When it is played, so far."""
        return Played(Fraction(0), self.count / self.canvas.rate)

    def add_to(self, container: OutputContainer) -> VideoStream:
        """Add the stream."""
        canvas = self.canvas
        deep = canvas.transfer is not None
        options = encoder_options(canvas.width * canvas.height, deep=deep)
        stream = container.add_stream(
            "libx265" if deep else "libx264", rate=canvas.rate, options=options
        )
        stream.width, stream.height, stream.pix_fmt = canvas.width, canvas.height, canvas.form
        context = stream.codec_context
        context.time_base = 1 / canvas.rate
        context.flags |= Flags.frame_duration
        context.colorspace, context.color_trc, context.color_primaries = canvas.colours
        context.color_range = ColorRange.MPEG
        if deep:
            context.codec_tag = "hvc1"
        self._stream = stream
        return stream

    def show(self, frame: VideoFrame) -> "list[Packet[Stream]]":
        """Append a frame."""
        frame.pts, frame.time_base, frame.duration = self.count, 1 / self.canvas.rate, 1
        frame.pict_type = PictureType.NONE
        self.count += 1
        return cast("list[Packet[Stream]]", self._stream.encode(frame))

    def finish(self) -> "list[Packet[Stream]]":
        """What the encoder still holds."""
        return cast("list[Packet[Stream]]", self._stream.encode(None))


class _Sound:
    """Track of sound beside the pictures."""

    def __init__(self, pictures: _Pictures) -> None:
        self._pictures = pictures
        self._samples = 0  # so far

    @property
    def played(self) -> Played:
        """When it is played: as long as the pictures."""
        return self._pictures.played

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Add the stream."""
        self._stream = container.add_stream("aac", rate=SAMPLE_RATE, layout=STEREO.layout)
        self._stream.bit_rate = _SOUND_BITS
        return self._stream

    def follow(self, heard: Soundtrack) -> "Iterator[Packet[Stream]]":
        """Append what is heard up to the end of the pictures."""
        total = round(self._pictures.played.end * SAMPLE_RATE)
        while self._samples < total:
            count = min(_SAMPLES, total - self._samples)
            frame = AudioFrame.from_ndarray(heard.read(count), "fltp", STEREO.layout)
            frame.sample_rate, frame.pts = SAMPLE_RATE, self._samples
            frame.time_base = Fraction(1, SAMPLE_RATE)
            self._samples += count
            yield from cast("list[Packet[Stream]]", self._stream.encode(frame))

    def finish(self) -> "list[Packet[Stream]]":
        """What the encoder still holds."""
        return cast("list[Packet[Stream]]", self._stream.encode(None))


def _packets(
    sources: Sequence[ReelSource], pictures: _Pictures, sound: _Sound | None
) -> "Iterator[Packet[Stream]]":
    """Decode all moments, and encode them one after the other."""
    for source in sources:
        yield from _moment(source, pictures, sound)
    yield from pictures.finish()
    if sound is not None:
        yield from sound.finish()


def _moment(
    source: ReelSource, pictures: _Pictures, sound: _Sound | None
) -> "Iterator[Packet[Stream]]":
    layout, canvas, begun = source.facts.layout, pictures.canvas, pictures.count
    fitter = Fitter(canvas, layout, transfer=source.transfer)
    frames = shown_from(source.path, layout, start=source.start, end=source.end)
    heard: Soundtrack | None = None
    with ExitStack() as stack:
        stack.enter_context(closing(frames))
        first = next(frames)
        if sound is not None:
            start = float(first.begin * layout.clock.unit - layout.clock.zero)
            heard = stack.enter_context(Soundtrack(source.path, layout.clock, start=start))
        for shown in chain([first], frames):
            passed = (shown.end - first.begin) * layout.clock.unit
            # A frame of the reel shows what is on display a little after it begins.
            due = max(1, math.ceil(passed * canvas.rate - _WITHIN)) + begun
            fitted = fitter.fitted(shown.stored) if due > pictures.count else None
            while fitted is not None and pictures.count < due:
                yield from pictures.show(fitted)
                if sound is not None and heard is not None:
                    yield from sound.follow(heard)
