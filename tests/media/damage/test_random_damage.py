"""Random damage: the result is a `MediaError` or frames, nothing else."""

import random
from pathlib import Path

import av
import pytest

from media import MediaError, cut, decode_at, probe, thumbnail

FILMS = [
    ("film.mp4", "libx264", {"bf": "2", "g": "10"}),
    ("film.mkv", "libx264", {"bf": "2", "g": "10"}),
    ("film.ts", "libx264", {"bf": "2", "g": "10"}),
    ("film.avi", "mpeg4", {"bf": "2", "g": "10"}),
    ("film.gif", "gif", {}),
]


def _damage(data: bytes, draw: random.Random) -> bytes:
    damaged = bytearray(data)
    kind = draw.choice(["bytes", "header", "cut", "hole"])
    if kind == "cut":
        return bytes(damaged[: draw.randrange(1, len(damaged))])
    if kind == "hole":
        start = draw.randrange(len(damaged))
        stop = min(len(damaged), start + draw.randrange(1, 4000))
        damaged[start:stop] = bytes(stop - start)
        return bytes(damaged)
    reach = min(1500, len(damaged)) if kind == "header" else len(damaged)
    for _ in range(draw.choice([1, 5, 50])):
        damaged[draw.randrange(reach)] = draw.randrange(256)
    return bytes(damaged)


def _exercise(path: Path) -> None:
    video = probe(path)
    assert video.duration > 0
    assert video.frame_rate > 0
    times = [video.duration * index / 6 for index in range(7)]
    frames = list(decode_at(video, times, threads=1))
    assert len(frames) == 7
    assert all(frame.pixels.shape == (video.height, video.width, 3) for frame in frames)
    shown = [frame.time for frame in frames]
    assert shown == sorted(shown)
    cut(path, path.with_name("cut.mp4"), start=0.0, end=0.5, overwrite=True)
    assert thumbnail(path, time=video.duration / 2, threads=1)


@pytest.mark.parametrize(("name", "codec", "options"), FILMS)
def test_damage_raises_nothing_but_media_errors(make_video, numbered, name, codec, options):
    pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
    path = make_video(name, numbered(40), codec=codec, options=options, pix_fmt=pix_fmt)
    whole = path.read_bytes()
    draw = random.Random(name)
    survived = 0
    for _ in range(25):
        path.write_bytes(_damage(whole, draw))
        try:
            _exercise(path)
        except MediaError:
            continue
        survived += 1
    assert survived > 0


def _flv_tags(data: bytes) -> list[int]:
    """Where the tags of an FLV file begin."""
    starts, place = [], 9 + 4
    while place < len(data):
        starts.append(place)
        place += 11 + int.from_bytes(data[place + 1 : place + 4], "big") + 4
    return starts


def test_a_stream_that_appears_late_does_no_harm(make_video, numbered, read_number):
    path = make_video("film.flv", numbered(1000))
    data = bytearray(path.read_bytes())
    assert data[_flv_tags(data)[-3]] == 9  # a picture
    data[_flv_tags(data)[-3]] = 8  # now a sound, the first of the video
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert len(container.streams) == 1
    video = probe(path)
    assert video.duration == pytest.approx(40.0)
    frames = decode_at(video, [0.0, 30.0], threads=1)
    assert [read_number(frame.pixels) for frame in frames] == [0, 750]
