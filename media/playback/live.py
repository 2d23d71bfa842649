"""Films made anew for a browser while it plays: H.264 and AAC in fragments of an MP4."""

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, suppress
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from machine.cores import usable_cores
from media.container.source import DecoderOptions, open_source, reason
from media.errors import UndecodableError, WriteError
from media.frames.layout import Layout, layout_of
from media.frames.orientation import Orientation
from media.frames.rgb import RgbConverter
from media.frames.sequential import DecodedFrame, decode_sequential, shown_between
from media.packets.scan import scan_packets
from media.playback.soundtrack import SAMPLE_RATE, Soundtrack
from media.playback.tracks import sound_of

# What `live_mp4` makes, to ask `MediaSource.isTypeSupported`: H.264 High 4.0, AAC.
LIVE_TYPE = 'video/mp4; codecs="avc1.640028, mp4a.40.2"'
SILENT_LIVE_TYPE = 'video/mp4; codecs="avc1.640028"'
LIVE_LINES = (720, 480)  # heights to choose from

_TICKS = 90_000  # per second
_FRAGMENT, _MOMENT = 0.5, 0.1  # seconds
_LEAST_STEP = 1 / 40  # seconds between frames: of 50 or 60 in a second, every other one
_UNTOLD, _HD_LINES = 2, 720  # FFmpeg's colour space "unspecified"; pictures that are BT.709 then
_MOST_THREADS = 4
_AAC_SAMPLES = 1024  # in a packet; the encoder begins with one of silence
_ENCODER = {
    "preset": "veryfast",
    "tune": "zerolatency",
    "crf": "23",
    "profile": "high",
    "level": "4.0",
    "forced-idr": "1",
    "g": "250",  # key frames are asked for, one a fragment
}
_FORM = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def live_mp4(
    path: Path,
    *,
    start: float,
    lines: int = LIVE_LINES[0],
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[bytes, None, None]:
    """Encode the film at `path` from `start` seconds on as fragmented MP4, piece by piece.

    The first piece holds the header; those that follow are fragments of about half a second. Times
    begin at 0 with the frame on display at `start`. Frames are upright, with square pixels, at most
    `lines` high and 16:9 of that wide, at most 40 in a second. Sound and pictures begin and end
    together: silence fills holes in the sound, the last frame stays while sound goes on. The type
    is `LIVE_TYPE`, or `SILENT_LIVE_TYPE` without sound. Memory does not grow with the film. Where
    `stopped` says so, the pieces end within a few frames.

    Raises `MediaError` with the first piece, or later where decoding ends early.
    """
    if not (math.isfinite(start) and start >= 0):
        raise ValueError(f"a film cannot be played from {start} s on")
    layout, has_sound = _read_head(path)
    options = DecoderOptions(threads=_threads())
    with ExitStack() as stack:
        frames = stack.enter_context(
            closing(decode_sequential(path, layout, start=start, options=options))
        )
        sound = None
        if has_sound:
            lead = _AAC_SAMPLES / SAMPLE_RATE
            sound = stack.enter_context(Soundtrack(path, layout.clock, start=start + lead))
        output = _Output(layout, lines=lines, sound=sound)
        stack.callback(output.close)
        try:
            for frame, begin, until in shown_between(
                _until(frames, stopped), start=start, end=math.inf
            ):
                for time, lasts in _steps(begin - start, until - start):
                    output.show(frame.stored, time, lasts=lasts)
                    if stopped():
                        return
                    yield from output.pieces()
            while output.sound_goes_on() and not stopped():
                output.show_on()
                yield from output.pieces()
            output.finish()
            yield from output.pieces()
        except (av.error.FFmpegError, OSError) as error:
            raise WriteError(f"it cannot be encoded: {reason(error)}") from error


def _read_head(path: Path) -> tuple[Layout, bool]:
    with open_source(path) as source:
        has_sound = sound_of(source) is not None
        return layout_of(source, scan_packets(source, head_only=True)), has_sound


def _threads() -> int:
    return min(_MOST_THREADS, usable_cores())


def _until(frames: Iterator[DecodedFrame], stopped: Callable[[], bool]) -> Iterator[DecodedFrame]:
    """The frames, until somebody says that no more are wanted."""
    return takewhile(lambda _: not stopped(), frames)


def _steps(begin: float, until: float) -> Iterator[tuple[float, float]]:
    """When to show a frame, again and again while it stays on display; and for how many seconds."""
    count = max(1, math.ceil((until - begin) / _FRAGMENT - 1e-6))
    for step in range(count):
        time = begin + step * _FRAGMENT
        yield time, min(_FRAGMENT, max(until - time, 1 / _TICKS))


class _Sink:
    """File for FFmpeg that cannot be sought in; what was written is taken out at once."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken


class _Output:
    """MP4 that is being written: frames come in order of time, sound is read up to each of them."""

    def __init__(self, layout: Layout, *, lines: int, sound: Soundtrack | None) -> None:
        scale = min(lines / layout.height, lines * 16 / 9 / layout.width)
        self._size = layout.fitted(scale, even=True)
        self._picture = _Picture(layout, self._size)
        self._sound = sound
        self._sink = _Sink()
        self._container: OutputContainer = av.open(
            self._sink, "w", format="mp4", container_options=_FORM
        )
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        self._samples = _AAC_SAMPLES  # the packet of silence takes the place of the first
        self._next_key = 0.0
        self._shown: tuple[VideoFrame, float, float] | None = None  # the last, its time, its length

    def sound_goes_on(self) -> bool:
        """Write the sound beside the last frame; whether there is more."""
        if self._sound is None or self._shown is None:
            return False
        self._write_sound(until=self._shown[1] + self._shown[2])
        return self._sound.goes_on

    def show(self, stored: VideoFrame, time: float, *, lasts: float) -> None:
        """Write a frame at `time` for `lasts` seconds, and the sound before it.

        The first frame is shown from time 0. One that follows the one before too soon is left out.
        """
        if self._shown is None:
            lasts, time = lasts + time, 0.0
        elif time - self._shown[1] < _LEAST_STEP:
            return
        frame = self._picture.made(stored)
        self._write(frame, time, lasts=lasts)

    def show_on(self) -> None:
        """Write the last frame once more, for a moment."""
        frame, time, lasts = self._last()
        self._write(frame, time + max(lasts, _LEAST_STEP), lasts=_MOMENT)

    def finish(self) -> None:
        """Write what the encoders still hold. Raises `UndecodableError` if nothing was shown."""
        _, time, lasts = self._last()
        self._write_sound(until=time + lasts)
        for stream in (self._video, self._audio):
            if stream is not None:
                self._container.mux(stream.encode(None))
        self._container.close()

    def close(self) -> None:
        """Close without another word; what is in the encoders is lost."""
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()

    def pieces(self) -> Iterator[bytes]:
        """What was written since the last time."""
        taken = self._sink.take()
        if taken:
            yield taken

    def _last(self) -> tuple[VideoFrame, float, float]:
        if self._shown is None:
            raise UndecodableError("not one picture of it can be decoded")
        return self._shown

    def _write(self, frame: VideoFrame, time: float, *, lasts: float) -> None:
        video = self._video or self._add_streams(frame)
        frame.pts, frame.time_base = round(time * _TICKS), Fraction(1, _TICKS)
        frame.duration = max(1, round(lasts * _TICKS))
        begins = time >= self._next_key - 1e-6
        frame.pict_type = PictureType.I if begins else PictureType.NONE
        if begins:
            self._next_key = time + _FRAGMENT
        self._write_sound(until=time)
        self._container.mux(video.encode(frame))
        self._shown = frame, time, lasts

    def _write_sound(self, *, until: float) -> None:
        while self._audio and self._sound and self._samples < until * SAMPLE_RATE:
            block = AudioFrame.from_ndarray(self._sound.read(_AAC_SAMPLES), "fltp", "stereo")
            block.sample_rate, block.pts = SAMPLE_RATE, self._samples
            block.time_base = Fraction(1, SAMPLE_RATE)
            self._container.mux(self._audio.encode(block))
            self._samples += _AAC_SAMPLES

    def _add_streams(self, frame: VideoFrame) -> VideoStream:
        options = _ENCODER | {"threads": str(_threads())}
        video = self._container.add_stream("libx264", rate=30, options=options)
        video.width, video.height, video.pix_fmt = frame.width, frame.height, "yuv420p"
        context = video.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.flags |= Flags.frame_duration
        context.color_range, context.colorspace = ColorRange.MPEG, frame.colorspace
        context.color_trc, context.color_primaries = frame.color_trc, frame.color_primaries
        self._video = video
        if self._sound is not None:
            self._audio = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
            self._audio.bit_rate = 128_000
        return video


class _Picture:
    """Conversion of decoded frames to upright ones in H.264's usual form."""

    def __init__(self, layout: Layout, size: tuple[int, int]) -> None:
        self._size = size
        self._reformatter = VideoReformatter()
        self._turned = (
            None
            if layout.orientation == Orientation()
            else RgbConverter(layout.orientation, width=size[0], height=size[1])
        )

    def made(self, stored: VideoFrame) -> VideoFrame:
        """Convert a frame; where its colours are not told, they are what players take them for."""
        if self._turned is not None:
            stored = VideoFrame.from_ndarray(self._turned.convert(stored), format="rgb24")
        made = self._reformatter.reformat(
            stored,
            *self._size,
            format="yuv420p",
            dst_colorspace=None if self._turned is None else Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        if made.colorspace == _UNTOLD:
            made.colorspace = Colorspace.ITU709 if stored.height >= _HD_LINES else Colorspace.ITU601
        return made
