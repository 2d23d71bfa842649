"""Made videos: large with few sampled bytes, changes that no sample sees, late pictures."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from indexer.scan.fingerprint import BLOCK, sampled_blocks

_PADDING = 2 << 20  # bytes of a box at the end that players skip, at least
_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_ON_ITS_SIDE = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


def write_padded(path: Path, *, seed: int, seconds: float = 10.0) -> Path:
    """A video of noise at 2 frames per second; its index lies between two sampled blocks."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:  # which puts the index at the end, as cameras do
        stream = container.add_stream("mpeg4", rate=2)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 128, 96, "yuv420p", 100_000
        for _ in range(round(2 * seconds)):
            pixels = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    film = path.read_bytes()
    assert _matrix(film) > BLOCK + 20_000
    padding = _PADDING
    while any(_is_sampled(_matrix(film) + byte, len(film) + padding + 8) for byte in (0, 35)):
        padding += BLOCK
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", padding + 8, b"free") + rng.bytes(padding))
    return path


def _is_sampled(offset: int, size: int) -> bool:
    return any(start <= offset < start + length for start, length in sampled_blocks(size))


def _matrix(film: bytes) -> int:
    return film.index(_UPRIGHT, film.index(b"tkhd"))


def change_pictures(path: Path, *, to: bytes | None = None) -> bytes:
    """Overwrite pictures that no sample sees, in place; what was there before."""
    start = BLOCK  # behind the first sampled one
    with path.open("r+b") as file:
        file.seek(start)
        before = file.read(8000)
        file.seek(start)
        file.write(bytes(8000) if to is None else to)
    return before


def turn(path: Path) -> None:
    """Say in the video's index that its pictures lie on their side: no more than 36 bytes."""
    at = _matrix(path.read_bytes())
    with path.open("r+b") as file:
        file.seek(at)
        file.write(_ON_ITS_SIDE)


def keep_times(path: Path, change: Callable[[Path], object]) -> None:
    """Change a file as programs do that set its time back afterwards."""
    state = path.stat()
    change(path)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


_HERTZ = 8000


def delay_pictures(film: Path, target: Path, *, seconds: int, sound: int) -> Path:
    """`film` with its pictures that much later, and with `sound` seconds of silence from 0 on."""
    with av.open(str(film)) as source, av.open(str(target), "w") as late:
        pictures = late.add_stream_from_template(source.streams.video[0])
        track = late.add_stream("pcm_s16le", rate=_HERTZ, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, _HERTZ * sound), np.int16), layout="mono")
        silence.sample_rate, silence.pts = _HERTZ, 0
        late.mux(track.encode(silence))
        for packet in source.demux(video=0):
            if packet.size:
                packet.dts += round(seconds / packet.time_base)
                packet.pts += round(seconds / packet.time_base)
                packet.stream = pictures
                late.mux(packet)
    return target
