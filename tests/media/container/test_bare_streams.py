"""Streams without a container, as cameras and encoders write them: read, at the right times."""

from fractions import Fraction

import av
import numpy as np
import pytest

from media import UndecodableError, UnsupportedError, cut, decode_at, probe, thumbnail

B_FRAMES = {"bf": "3", "g": "30"}
H265 = {"codec": "libx265", "options": {"x265-params": "log-level=none:bframes=3:keyint=30"}}
MPEG2 = {"codec": "mpeg2video", "options": {"bf": "2", "g": "15", "b": "2M"}}
JPEG = {"codec": "mjpeg", "pix_fmt": "yuvj420p"}


def _at_ten_a_second(stream):
    stream.codec_context.framerate = Fraction(10)


@pytest.mark.parametrize(
    ("film", "rate"),
    [
        (("pi.h264", {"options": B_FRAMES}), 25),
        (("slow.264", {"options": B_FRAMES, "prepare": _at_ten_a_second}), 10),
        (("film.h265", H265), 25),
        (("film.hevc", H265), 25),
        (("film.m2v", MPEG2), 25),
        (("film.mpv", MPEG2 | {"container_format": "mpeg2video"}), 25),
        (("film.mpg", MPEG2 | {"container_format": "mpeg2video"}), 25),
        (("film.m1v", MPEG2 | {"codec": "mpeg1video"}), 25),
        (("film.mjpeg", JPEG), 25),
        (("film.MJPG", JPEG), 25),
        (("film.obu", {"codec": "libsvtav1", "options": {"preset": "12"}}), 25),
    ],
)
def test_the_frame_at_each_time_is_that_of_the_stream_s_own_rate(
    make_video, numbered, read_number, film, rate
):
    name, kind = film
    path = make_video(name, numbered(500), time_base=Fraction(1, rate), **kind)
    video = probe(path)
    assert video.duration == pytest.approx(500 / rate, abs=0.01)
    assert video.frame_rate == pytest.approx(rate)
    assert video.damage is None
    times = [number / rate for number in (0, 1, 77, 300, 301, 302, 303, 499)]
    frames = list(decode_at(video, times, threads=1))
    assert [round(frame.time * rate) for frame in frames] == [0, 1, 77, 300, 301, 302, 303, 499]
    assert [read_number(frame.pixels) for frame in frames] == [0, 1, 77, 300, 301, 302, 303, 499]
    (frame,) = decode_at(video, [450 / rate], threads=1)
    assert read_number(frame.pixels) == 450
    cut(path, path.with_name("cut.mp4"), start=12.0, end=12.5)
    assert thumbnail(path, time=12.0, threads=1)


def test_raw_pictures_keep_the_rate_of_their_header(tmp_path, numbered, read_number):
    path = tmp_path / "film.y4m"
    head = b"YUV4MPEG2 W64 H48 F10:1 Ip A1:1 C420jpeg\n"
    pictures = (
        av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p").to_ndarray()
        for picture in numbered(60)
    )
    path.write_bytes(head + b"".join(b"FRAME\n" + picture.tobytes() for picture in pictures))
    video = probe(path)
    assert (video.duration, video.frame_rate) == (6.0, 10.0)
    frames = decode_at(video, [0.0, 5.9], threads=1)
    assert [read_number(frame.pixels) for frame in frames] == [0, 59]


def test_a_video_in_a_container_is_read_as_such_under_the_suffix_of_a_bare_stream(
    make_video, numbered, read_number
):
    for name in ("film.mp4", "film.ts", "film.avi"):
        codec = "mjpeg" if name == "film.avi" else "libx264"
        pix_fmt = "yuvj420p" if name == "film.avi" else "yuv420p"
        path = make_video(name, numbered(50), codec=codec, pix_fmt=pix_fmt)
        for suffix in (".h264", ".m4v", ".mjpeg", ".mpeg"):
            video = probe(path.rename(path.with_suffix(suffix)))
            (frame,) = decode_at(video, [1.0], threads=1)
            assert read_number(frame.pixels) == 25
            assert video.container != "h264"
            path.with_suffix(suffix).rename(path)


@pytest.mark.parametrize("suffix", [".h264", ".hevc", ".m2v", ".mjpeg", ".y4m", ".obu", ".m4v"])
def test_other_bytes_are_no_video_under_the_suffix_of_a_bare_stream(tmp_path, suffix):
    path = tmp_path / f"noise{suffix}"
    draw = np.random.default_rng(1)
    for content in (b"import sys\n" * 5000, draw.bytes(1 << 20), bytes(1 << 16)):
        path.write_bytes(content)
        with pytest.raises((UnsupportedError, UndecodableError)):
            probe(path)


def test_a_bare_stream_is_refused_under_other_suffixes(make_video, numbered):
    path = make_video("film.h264", numbered(50))
    with pytest.raises(UnsupportedError):
        probe(path.rename(path.with_suffix(".ts")))
