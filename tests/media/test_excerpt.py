import io
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image

from media import MediaError, UndecodableError, decode_at, excerpt, probe, thumbnail
from tests.media.real_videos import REAL_VIDEOS


def _played(data: bytes) -> tuple[list[tuple[float, np.ndarray]], float]:
    """The pictures of an excerpt with their times, and its duration, as any player sees them."""
    with av.open(io.BytesIO(data)) as container:
        (stream,) = container.streams
        duration = float(stream.duration * stream.time_base)
        frames = container.decode(stream)
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in frames], duration


def test_an_excerpt_begins_with_the_picture_on_display(make_video, numbered, read_number):
    path = make_video("film.mkv", numbered(400), options={"g": "50"})
    pictures, duration = _played(excerpt(path, start=12.01, end=14.0))
    assert duration == pytest.approx(1.99, abs=1e-3)
    assert [read_number(pixels) for _, pixels in pictures] == list(range(300, 350))
    assert pictures[0][0] == 0
    expected = [index / 25 - 12.01 for index in range(301, 350)]
    assert [time for time, _ in pictures[1:]] == pytest.approx(expected, abs=1e-4)


def test_an_excerpt_keeps_variable_frame_times(make_video, numbered, read_number):
    stamps = [0, 40, 1000, 1001, 3000, 7000]
    path = make_video("film.mp4", numbered(6), pts=stamps, time_base=Fraction(1, 1000))
    pictures, duration = _played(excerpt(path, start=0.5, end=6.0))
    assert [read_number(pixels) for _, pixels in pictures] == [1, 2, 3, 4]
    assert [time for time, _ in pictures] == pytest.approx([0.0, 0.5, 0.501, 2.5], abs=1e-4)
    assert duration == pytest.approx(5.5, abs=1e-3)


def test_beyond_the_end_there_is_the_last_picture(make_video, numbered, read_number):
    path = make_video("film.mp4", numbered(50))
    pictures, duration = _played(excerpt(path, start=1.0, end=9.0))
    assert duration == pytest.approx(1.0, abs=1e-3)
    assert read_number(pictures[-1][1]) == 49
    pictures, _ = _played(excerpt(path, start=30.0, end=31.0))
    assert [read_number(pixels) for _, pixels in pictures] == [49]


@pytest.mark.parametrize("name", ["one.mp4", "one.mkv"])
def test_a_video_of_one_picture_has_an_excerpt(make_video, numbered, read_number, name):
    pictures, _ = _played(excerpt(make_video(name, numbered(7)[6:]), start=0.0, end=8.0))
    assert [read_number(pixels) for _, pixels in pictures] == [6]


def test_an_excerpt_is_for_every_browser(make_video, numbered):
    pictures = [np.zeros((131, 97, 3), np.uint8)] * 5
    path = make_video("odd.mkv", pictures, codec="ffv1", pix_fmt="yuv444p")
    data = excerpt(path, start=0.0, end=1.0)
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width % 2, stream.height % 2) == (0, 0)


def test_an_excerpt_is_upright_with_square_pixels_and_not_too_high(make_video):
    def lay_down(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        stream.set_display_rotation(90)

    left_white = np.zeros((240, 320, 3), np.uint8)
    left_white[:, :160] = 255
    path = make_video("side.mp4", [left_white] * 5, prepare=lay_down)
    ((_, pixels), *_), _ = _played(excerpt(path, start=0.0, end=0.2, max_height=160))
    assert pixels.shape == (160, 60, 3)
    assert pixels[:70].mean() < 10  # counterclockwise: what was left is now below
    assert pixels[90:].mean() > 245


@pytest.mark.parametrize(
    ("start", "end"), [(1.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (0.0, float("inf"))]
)
def test_an_empty_interval_is_refused(make_video, numbered, start, end):
    path = make_video("film.mp4", numbered(5))
    with pytest.raises(ValueError, match="excerpt"):
        excerpt(path, start=start, end=end)


def test_a_video_without_pictures_has_no_excerpt_and_no_thumbnail(make_video, numbered):
    path = make_video("film.mkv", numbered(50), codec="ffv1", options={"slicecrc": "1"})
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for packet in packets:
        data = data.replace(packet, b"\xff" * len(packet))
    path.write_bytes(data)
    with pytest.raises(UndecodableError):
        excerpt(path, start=0.0, end=1.0)
    with pytest.raises(UndecodableError):
        thumbnail(path, time=0.0)


def test_what_is_no_video_has_no_excerpt(tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(MediaError):
        excerpt(tmp_path / "text.mp4", start=0.0, end=1.0)


def test_a_thumbnail_is_a_small_jpeg_of_the_moment(make_video, numbered, read_number):
    path = make_video("film.mkv", numbered(400), options={"g": "50"})
    image = Image.open(io.BytesIO(thumbnail(path, time=13.0)))
    assert (image.format, image.size) == ("JPEG", (64, 48))
    assert read_number(np.asarray(image.convert("RGB"))) == 325
    small = Image.open(io.BytesIO(thumbnail(path, time=13.0, max_width=32)))
    assert small.size == (32, 24)


def test_a_thumbnail_keeps_colours(make_video):
    picture = np.full((48, 64, 3), (200, 60, 30), np.uint8)
    path = make_video("film.mp4", [picture] * 3)
    image = Image.open(io.BytesIO(thumbnail(path, time=0.0))).convert("RGB")
    assert np.abs(np.asarray(image).reshape(-1, 3).mean(axis=0) - (200, 60, 30)).max() < 6


@pytest.mark.parametrize("name", REAL_VIDEOS)
def test_real_videos_can_be_previewed(real_videos, name):
    video = probe(real_videos / name)
    start = video.end * 0.8
    pictures, duration = _played(excerpt(video.path, start=start, end=start + 1.0, threads=1))
    assert duration == pytest.approx(1.0, abs=0.01)
    assert pictures[0][0] == 0
    assert all(earlier < later for (earlier, _), (later, _) in pairwise(pictures))
    assert pictures[0][1].shape[0] == min(480, video.height)
    (frame,) = decode_at(video, [start], threads=1)
    image = Image.open(io.BytesIO(thumbnail(video.path, time=start, threads=1))).convert("RGB")
    assert image.size == (min(320, video.width), round(video.height * min(1, 320 / video.width)))
    for shown in (pictures[0][1], np.asarray(image)):
        assert np.abs(_blurred(shown) - _blurred(frame.pixels)).mean() < 4


def _blurred(pixels: np.ndarray) -> np.ndarray:
    """Grey levels on a grid of 16 x 16: what two sizes of one picture have in common."""
    grid = Image.fromarray(pixels).convert("L").resize((16, 16), Image.Resampling.BOX)
    return np.asarray(grid, dtype=float)
