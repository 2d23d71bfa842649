"""Films whose pictures show their own number, in the forms that cameras and programs write."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.media.conftest import number_in, numbered_picture

_OPEN_GOP = "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3:b-adapt=0"


def numbers_in(path: Path) -> list[int]:
    """The numbers of all pictures that are shown, in their order, by FFmpeg's own decoder."""
    with av.open(str(path)) as container:
        return [number_in(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]


def times_in(path: Path) -> list[Fraction]:
    """When each picture is shown, in seconds from the earliest stream."""
    with av.open(str(path)) as container:
        starts = [s.start_time * s.time_base for s in container.streams if s.start_time is not None]
        frames = container.decode(video=0)
        return [frame.pts * frame.time_base - min(starts) for frame in frames]


def write_film(
    path: Path,
    *,
    rate: Fraction = Fraction(25),
    count: int = 60,
    stamps: Sequence[int] | None = None,
    unit: Fraction | None = None,
    late: Fraction | None = None,
    timecode: str | None = None,
    turned: int = 0,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a film with B-frames and open GOPs.

    Pictures follow each other at `rate`, or are shown at `stamps` in units of `unit` seconds.
    With `late`, sound begins at once and the pictures so many seconds later. They are shown after a
    turn by `turned` degrees clockwise.
    """
    unit = unit or 1 / rate
    delay = 0 if late is None else int(late / unit)
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        usual = {"x264-params": _OPEN_GOP, "threads": "1"}
        stream = container.add_stream(
            "libx264", rate=rate, options=usual if options is None else options
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = unit
        if turned:
            stream.set_display_rotation(-turned)  # which counts anticlockwise
        if timecode is not None:
            stream.metadata["timecode"] = timecode
        packets: list[Any] = [] if late is None else _sound(container, seconds=float(count / rate))
        for number, stamp in enumerate(stamps or range(count)):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            frame = frame.reformat(format="yuv420p", threads=1)
            frame.pts, frame.time_base = delay + stamp, unit
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            container.mux(packet)
    return path


def _sound(container: Any, *, seconds: float) -> list[Any]:
    stream = container.add_stream("mp2", rate=48_000)
    stream.layout = "stereo"
    packets = []
    for number in range(int(seconds * 48_000) // 1152):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 2304), np.int16), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 1152, Fraction(1, 48_000)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def with_edit_list(source: Path, target: Path, *, hidden: int) -> Path:
    """The same film, copied so that an edit list hides its first pictures."""
    with av.open(str(source)) as film, av.open(str(target), "w") as copy:
        stream = film.streams.video[0]
        written = copy.add_stream_from_template(stream)
        shift = round(hidden / stream.average_rate / stream.time_base)
        for packet in film.demux(stream):
            if packet.size:
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = written
                copy.mux(packet)
    return target


def with_timecode_flags(path: Path, flags: int) -> Path:
    """Change the flags of a timecode track, in place."""
    content = bytearray(path.read_bytes())
    entry = content.index(b"tmcd\0\0\0\0\0\0")  # the one with a reserved field behind it
    content[entry + 16 : entry + 20] = flags.to_bytes(4, "big")
    path.write_bytes(content)
    return path
