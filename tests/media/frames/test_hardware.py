"""Decoding on a device, or without it where there is none: the pictures are the same."""

from pathlib import Path

import av
import numpy as np
import pytest

from media import ACCELERATORS, decode_at, probe, why_not, write_video
from media.frames.hardware import built_in, first_usable
from media.frames.orientation import Orientation
from media.frames.rgb import RgbConverter

TIMES = [0.5, 1.5, 2.5, 3.5]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (40, 6, 8, 3), dtype=np.uint8)
    path = tmp_path / "film.mp4"
    write_video(path, (c.repeat(16, axis=0).repeat(16, axis=1) for c in coarse), frame_rate=10)
    return path


def decoded(path: Path, *, accelerator: str) -> tuple[list, np.ndarray, list[str]]:
    damage: list[str] = []
    frames = list(
        decode_at(probe(path), TIMES, accelerator=accelerator, on_damage=damage.append, threads=1)
    )
    return [frame.time for frame in frames], np.stack([f.pixels for f in frames]), damage


@pytest.mark.parametrize("accelerator", ["auto", *built_in()])
def test_frames_are_those_of_the_processor_within_rounding(film: Path, accelerator: str):
    times, pixels, _ = decoded(film, accelerator="none")
    same_times, same_pixels, damage = decoded(film, accelerator=accelerator)
    assert same_times == times
    assert np.abs(same_pixels.astype(int) - pixels).mean() < 1
    assert damage == []


@pytest.mark.parametrize("accelerator", built_in())
def test_the_processor_decodes_what_a_device_cannot(film: Path, accelerator: str):
    content = bytearray(film.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(range(200)) * 2
    film.write_bytes(content)
    times, pixels, damage = decoded(film, accelerator="none")
    assert damage != []
    same_times, same_pixels, same_damage = decoded(film, accelerator=accelerator)
    assert same_times == times
    assert np.abs(same_pixels.astype(int) - pixels).mean() < 1
    assert same_damage == damage


def test_a_missing_accelerator_is_reported_with_those_that_this_ffmpeg_has():
    (missing, *_) = sorted(set(ACCELERATORS) - set(built_in()))
    reason = why_not(missing)
    assert reason is not None
    assert "built without it" in reason
    assert all(name in reason for name in built_in())


def test_the_first_usable_accelerator_has_no_reason_against_it():
    usable = [name for name in built_in() if why_not(name) is None]
    assert first_usable() == (usable[0] if usable else None)


def test_the_pixel_formats_of_devices_give_the_same_colours():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(16, axis=0).repeat(16, axis=1)
    planar = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    interleaved = planar.reformat(format="nv12")
    converter = RgbConverter(Orientation(), width=64, height=48)
    one, other = converter.convert(planar), converter.convert(interleaved)
    assert np.abs(one.astype(int) - other).max() <= 2
