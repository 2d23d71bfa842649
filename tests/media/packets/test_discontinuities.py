"""Clocks that restart, leap, stray or stand still: the same times by every way to decode."""

import io
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from media import cut, decode_at, probe, thumbnail

MILLISECOND = Fraction(1, 1000)
HOUR = 3600.0


@pytest.fixture
def joined(make_video, numbered, tmp_path):
    """`joined(suffix, starts)`: videos of 15 s, each with a clock of its own, end to end."""

    def join(suffix: str, starts: list[float], **options) -> Path:
        pictures = numbered(375 * len(starts))
        parts = []
        for index, start in enumerate(starts):
            part = make_video(
                f"part{index}{suffix}",
                pictures[375 * index : 375 * (index + 1)],
                pts=[round(start * 25) + number for number in range(375)],
                **options,
            )
            parts.append(part.read_bytes())
        path = tmp_path / f"joined{suffix}"
        path.write_bytes(b"".join(parts))
        return path

    return join


def _shown(path: Path, times: list[float], read_number) -> list[int]:
    return [read_number(frame.pixels) for frame in decode_at(probe(path), times, threads=1)]


@pytest.mark.parametrize(
    ("suffix", "parts", "options"),
    [
        (".ts", 3, {}),
        (".ts", 3, {"codec": "mpeg2video", "options": {"bf": "2"}}),
        (".mpg", 3, {"codec": "mpeg2video", "options": {"bf": "2"}}),
        (".mkv", 2, {}),  # FFmpeg reads no third
    ],
)
def test_each_part_of_a_joined_video_follows_the_one_before(
    joined, read_number, suffix, parts, options
):
    path = joined(suffix, [0.0] * parts, **options)
    video = probe(path)
    assert video.duration == pytest.approx(15.0 * parts, abs=0.25)
    more = " and at 1 more place" if parts == 3 else ""
    assert video.damage == f"its clock restarts at 00:15{more}"
    assert video.gaps == ()
    times = [1.02, 14.02, 18.02, 29.02, 33.02, 44.02][: 2 * parts]
    numbers = _shown(path, times, read_number)
    assert numbers == pytest.approx([int(time * 25) for time in times], abs=3)
    for time, number in zip(times, numbers, strict=True):  # every way to get there agrees
        image = Image.open(io.BytesIO(thumbnail(path, time=time))).convert("RGB")
        assert read_number(np.asarray(image)) == number
        assert _shown(path, [time], read_number) == [number]
        cut(path, path.with_name("cut.mp4"), start=time, end=time + 0.1, overwrite=True)
        with av.open(str(path.with_name("cut.mp4"))) as film:
            assert read_number(next(film.decode(video=0)).to_ndarray(format="rgb24")) == number


def test_a_restart_of_the_clock_is_distinguished_from_a_leap(joined, read_number):
    path = joined(".ts", [5 * HOUR, 0.0, 3 * HOUR])
    video = probe(path)
    assert video.damage == "its clock restarts at 00:15"
    leap = 3 * HOUR + 15.0  # the third part keeps its distance from the second
    assert video.duration == pytest.approx(leap + 15.0, abs=0.2)
    ((start, end),) = video.gaps
    assert (start, end) == pytest.approx((31.0, leap), abs=0.2)
    assert _shown(path, [16.02, leap + 1.02], read_number) == pytest.approx([400, 775], abs=3)


@pytest.mark.parametrize("name", ["film.ts", "film.mkv", "film.mp4"])
def test_a_video_that_leaps_ahead_keeps_its_own_times(make_video, numbered, read_number, name):
    stamps = [40 * number + (7 * 3_600_000 if number >= 100 else 0) for number in range(200)]
    path = make_video(name, numbered(200), pts=stamps, time_base=MILLISECOND)
    video = probe(path)
    assert video.duration == pytest.approx(7 * HOUR + 8.0, abs=0.05)
    assert video.damage is None
    ((start, end),) = video.gaps
    assert start == pytest.approx(4.96, abs=0.05)  # one second after the picture that stays
    assert end == pytest.approx(7 * HOUR + 4.0, abs=0.05)
    times = [1.02, 3600.0, 7 * HOUR + 5.02]
    assert _shown(path, times, read_number) == [25, 99, 125]
    image = Image.open(io.BytesIO(thumbnail(path, time=times[2]))).convert("RGB")
    assert read_number(np.asarray(image)) == 125


def test_frames_displayed_for_minutes_are_gaps(make_video, numbered):
    stamps = [0, 50_000, 120_000, 121_000, 500_000]
    path = make_video("slides.mkv", numbered(5), pts=stamps, time_base=MILLISECOND)
    assert probe(path).gaps == ((51.0, 120.0), (122.0, 500.0))
    stored_out_of_order = {"bf": "3", "b_strategy": "0"}
    path = make_video(
        "slides.mp4",
        numbered(40),
        pts=[30_000 * number for number in range(40)],
        time_base=MILLISECOND,
        options=stored_out_of_order,
    )
    assert probe(path).gaps == ()


def _set_pes_stamps(path: Path, change) -> None:
    """Change pts and dts, 90 kHz, of each picture of a transport stream: `change(n, stamp)`."""
    data = bytearray(path.read_bytes())
    count = 0
    for start in range(0, len(data), 188):
        if not data[start + 1] & 0x40:  # no unit of payload starts here
            continue
        skip = 1 + data[start + 4] if data[start + 3] & 0x20 else 0
        head = start + 4 + skip
        if data[head : head + 4] != b"\0\0\x01\xe0":
            continue
        fields = [9] + ([14] if data[head + 7] & 0x40 else [])
        for field in fields:
            place = slice(head + field, head + field + 5)
            data[place] = _pack(data[place][0] >> 4, change(count, _unpack(data[place])))
        count += 1
    path.write_bytes(data)


def _unpack(field: bytes) -> int:
    high, middle, low = field[0] >> 1 & 7, int.from_bytes(field[1:3]) >> 1, field[3:5]
    return high << 30 | middle << 15 | int.from_bytes(low) >> 1


def _pack(mark: int, stamp: int) -> bytes:
    stamp %= 1 << 33
    middle, low = (stamp >> 15 & 0x7FFF) << 1 | 1, (stamp & 0x7FFF) << 1 | 1
    return bytes([mark << 4 | stamp >> 30 << 1 | 1]) + middle.to_bytes(2) + low.to_bytes(2)


@pytest.mark.parametrize("where", [{0}, {77}, {78, 79, 80}, {199}, set(range(30, 90))])
def test_a_few_stray_timestamps_make_no_video_hours_too_long(
    make_video, numbered, read_number, where
):
    path = make_video("film.ts", numbered(200), options={"g": "25"})
    _set_pes_stamps(
        path, lambda number, stamp: stamp + (20 * 3600 * 90_000 if number in where else 0)
    )
    video = probe(path)
    assert video.duration == pytest.approx(8.0, abs=0.09)
    assert (video.damage, video.gaps) == (None, ())
    numbers = _shown(path, [index / 25 + 0.02 for index in range(200)], read_number)
    assert numbers == pytest.approx(range(200), abs=2)


def test_time_goes_on_after_a_wraparound_of_the_clock(make_video, numbered, read_number):
    path = make_video("film.ts", numbered(200), options={"g": "25"})
    _set_pes_stamps(path, lambda _, stamp: stamp + (1 << 33) - 4 * 90_000)
    video = probe(path)
    assert (video.duration, video.damage) == (pytest.approx(8.0), None)
    assert _shown(path, [1.02, 5.02, 7.02], read_number) == [25, 125, 175]


def test_time_goes_on_where_timestamps_stand_still(make_video, numbered, read_number):
    path = make_video("film.ts", numbered(200), options={"g": "25", "bf": "0"})
    _set_pes_stamps(path, lambda number, stamp: stamp if number < 50 else 49 * 3600)
    video = probe(path)
    assert video.duration == pytest.approx(8.0, abs=0.5)
    assert _shown(path, [1.02, 6.02], read_number) == pytest.approx([25, 150], abs=12)


def test_a_damaged_cluster_time_in_matroska_makes_no_video_hours_too_long(
    make_video, numbered, read_number
):
    path = make_video(
        "film.mkv",
        numbered(500),
        options={"g": "25"},
        container_options={"cluster_time_limit": "1000"},
    )
    data = bytearray(path.read_bytes())
    place = data.index(b"\x1f\x43\xb6\x75", len(data) // 2)  # a cluster ...
    place = data.index(b"\xe7", place)  # ... and its time in milliseconds
    length = data[place + 1] & 0x7F
    data[place + 2] |= 0x80  # at least 32 s later
    assert length >= 2
    path.write_bytes(data)
    video = probe(path)
    assert video.duration == pytest.approx(20.0, abs=0.05)
    numbers = _shown(path, [index / 5 + 0.02 for index in range(100)], read_number)
    assert numbers == pytest.approx(range(0, 500, 5), abs=3)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts", ".flv", ".nut"])
@pytest.mark.parametrize("leap_at", [1, 2, -1, -2])
def test_a_picture_may_last_more_than_an_hour(make_video, numbered, read_number, suffix, leap_at):
    stamps = [number + (4000 * 25 if number >= leap_at % 50 else 0) for number in range(50)]
    path = make_video(f"screen{suffix}", numbered(50), pts=stamps, options={"bf": "0"})
    video = probe(path)
    still = stamps.index(next(stamp for stamp in stamps if stamp > 50)) - 1
    assert (video.start, video.damage) == (0.0, None)
    assert video.end == pytest.approx(4002.0, abs=0.05)
    assert video.gaps == (pytest.approx((still / 25 + 1, 4000 + (still + 1) / 25), abs=2e-3),)
    times = [0.02, still / 25 + 0.02, 2000.0, 4000 + (still + 1.5) / 25, 4001.98]
    assert _shown(path, times, read_number) == [0, still, still, still + 1, 49]
    image = Image.open(io.BytesIO(thumbnail(path, time=times[3]))).convert("RGB")
    assert read_number(np.asarray(image)) == still + 1


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_last_picture_lasts_as_long_as_the_index_says(tmp_path, numbered, suffix):
    path = tmp_path / f"slides{suffix}"
    with _mjpeg_film(path) as (container, stream):
        for number, pixels in enumerate(numbered(3)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            for packet in stream.encode(frame):
                packet.duration = 7200 * 25 if number == 2 else 1
                container.mux(packet)
    video = probe(path)
    assert (video.end, video.duration) == pytest.approx((7200.08, 7200.08))
    assert video.gaps == (pytest.approx((1.08, 7200.08)),)


@contextmanager
def _mjpeg_film(path: Path):
    """A container and a stream of mjpeg, whose packets come one by one."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 25)
        yield container, stream


def test_pictures_of_hours_that_are_stored_out_of_order_keep_their_times(make_video, numbered):
    hours = [0, 2, 3, 5, 8, 9, 10, 14, 20, 21]
    path = make_video(
        "slides.mp4",
        numbered(10),
        pts=[hour * 3600 for hour in hours],
        time_base=Fraction(1, 1),
        options={"bf": "2", "b_strategy": "0"},
    )
    video = probe(path)
    assert [frame.time for frame in decode_at(video, [h * 3600.0 for h in hours], threads=1)] == [
        h * 3600.0 for h in hours
    ]
    assert video.end > 21 * 3600
