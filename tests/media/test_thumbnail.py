import io

import av
import numpy as np
import pytest
from PIL import Image

from media import MediaError, UndecodableError, Way, cut, decode_at, probe, thumbnail
from tests.media.real_videos import REAL_VIDEOS


def test_a_video_without_pictures_has_no_thumbnail_and_cannot_be_cut(make_video, numbered):
    path = make_video("film.mkv", numbered(50), codec="ffv1", options={"slicecrc": "1"})
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for packet in packets:
        data = data.replace(packet, b"\xff" * len(packet))
    path.write_bytes(data)
    with pytest.raises(UndecodableError):
        thumbnail(path, time=0.0)
    with pytest.raises(MediaError):
        cut(path, path.with_name("cut.mp4"), start=0.0, end=1.0, way=Way.EXACT)
    assert [*path.parent.iterdir()] == [path]


def test_what_is_no_video_has_no_thumbnail(tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(MediaError):
        thumbnail(tmp_path / "text.mp4", time=0.0)


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
def test_real_videos_have_thumbnails(real_videos, name):
    video = probe(real_videos / name)
    start = video.end * 0.8
    (frame,) = decode_at(video, [start], threads=1)
    image = Image.open(io.BytesIO(thumbnail(video.path, time=start, threads=1))).convert("RGB")
    assert image.size == (min(320, video.width), round(video.height * min(1, 320 / video.width)))
    assert np.abs(_blurred(np.asarray(image)) - _blurred(frame.pixels)).mean() < 4


def _blurred(pixels: np.ndarray) -> np.ndarray:
    """Grey levels on a grid of 16 x 16: what two sizes of one picture have in common."""
    grid = Image.fromarray(pixels).convert("L").resize((16, 16), Image.Resampling.BOX)
    return np.asarray(grid, dtype=float)
