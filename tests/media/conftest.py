"""Small videos made for tests, whose frames show their own number."""

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
import pytest

_BITS = 16
_WIDTH, _HEIGHT = 64, 48


class VideoMaker(Protocol):
    def __call__(
        self,
        name: str,
        pictures: Sequence[np.ndarray],
        *,
        pts: Sequence[int] | None = ...,
        time_base: Fraction = ...,
        codec: str = ...,
        pix_fmt: str = ...,
        options: dict[str, str] | None = ...,
        container_options: dict[str, str] | None = ...,
        container_format: str | None = ...,
        prepare: Callable[[Any], None] | None = ...,
    ) -> Path: ...


def numbered_picture(number: int) -> np.ndarray:
    """A picture whose black and white columns show `number` in binary: no codec blurs them."""
    bits = [(number >> bit) & 1 for bit in range(_BITS)]
    row = np.repeat(np.array(bits, dtype=np.uint8) * 255, _WIDTH // _BITS)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (_HEIGHT, _WIDTH, 3)))


def number_in(pixels: np.ndarray) -> int:
    """The number that a numbered picture shows, scaled or not."""
    height, width, _ = pixels.shape
    columns = pixels[height // 2].mean(axis=1).reshape(_BITS, width // _BITS).mean(axis=1)
    return sum(1 << bit for bit, value in enumerate(columns) if value > 127)


@pytest.fixture(scope="session")
def numbered() -> Callable[[int], list[np.ndarray]]:
    """`numbered(count)`: pictures that spell 0 to `count` - 1."""
    return lambda count: [numbered_picture(number) for number in range(count)]


@pytest.fixture(scope="session")
def read_number() -> Callable[[np.ndarray], int]:
    return number_in


@pytest.fixture(scope="session")
def real_videos() -> Path:
    """The folder with real videos in many formats, if this machine has it."""
    folder = os.environ.get("VSEARCH_TEST_VIDEOS")
    if not folder:
        pytest.skip("VSEARCH_TEST_VIDEOS does not name the folder of real test videos")
    return Path(folder)


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """Write pictures with given timestamps into the container of the name's suffix."""

    def make(
        name: str,
        pictures: Sequence[np.ndarray],
        *,
        pts: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 25),
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
        container_format: str | None = None,
        prepare: Callable[[Any], None] | None = None,
    ) -> Path:
        path = tmp_path / name
        height, width, _ = pictures[0].shape
        opened = av.open(
            str(path), "w", container_format, container_options=container_options or {}
        )
        with opened as container:
            stream = container.add_stream(
                codec, rate=25, options={"threads": "1"} | (options or {})
            )
            stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
            stream.codec_context.time_base = time_base
            if prepare is not None:
                prepare(stream)
            for stamp, picture in zip(pts or range(len(pictures)), pictures, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame = frame.reformat(format=pix_fmt, threads=1)
                frame.pts, frame.time_base = stamp, time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
