"""Films whose pictures show their own number, with a burst of sound every half second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.media.conftest import number_in, numbered_picture

BURST, EVERY = 0.05, 0.5  # seconds
_SIZE = 1152  # samples in a frame of sound


@dataclass(frozen=True)
class Film:
    """How a film is made; `pts` are the times of its pictures in `unit`s, if not regular."""

    name: str
    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("g", "50"), ("sc_threshold", "0"))
    pix_fmt: str = "yuv420p"
    rate: Fraction = Fraction(25)
    pictures: int = 110
    sound: str | None = "aac"
    sound_rate: int = 48_000
    layout: str = "mono"
    tracks: int = 1
    first_ends: float | None = None  # seconds after which the first of several tracks ends
    delay: float = 0.0  # seconds by which the pictures begin later than the sound
    unit: Fraction | None = None
    pts: Sequence[int] | None = None

    def made(self, folder: Path, prepare: Callable[[Any, list[Any]], None] | None = None) -> Path:
        """Write it."""
        path = folder / self.name
        unit = self.unit or 1 / self.rate
        with av.open(str(path), "w") as film:
            options = {"threads": "1", **dict(self.options)}
            video: Any = film.add_stream(self.codec, rate=self.rate, options=options)
            video.width, video.height, video.pix_fmt = 64, 48, self.pix_fmt
            video.codec_context.time_base = unit
            sounds: list[Any] = [
                film.add_stream(self.sound, rate=self.sound_rate, layout=self.layout)
                for _ in range(self.tracks if self.sound else 0)
            ]
            if prepare is not None:
                prepare(video, sounds)
            stamps = self.pts or [round(i / self.rate / unit) for i in range(self.pictures)]
            late = round(self.delay / unit)
            packets = [p for n, sound in enumerate(sounds) for p in self._encoded(sound, n)]
            for number, stamp in enumerate(stamps):
                frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
                frame = frame.reformat(format=self.pix_fmt, threads=1)
                frame.pts, frame.time_base = stamp + late, unit
                packets += video.encode(frame)
            packets += video.encode(None)
            for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
                film.mux(packet)
        return path

    def _encoded(self, stream: Any, number: int) -> list[Any]:
        ends = self.first_ends if number == 0 else None
        seconds = float(self.pictures / self.rate) if ends is None else ends
        samples = _bursts(seconds, self.sound_rate, 1000 * (number + 1))
        form, packets = stream.codec_context.format.name, []
        channels = stream.codec_context.layout.nb_channels
        for begin in range(0, len(samples), _SIZE):
            block = np.repeat(samples[None, begin : begin + _SIZE], channels, axis=0)
            if not form.endswith("p"):
                block = block.T.reshape(1, -1)
            kind = {"f": np.float32, "s1": np.int16, "s3": np.int32}
            dtype = next(one for start, one in kind.items() if form.startswith(start))
            if dtype is not np.float32:
                block = block * float(np.iinfo(dtype).max)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(block.astype(dtype)), format=form, layout=self.layout
            )
            frame.sample_rate, frame.pts = self.sound_rate, begin
            frame.time_base = Fraction(1, self.sound_rate)
            packets += stream.encode(frame)
        return [*packets, *stream.encode(None)]


def _bursts(seconds: float, rate: int, pitch: int) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    tone = 0.5 * np.sin(2 * np.pi * pitch * times)
    return np.where(times % EVERY < BURST, tone, 0).astype(np.float32)


def pictures_of(path: Path) -> list[tuple[float, int]]:
    """The time and the number of each picture, as FFmpeg plays the film."""
    with av.open(str(path)) as film:
        return [
            (frame.time, number_in(frame.to_ndarray(format="rgb24")))
            for frame in film.decode(video=0)
        ]


def bursts_of(path: Path, track: int = 0) -> list[float]:
    """When the bursts of a track begin that have silence before them, in seconds."""
    with av.open(str(path)) as film:
        stream = film.streams.audio[track]
        frames = list(film.decode(stream))
        rate, start = stream.rate, frames[0].time
        planar = stream.format.is_planar
        channels = 1 if planar else stream.layout.nb_channels
        blocks = [frame.to_ndarray()[0, ::channels].astype(np.float64) for frame in frames]
    samples = np.abs(np.concatenate(blocks))
    loud = np.flatnonzero(samples > 0.2 * samples.max())
    before = np.concatenate([[-rate], loud[:-1]])
    begins = loud[(loud - before > rate * BURST) & (loud > rate * BURST)]
    return [float(start + begin / rate) for begin in begins]


def zero_of(path: Path) -> float:
    """The earliest time in a film, where its clock begins."""
    with av.open(str(path)) as film:
        starts = [s.start_time * s.time_base for s in film.streams if s.start_time is not None]
    return float(min(starts))


def length_of(path: Path) -> float:
    """How long the pictures of a film are played, in seconds."""
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        return float(stream.duration * stream.time_base)
