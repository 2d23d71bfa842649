from fractions import Fraction

import av
import numpy as np
import pytest

from media import WriteError, decode_at, probe, write_video


def _noise(count: int, *, height: int = 48, width: int = 64) -> list[np.ndarray]:
    draw = np.random.default_rng(5)
    return [draw.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def test_the_same_frames_give_the_same_bytes(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, _noise(30), frame_rate=Fraction(30000, 1001))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize(
    "rate", [12, Fraction(25, 2), Fraction(24000, 1001), Fraction(30000, 1001)]
)
def test_what_is_written_is_read_back(tmp_path, numbered, read_number, rate):
    write_video(tmp_path / "film.mp4", numbered(40), frame_rate=rate)
    video = probe(tmp_path / "film.mp4")
    assert (video.codec, video.width, video.height) == ("h264", 64, 48)
    assert video.frame_rate == pytest.approx(float(rate), rel=1e-9)
    assert video.duration == pytest.approx(float(40 / Fraction(rate)))
    times = [float(index / Fraction(rate)) for index in range(40)]
    assert [read_number(frame.pixels) for frame in decode_at(video, times)] == list(range(40))


def test_colours_survive(tmp_path):
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (250, 250, 250), (0, 0, 0)]
    frames = [np.full((48, 64, 3), colour, np.uint8) for colour in colours]
    write_video(tmp_path / "film.mp4", frames, frame_rate=10)
    times = [index / 10 for index in range(len(colours))]
    for colour, frame in zip(colours, decode_at(probe(tmp_path / "film.mp4"), times), strict=True):
        assert np.abs(frame.pixels.reshape(-1, 3).mean(axis=0) - colour).max() < 4


def test_a_written_video_plays_everywhere_and_before_it_is_loaded(tmp_path):
    write_video(tmp_path / "film.mp4", _noise(10), frame_rate=25)
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"


def test_frames_may_come_from_a_generator(tmp_path):
    write_video(tmp_path / "film.mp4", iter(_noise(5)), frame_rate=25)
    assert probe(tmp_path / "film.mp4").duration == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([], "no frames"),
        (_noise(1, width=63), "even sizes"),
        (_noise(1, height=47), "even sizes"),
        ([*_noise(1), *_noise(1, width=32)], "those before were 64 x 48"),
        ([np.zeros((48, 64), np.uint8)], "uint8"),
        ([np.zeros((48, 64, 3), np.float32)], "float32"),
    ],
)
def test_frames_that_cannot_be_written_leave_no_file(tmp_path, frames, words):
    with pytest.raises(WriteError, match=words):
        write_video(tmp_path / "film.mp4", frames, frame_rate=25)
    assert list(tmp_path.iterdir()) == []


def test_a_video_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "film.mp4"
    write_video(target, _noise(3), frame_rate=25)
    before = target.read_bytes()

    def interrupted():
        yield from _noise(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(target, interrupted(), frame_rate=25)
    assert target.read_bytes() == before
    write_video(target, _noise(4), frame_rate=25)
    assert target.read_bytes() != before
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(WriteError, match="nowhere"):
        write_video(tmp_path / "nowhere" / "film.mp4", _noise(1), frame_rate=25)
