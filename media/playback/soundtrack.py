"""Sound of a film as samples without holes, whatever its file holds."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from media.container.clock import Clock
from media.container.source import Source, open_source
from media.playback.tracks import sound_of

SAMPLE_RATE = 48_000  # per second
_LEAD = 0.5  # seconds before the wanted one from which decoders are fed
_JUMP = 20  # parts of a second by which a timestamp may be off before it is believed


@dataclass(frozen=True, slots=True)
class SoundForm:
    """Form of sound: samples per second, and FFmpeg's name of the channels."""

    rate: int = SAMPLE_RATE
    layout: str = "stereo"

    @property
    def channels(self) -> int:
        """Their number, C."""
        return AudioLayout(self.layout).nb_channels


STEREO = SoundForm()


@dataclass(frozen=True, slots=True)
class _Piece:
    """Samples (C, N) float32, the first of them at `position` samples on the film's own clock."""

    position: int
    samples: np.ndarray

    @property
    def end(self) -> int:
        return self.position + int(self.samples.shape[1])


class Soundtrack:
    """The sound of the film at `path` from `start` seconds on, read forward in blocks.

    `index` is the number of the audio stream in the file, by default FFmpeg's best one. Where there
    is nothing, or nothing that can be decoded, it is silent. Closed as a context manager. Opening
    raises `MediaError`.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        start: float,
        form: SoundForm = STEREO,
        index: int | None = None,
    ) -> None:
        self._channels = form.channels
        self._position = round(start * form.rate)
        self._pieces = _decoded(path, clock, start=start, form=form, index=index)
        self._next = next(self._pieces, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._pieces.close()

    @property
    def goes_on(self) -> bool:
        """Whether there is any sound after what was read so far."""
        return self._next is not None

    def read(self, count: int) -> np.ndarray:
        """The next `count` samples, (C, count) float32."""
        block = np.zeros((self._channels, count), np.float32)
        begin, end = self._position, self._position + count
        while self._next is not None and self._next.position < end:
            piece = self._next
            first, last = max(begin, piece.position), min(end, piece.end)
            if first < last:
                block[:, first - begin : last - begin] = piece.samples[
                    :, first - piece.position : last - piece.position
                ]
            if piece.end > end:
                break
            self._next = next(self._pieces, None)
        self._position = end
        return block


def _decoded(
    path: Path, clock: Clock, *, start: float, form: SoundForm, index: int | None
) -> Generator[_Piece, None, None]:
    """Decode an audio stream from shortly before `start` seconds to its end.

    Timestamps in milliseconds would tear tiny holes: samples follow each other unless a timestamp
    leaps.
    """
    with (
        open_source(path) as source,
        closing(_frames(source, index=index, start=start, clock=clock)) as frames,
    ):
        resampler = AudioResampler(format="fltp", layout=form.layout, rate=form.rate)
        expected: int | None = None
        for frame in frames:
            told = _position(frame, clock, rate=form.rate)
            leap = 0 if told is None or expected is None else abs(told - expected)
            if expected is None or leap * _JUMP > form.rate:
                expected = told or 0
            try:
                resampled = resampler.resample(frame)
            except (av.error.FFmpegError, OSError, ValueError):
                continue  # the layout changed to one that is unknown
            for made in resampled:
                samples = made.to_ndarray().astype(np.float32, copy=False)
                yield _Piece(expected, samples)
                expected += samples.shape[1]


def _position(frame: AudioFrame, clock: Clock, *, rate: int) -> int | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return round((frame.pts * frame.time_base - clock.zero) * rate)


def _frames(
    source: Source, *, index: int | None, start: float, clock: Clock
) -> Generator[AudioFrame, None, None]:
    stream = sound_of(source) if index is None else source.container.streams[index]
    if not isinstance(stream, AudioStream):
        return
    _seek(source, stream, time=start - _LEAD, clock=clock)
    packets = source.container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError, IndexError):
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except (av.error.FFmpegError, OSError):
            continue  # what is around it may be whole


def _seek(source: Source, stream: AudioStream, *, time: float, clock: Clock) -> None:
    unit = stream.time_base
    if time <= 0 or unit is None:
        return
    try:
        source.container.seek(int((time + float(clock.zero)) / unit), stream=stream)
    except (av.error.FFmpegError, OSError):
        return  # read from the beginning
