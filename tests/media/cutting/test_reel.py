"""Reels: moments of unlike videos, brought to one size, one rate and one kind of colours."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from media import ReelSource, TargetError, write_reel
from tests.media.conftest import number_in
from tests.media.cutting.films import Film, bursts_of, length_of

PQ = (9, 16, 9)  # primaries, transfer and matrix of HDR10


def _colours(primaries: int, transfer: int, matrix: int) -> Callable[[Any, list[Any]], None]:
    def prepare(video: Any, _: list[Any]) -> None:
        context = video.codec_context
        context.color_primaries, context.color_trc = primaries, transfer
        context.colorspace, context.color_range = matrix, 1

    return prepare


def _frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_rates_are_brought_together_and_sound_stays_in_place(tmp_path: Path) -> None:
    first = Film("a.mp4").made(tmp_path)
    second = Film("b.mkv", rate=Fraction(50), pictures=220).made(tmp_path)
    silent = Film("c.mp4", rate=Fraction(25, 2), pictures=60, sound=None).made(tmp_path)
    sources = [
        ReelSource.read(first, start=0.4, end=2.0),
        ReelSource.read(second, start=1.3, end=2.3),
        ReelSource.read(silent, start=0.8, end=1.6),
        ReelSource.read(first, start=1.2, end=2.0),
    ]
    seconds: list[float] = []
    length = write_reel(sources, tmp_path / "reel.mp4", overwrite=False, on_progress=seconds.append)
    assert length == pytest.approx(4.2)
    assert length_of(tmp_path / "reel.mp4") == pytest.approx(4.2)
    numbers = [number_in(frame) for frame in _frames(tmp_path / "reel.mp4")]
    assert numbers[:40] == list(range(10, 50))
    assert numbers[40:65] == list(range(65, 115, 2))  # every other one of 50 in a second
    assert numbers[65:85] == [number // 2 + 10 for number in range(20)]  # each one twice
    assert numbers[85:] == list(range(30, 50))
    expected = [0.1, 0.6, 1.1, 1.6 + 0.2, 1.6 + 0.7, 3.4 + 0.3]
    assert bursts_of(tmp_path / "reel.mp4") == pytest.approx(expected, abs=0.002)
    assert seconds == sorted(seconds)


def test_another_shape_gets_black_bars_and_turned_videos_are_upright(tmp_path: Path) -> None:
    def lie(video: Any, _: list[Any]) -> None:
        video.set_display_rotation(90)

    wide = Film("wide.mp4", sound=None).made(tmp_path)
    tall = Film("tall.mp4", sound=None).made(tmp_path, lie)
    sources = [
        ReelSource.read(wide, start=0.0, end=1.0),
        ReelSource.read(tall, start=1.0, end=1.4),
    ]
    write_reel(sources, tmp_path / "reel.mp4", overwrite=False)
    frames = _frames(tmp_path / "reel.mp4")
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    assert [number_in(frame) for frame in frames[:25]] == list(range(25))
    for frame in frames[25:]:
        assert frame[:, :12].max() < 12  # 48 x 36 pixels in the middle
        assert frame[:, 52:].max() < 12
    inside = frames[30][:, 15:49].astype(float)
    # Turned to the left: the columns are rows, the first number bit at the bottom.
    rows = inside.mean(axis=(1, 2))[::-1].reshape(16, 3).mean(axis=1)
    assert sum(1 << bit for bit, value in enumerate(rows) if value > 127) == 30
    with av.open(str(tmp_path / "reel.mp4")) as reel:
        assert [stream.type for stream in reel.streams] == ["video"]


def test_hdr_stays_if_all_have_it_and_becomes_bt709_beside_others(tmp_path: Path) -> None:
    options = (("x265-params", "log-level=none:keyint=25"),)
    bright = Film("hdr.mp4", "libx265", options, "yuv420p10le", sound=None)
    hdr = bright.made(tmp_path, _colours(*PQ))
    usual = Film("usual.mp4", sound=None).made(tmp_path)
    moments = ReelSource.read(hdr, start=1.0, end=1.2), ReelSource.read(usual, start=1.0, end=1.2)
    for sources, colours, form in (
        (moments[:1], PQ, "yuv420p10le"),
        (moments, (1, 1, 1), "yuv420p"),
    ):
        write_reel(sources, tmp_path / "reel.mp4", overwrite=True)
        with av.open(str(tmp_path / "reel.mp4")) as reel:
            context = reel.streams.video[0].codec_context
            found = context.color_primaries, context.color_trc, context.colorspace
            assert (found, context.pix_fmt) == (colours, form)
        numbers = [number_in(frame) for frame in _frames(tmp_path / "reel.mp4")]
        assert numbers == [25, 26, 27, 28, 29] * len(sources)


def test_a_reel_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    source = ReelSource.read(Film("a.mp4").made(tmp_path), start=0.0, end=1.0)
    (tmp_path / "reel.mp4").touch()
    with pytest.raises(FileExistsError):
        write_reel([source], tmp_path / "reel.mp4", overwrite=False)
    with pytest.raises(TargetError):
        write_reel([source], tmp_path / "nowhere" / "reel.mp4", overwrite=False)
    assert {one.name for one in tmp_path.iterdir()} == {"a.mp4", "reel.mp4"}
