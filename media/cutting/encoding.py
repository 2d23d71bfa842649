"""Encoding of a moment anew: pictures as H.264, or H.265 for more than 8 bits, and sound."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from machine.cores import usable_cores
from media.container.source import DecoderOptions, open_source
from media.cutting.edit_lists import Played
from media.cutting.points import NEAR, ROUNDED, in_point, out_point
from media.cutting.traits import HdrLight, display_matrix, kept_metadata
from media.errors import PointsError
from media.frames.layout import Layout
from media.frames.sequential import DecodedFrame, decode_sequential
from media.playback.soundtrack import SAMPLE_RATE, SoundForm, Soundtrack

_CRF = "18"  # x264's constant rate factor that looks like the source
_PRESET = "fast"
_USUAL_RATE = Fraction(25)  # frames per second, of a stream that tells none: a hint only
_BITS, _DEEP = 8, "yuv420p10le"  # of a usual picture; the form of one with more
_LARGE = 1 << 24  # pixels from which on encoders hold few frames back: they take memory
_HD_LINES = 720  # from which on pictures without told colours are BT.709
_AAC_BITS = 96_000  # per second and channel
_AAC_RATES = frozenset({96_000, 88_200, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 8_000})
_AAC_LAYOUTS = {
    "mono": "mono", "stereo": "stereo", "3.0": "3.0", "4.0": "4.0", "5.0": "5.0",
    "5.0(side)": "5.0", "5.1": "5.1", "5.1(side)": "5.1", "downmix": "stereo",
}  # fmt: skip
_SAMPLES = 1024  # in a packet


@dataclass(frozen=True, slots=True)
class Shown:
    """A decoded frame on display from `begin` to `end`, in units of the stream's time base."""

    stored: VideoFrame
    begin: int
    end: int


def shown_from(
    path: Path, layout: Layout, *, start: float, end: float
) -> Generator[Shown, None, None]:
    """Decode the pictures from `start` to `end`, in seconds on the file's clock: at least one.

    Both are moved as `media.cutting.points` says. Raises `PointsError` for a moment behind the end.
    """
    clock = layout.clock
    begin, stop = (Fraction(time) + clock.zero for time in (start, end))
    options = DecoderOptions(threads=usable_cores())
    first: int | None = None
    with closing(decode_sequential(path, layout, start=start, options=options)) as frames:
        for shown in _timed(frames, layout):
            since, until = shown.begin * clock.unit, shown.end * clock.unit
            if until <= begin + ROUNDED:
                continue
            if first is None:
                first = max(shown.begin, round(in_point(begin, since) / clock.unit))
            since_here = max(first, shown.begin)
            if until >= stop - ROUNDED:
                last = round(out_point(stop, until) / clock.unit)
                yield Shown(shown.stored, since_here, max(last, since_here + 1))
                return
            yield Shown(shown.stored, since_here, shown.end)
    if first is None:
        raise PointsError(f"its pictures end before {start:.3f} s, where the moment begins")


def _timed(frames: Iterator[DecodedFrame], layout: Layout) -> Iterator[Shown]:
    """Each frame with the times at which it begins, and at which the next one does."""
    clock = layout.clock
    before: tuple[VideoFrame, int, int] | None = None
    step = 1
    for frame in frames:
        tick = round((Fraction(frame.time) + clock.zero) / clock.unit)
        if before is not None:
            if tick <= before[1]:
                continue  # a second picture at that time
            step = tick - before[1]
            yield Shown(before[0], before[1], tick)
        before = frame.stored, tick, round(Fraction(frame.duration) / clock.unit)
    if before is not None:
        yield Shown(before[0], before[1], before[1] + (before[2] or step))


class EncodedPictures:
    """Track of pictures that are encoded anew, as they lie in the source: not turned, not scaled.

    Raises `MediaError` where nothing can be decoded.
    """

    def __init__(
        self, path: Path, layout: Layout, *, start: float, end: float, stack: ExitStack
    ) -> None:
        self._unit = layout.clock.unit
        self._pictures = stack.enter_context(
            closing(shown_from(path, layout, start=start, end=end))
        )
        self._first = next(self._pictures)
        self._end = self._first.end
        self._whole = False
        self._reformatter = VideoReformatter()
        with open_source(path, stream_index=layout.stream_index) as source:
            self._rate = source.stream.average_rate or _USUAL_RATE
            self._shape = source.stream.sample_aspect_ratio
            self._metadata = kept_metadata(source.stream)

    @property
    def start(self) -> Fraction:
        """The in point in seconds of the file's timestamps."""
        return self._first.begin * self._unit

    @property
    def played(self) -> Played:
        """When it is played, up to what was decoded so far."""
        return Played(Fraction(0), (self._end - self._first.begin) * self._unit)

    @property
    def length(self) -> Fraction | None:
        """Seconds from the in point to the out point, as soon as that was reached."""
        return self.played.end if self._whole else None

    def add_to(self, container: OutputContainer) -> VideoStream:
        """Add the stream."""
        frame = self._made(self._first.stored)
        deep = frame.format.name == _DEEP
        options = encoder_options(frame.width * frame.height, deep=deep, light=HdrLight.of(frame))
        stream = container.add_stream(
            "libx265" if deep else "libx264", rate=self._rate, options=options
        )
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
        context = stream.codec_context
        context.time_base = self._unit
        context.flags |= Flags.frame_duration
        if frame.interlaced_frame and not deep:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if self._shape:
            context.sample_aspect_ratio = self._shape
        context.color_range, context.colorspace = frame.color_range, frame.colorspace
        context.color_trc, context.color_primaries = frame.color_trc, frame.color_primaries
        if deep:
            context.codec_tag = "hvc1"  # Apple's players know no other
        stream.set_display_matrix(display_matrix(self._first.stored))
        stream.metadata.update(self._metadata)
        self._stream = stream
        return stream

    def packets(self) -> "Iterator[Packet[Stream]]":
        """Decode and encode."""
        for shown in chain([self._first], self._pictures):
            self._end = shown.end
            frame = self._made(shown.stored)
            frame.pts, frame.time_base = shown.begin - self._first.begin, self._unit
            frame.duration = shown.end - shown.begin
            frame.pict_type = PictureType.NONE
            yield from cast("list[Packet[Stream]]", self._stream.encode(frame))
        self._whole = True
        yield from cast("list[Packet[Stream]]", self._stream.encode(None))

    def _made(self, stored: VideoFrame) -> VideoFrame:
        """A frame in the form that is encoded: even sizes, 4:2:0, its colours as they were told."""
        form = stored.format
        coloured = form.is_rgb or form.has_palette
        size = self._first.stored
        made = self._reformatter.reformat(
            stored,
            size.width + size.width % 2,
            size.height + size.height % 2,
            format=_DEEP if form.components[0].bits > _BITS else "yuv420p",
            dst_colorspace=_colours(size.height) if coloured else None,
            dst_color_range=ColorRange.MPEG if coloured else stored.color_range or None,
            threads=1,
        )
        if coloured:
            made.colorspace = _colours(size.height)
        return made


def _colours(lines: int) -> int:
    return Colorspace.ITU709 if lines >= _HD_LINES else Colorspace.ITU601


def encoder_options(pixels: int, *, deep: bool, light: HdrLight | None = None) -> dict[str, str]:
    """Options of the encoder for frames of so many pixels; `deep` is for those of 10 bits."""
    options = {"crf": _CRF, "preset": _PRESET, "threads": str(usable_cores())}
    if pixels > _LARGE:
        options["rc-lookahead"] = "8"
    if deep:
        told = light.parameters() if light else []
        options["x265-params"] = ":".join([f"pools={usable_cores()}", "log-level=error", *told])
    return options


def is_plain(stream: AudioStream) -> bool:
    """Whether sound is encoded as PCM: because it is that already, or has unusual channels."""
    context = stream.codec_context
    is_pcm = context.codec.canonical_name.startswith("pcm_")
    return is_pcm or context.layout.name not in _AAC_LAYOUTS


class EncodedSound:
    """Track of sound beside pictures: encoded anew, as PCM if it was that, else as AAC.

    It is cut to the sample; where there is none, it is silent.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        index: int,
        *,
        pictures: EncodedPictures,
        most: float,
        stack: ExitStack,
    ) -> None:
        """`most` is a number of seconds that the moment is not longer than."""
        with open_source(path, stream_index=layout.stream_index) as source:
            stream = cast(AudioStream, source.container.streams[index])
            context = stream.codec_context
            channels, self._metadata = context.layout.name, kept_metadata(stream)
            deep = context.format.bytes > 2 and channels in _AAC_LAYOUTS
            self.is_plain = is_plain(stream)
        self._codec = ("pcm_s24le" if deep else "pcm_s16le") if self.is_plain else "aac"
        known = self.is_plain or context.sample_rate in _AAC_RATES
        self.form = SoundForm(
            context.sample_rate if known else SAMPLE_RATE,
            channels if self.is_plain else _AAC_LAYOUTS[channels],
        )
        self._pictures, self._most = pictures, Fraction(most) + NEAR
        start = float(pictures.start - layout.clock.zero)
        self._sound = stack.enter_context(
            Soundtrack(path, layout.clock, start=start, form=self.form, index=index)
        )

    @property
    def played(self) -> Played:
        """When it is played: as long as the pictures."""
        return self._pictures.played

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Add the stream."""
        form = self.form
        added = container.add_stream(self._codec, rate=form.rate, layout=form.layout)
        stream = cast(AudioStream, added)
        if not self.is_plain:
            stream.bit_rate = _AAC_BITS * self.form.channels
        stream.metadata.update(self._metadata)
        self._stream = stream
        return stream

    def packets(self) -> "Iterator[Packet[Stream]]":
        """Decode and encode."""
        done = 0
        while True:
            length = self._pictures.length
            total = round((self._most if length is None else length) * self.form.rate)
            count = min(_SAMPLES, total - done)
            if count <= 0:
                break
            frame = self._frame(self._sound.read(count))
            frame.pts, frame.time_base = done, Fraction(1, self.form.rate)
            frame.sample_rate = self.form.rate
            yield from cast("list[Packet[Stream]]", self._stream.encode(frame))
            done += count
        yield from cast("list[Packet[Stream]]", self._stream.encode(None))

    def _frame(self, samples: np.ndarray) -> AudioFrame:
        """Samples (C, N) float32 in the encoder's form."""
        if not self.is_plain:
            return AudioFrame.from_ndarray(samples, "fltp", self.form.layout)
        bits = 16 if self._codec == "pcm_s16le" else 32
        full = 1 << bits - 1
        whole = np.clip(np.rint(samples.T.astype(np.float64) * full), -full, full - 1)
        if bits == 16:
            packed = whole.astype(np.int16).reshape(1, -1)
            return AudioFrame.from_ndarray(packed, "s16", self.form.layout)
        return AudioFrame.from_ndarray(
            whole.astype(np.int32).reshape(1, -1), "s32", self.form.layout
        )
