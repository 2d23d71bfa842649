import os
import random
from bisect import bisect_right
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media import RgbFrame, UndecodableError, UnreadableError, VideoInfo, decode_at, probe
from tests.media.real_videos import REAL_VIDEOS

RATES = [Fraction(25, 2), Fraction(24000, 1001), Fraction(30000, 1001)]
COUNT = 60


def _wanted_times(starts: list[float], *, end: float) -> list[float]:
    """Times at, just before, just after and between the frames, and outside of the video."""
    near = [start + shift for start in starts for shift in (-2e-4, 0.0, 2e-4)]
    draw = random.Random(7)
    return sorted([*near, *(draw.uniform(0, end) for _ in range(50)), end, end + 5.0])


def _numbers_on_display(starts: list[float], times: list[float]) -> list[int]:
    return [max(0, bisect_right(starts, time + 1e-9) - 1) for time in times]


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.nut"])
def test_each_time_gets_the_frame_on_display(make_video, numbered, read_number, name, rate):
    path = make_video(name, numbered(COUNT), time_base=1 / rate, options={"g": "20", "bf": "3"})
    starts = [float(index / rate) for index in range(COUNT)]
    times = _wanted_times(starts, end=float(COUNT / rate))
    frames = list(decode_at(probe(path), times, threads=1))
    assert [read_number(frame.pixels) for frame in frames] == _numbers_on_display(starts, times)


def test_variable_frame_rates_are_followed(make_video, numbered, read_number):
    draw = random.Random(3)
    stamps = [0]
    while len(stamps) < COUNT:
        stamps.append(stamps[-1] + draw.choice([1, 7, 33, 40, 41, 500, 4000]))
    for name in ("film.mp4", "film.mkv"):
        path = make_video(name, numbered(COUNT), pts=stamps, time_base=Fraction(1, 1000))
        starts = [stamp / 1000 for stamp in stamps]
        times = _wanted_times(starts, end=starts[-1])
        frames = list(decode_at(probe(path), times, threads=1))
        assert [read_number(frame.pixels) for frame in frames] == _numbers_on_display(starts, times)
        assert {frame.time for frame in frames} <= set(starts)


@pytest.mark.parametrize(
    "kind",
    [
        ("film.mkv", "libx264", "yuv444p", {"bf": "3"}),
        ("film.mkv", "libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
        ("film.webm", "libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "10"}),
        ("film.webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}),
        ("film.avi", "mpeg4", "yuv420p", {"bf": "2"}),
        ("film.avi", "libx264", "yuv420p", {"bf": "3"}),
        ("film.avi", "ffv1", "gray", {}),
        ("film.avi", "mjpeg", "yuvj420p", {}),
        ("film.mpg", "mpeg2video", "yuv420p", {"b": "2M"}),
        ("film.ts", "mpeg2video", "yuv420p", {"bf": "2"}),
        ("film.wmv", "wmv2", "yuv420p", {}),
        ("film.mov", "prores_ks", "yuv422p10le", {}),
        ("film.gif", "gif", "rgb8", {}),
        ("film.mxf", "mpeg2video", "yuv420p", {"bf": "2"}),
        ("film.flv", "libx264", "yuv420p", {"bf": "3"}),
    ],
)
def test_common_codecs_and_containers_give_the_right_pictures(
    make_video, numbered, read_number, kind
):
    name, codec, pix_fmt, options = kind
    path = make_video(name, numbered(COUNT), codec=codec, pix_fmt=pix_fmt, options=options)
    video = probe(path)
    assert video.duration == pytest.approx(COUNT / 25, abs=0.002)
    times = [index / 25 + 0.02 for index in range(COUNT)]
    frames = list(decode_at(video, times, threads=1))
    assert [read_number(frame.pixels) for frame in frames] == list(range(COUNT))
    assert all(frame.time <= time for frame, time in zip(frames, times, strict=True))


def test_sample_times_may_repeat(make_video, numbered, read_number):
    video = probe(make_video("film.mp4", numbered(10)))
    frames = list(decode_at(video, [0.0, 0.0, 0.2, 0.2, 0.2, 9.0, 9.0]))
    assert [read_number(frame.pixels) for frame in frames] == [0, 0, 5, 5, 5, 9, 9]


@pytest.mark.parametrize("name", ["one.mp4", "one.mkv", "one.gif"])
def test_a_video_of_one_frame_gives_it_at_every_time(make_video, numbered, read_number, name):
    gif = name.endswith("gif")
    codec, pix_fmt = ("gif", "rgb8") if gif else ("libx264", "yuv420p")
    video = probe(make_video(name, numbered(8)[7:], codec=codec, pix_fmt=pix_fmt))
    frames = list(decode_at(video, [0.0, 0.01, 3.0]))
    assert [read_number(frame.pixels) for frame in frames] == [7, 7, 7]


def test_no_times_give_no_frames(make_video, numbered):
    assert list(decode_at(probe(make_video("film.mp4", numbered(3))), [])) == []


@pytest.mark.parametrize("times", [[1.0, 0.5], [0.0, float("nan")], [float("inf")]])
def test_times_that_do_not_ascend_are_refused_at_once(make_video, numbered, times):
    video = probe(make_video("film.mp4", numbered(3)))
    with pytest.raises(ValueError, match="times must"):
        decode_at(video, times)


def test_the_number_of_threads_changes_nothing(make_video, numbered):
    video = probe(make_video("film.mp4", numbered(COUNT), options={"g": "20"}))
    times = [index / 10 for index in range(20)]
    one, four = (list(decode_at(video, times, threads=threads)) for threads in (1, 4))
    for first, second in zip(one, four, strict=True):
        assert first.time == second.time
        assert np.array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("harm", ["flipped", "zeroed", "cut"])
@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.webm", "libvpx"), ("a.webm", "libvpx-vp9"), ("a.avi", "mpeg4")],
)
def test_the_number_of_threads_changes_nothing_in_a_damaged_video(make_video, name, codec, harm):
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (90, 6, 8, 3), dtype=np.uint8).repeat(12, 1).repeat(12, 2)
    index_first = {"movflags": "+faststart"} if name.endswith("mp4") else {}
    path = make_video(
        name, list(noise), codec=codec, options={"g": "30"}, container_options=index_first
    )
    content = bytearray(path.read_bytes())
    size = len(content)
    if harm == "flipped":
        for place in rng.integers(size // 4, 3 * size // 4, 12):
            content[place] ^= 0xFF
    elif harm == "zeroed":
        content[size // 2 : size // 2 + 400] = bytes(400)
    else:
        del content[4 * size // 5 :]
    path.write_bytes(content)
    video = probe(path)
    require_same_in_threads(video, np.linspace(0.0, video.duration, 40, endpoint=False).tolist())


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.h264", "libx264")])
def test_the_number_of_threads_changes_nothing_if_the_last_frames_are_damaged_and_sound_goes_on(
    make_video, name, codec
):
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (90, 6, 8, 3), dtype=np.uint8).repeat(12, 1).repeat(12, 2)
    path = make_video(name, list(noise), codec=codec, options={"g": "30"})
    with av.open(str(path)) as film:
        last = [(packet.pos, packet.size) for packet in film.demux(video=0) if packet.size][-3:]
    content = bytearray(path.read_bytes())
    for start, size in last:
        for place in range(start + size // 3, start + size - 4, 7):
            content[place] ^= 0xFF
    path.write_bytes(content)
    video = probe(path)
    assert video.damage is None  # nothing of it shows before it is decoded
    sound = replace(video, duration=video.duration + 10.0)
    require_same_in_threads(sound, np.linspace(0.0, video.end, 90, endpoint=False).tolist())


def require_same_in_threads(video, times):
    def decoded(threads):
        told = []
        frames = decode_at(video, times, threads=threads, on_damage=told.append)
        return [(frame.time, frame.pixels.tobytes()) for frame in frames], told

    alone = decoded(1)
    for threads in (2, 5, 0):
        assert decoded(threads) == alone


@pytest.mark.parametrize("start", ["five hours", "below zero"])
def test_time_is_counted_from_the_first_picture(make_video, numbered, read_number, start):
    first = 5 * 3600 * 1000 if start == "five hours" else -1000
    path = make_video(
        "film.ts",
        numbered(50),
        pts=[first + 40 * index for index in range(50)],
        time_base=Fraction(1, 1000),
        container_options={"avoid_negative_ts": "disabled"},
    )
    frames = list(decode_at(probe(path), [0.0, 1.0, 1.98]))
    assert [read_number(frame.pixels) for frame in frames] == [0, 25, 49]
    assert [frame.time for frame in frames] == pytest.approx([0.0, 1.0, 1.96])


def _corners() -> np.ndarray:
    """A picture with another grey level in each quarter, which shows its orientation."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, 32:], picture[24:, :32], picture[24:, 32:] = 80, 160, 240
    return picture


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_rotated_and_mirrored_videos_are_made_upright(make_video, turned, mirrored):
    path = make_video(
        "film.mp4",
        [_corners()] * 3,
        prepare=lambda stream: stream.set_display_rotation(turned, hflip=mirrored),
    )
    video = probe(path)
    (frame,) = decode_at(video, [0.0])
    expected = np.rot90(_corners(), turned // 90)  # counterclockwise, as the stream was told
    if mirrored:
        expected = expected[:, ::-1]
    assert frame.pixels.shape == expected.shape == (video.height, video.width, 3)
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 5


@pytest.mark.parametrize("turned", [0, 90])
def test_frames_can_be_scaled_down_while_they_are_made_upright(make_video, turned):
    path = make_video(
        "film.mp4", [_corners()] * 3, prepare=lambda stream: stream.set_display_rotation(turned)
    )
    height, width = (24, 32) if turned == 0 else (32, 24)
    (frame,) = decode_at(probe(path), [0.0], size=(height, width))
    expected = np.rot90(_corners()[::2, ::2], turned // 90)
    assert frame.pixels.shape == expected.shape == (height, width, 3)
    # Between two quarters both weigh in.
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 8


def test_a_change_of_size_within_the_video_keeps_the_first_size(make_video, numbered, read_number):
    small = make_video("small.ts", numbered(20))
    doubled = [picture.repeat(2, axis=0).repeat(2, axis=1) for picture in numbered(40)[20:]]
    large = make_video("large.ts", doubled, pts=range(22, 42))  # 2 frames of delay
    joined = small.with_name("joined.ts")
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    frames = list(decode_at(probe(joined), [index / 25 for index in range(40)]))
    assert {frame.pixels.shape for frame in frames} == {(48, 64, 3)}
    assert [read_number(frame.pixels) for frame in frames] == list(range(40))


def test_times_never_decrease_where_timestamps_jump_back(make_video, numbered):
    parts = [make_video(name, numbered(20)).read_bytes() for name in ("a.ts", "b.ts")]
    joined = make_video("joined.ts", numbered(1))
    joined.write_bytes(b"".join(parts))
    video = probe(joined)
    frames = list(decode_at(video, [index / 50 for index in range(60)]))
    times = [frame.time for frame in frames]
    assert len(frames) == 60
    assert times == sorted(times)
    assert times[-1] <= video.duration


def _damaged(path: Path, *, start: float, stop: float) -> Path:
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * stop)
    data[first:last] = random.Random(1).randbytes(last - first)
    path.write_bytes(bytes(data))
    return path


def test_what_follows_a_damaged_middle_is_still_decoded(make_video, numbered, read_number):
    path = make_video(
        "film.mp4",
        numbered(250),
        options={"g": "10", "sc_threshold": "0"},
        container_options={"movflags": "+faststart"},
    )
    video = probe(_damaged(path, start=0.5, stop=0.6))
    notes: list[str] = []
    times = [0.0, 1.0, 5.0, 9.0, 9.96]
    frames = list(decode_at(video, times, threads=1, on_damage=notes.append))
    assert len(frames) == 5
    (note,) = notes
    assert note.startswith("cannot be decoded from 00:0")
    numbers = [read_number(frame.pixels) for frame in frames]
    assert [*numbers[:2], *numbers[3:]] == [0, 25, 225, 249]


def test_a_video_without_one_whole_picture_is_an_error(make_video, numbered):
    path = make_video("film.mkv", numbered(50), codec="ffv1", options={"slicecrc": "1"})
    video = probe(path)
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for packet in packets:
        data = data.replace(packet, b"\xff" * len(packet))
    path.write_bytes(data)
    with pytest.raises(UndecodableError):
        list(decode_at(video, [0.0, 1.0]))


def test_a_missing_video_is_an_error(make_video, numbered):
    path = make_video("film.mp4", numbered(3))
    video = probe(path)
    path.unlink()
    with pytest.raises(UnreadableError):
        next(decode_at(video, [0.0]))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to see open files")
def test_the_file_is_closed_as_soon_as_the_iterator_is(make_video, numbered):
    def is_open(path: Path) -> bool:
        links = Path("/proc/self/fd").iterdir()
        return any(os.path.realpath(link) == str(path.resolve()) for link in links)

    path = make_video("film.mp4", numbered(50))
    frames = decode_at(probe(path), [0.0, 1.0, 1.5])
    assert not is_open(path)
    next(frames)
    assert is_open(path)
    frames.close()
    assert not is_open(path)


@pytest.mark.parametrize("name", REAL_VIDEOS)
def test_real_videos_give_the_frames_of_plain_decoding(real_videos, name):
    video = probe(real_videos / name)
    stamps, time_base = _all_stamps(video)
    starts = [video.start + float((stamp - stamps[0]) * time_base) for stamp in stamps]
    draw = random.Random(name)
    times = sorted([0.0, starts[-1], *draw.sample(starts, 4), *(draw.random() * video.end,)])
    wanted = [max(0, bisect_right(starts, time + 1e-9) - 1) for time in times]
    expected = _plain_pictures(video, set(wanted))
    for index, frame in zip(wanted, decode_at(video, times, threads=1), strict=True):
        assert frame.time == pytest.approx(starts[index], abs=1e-9)
        assert np.array_equal(frame.pixels, expected[index])


def _all_stamps(video: VideoInfo) -> tuple[list[int], Fraction]:
    with av.open(str(video.path)) as container:
        stream = container.streams.best("video")
        return sorted(frame.pts for frame in container.decode(stream)), stream.time_base


def _plain_pictures(video: VideoInfo, wanted: set[int]) -> dict[int, np.ndarray]:
    """Pictures by their position in the order in which a plain full decode hands them out."""
    with av.open(str(video.path)) as container:
        frames = container.decode(container.streams.best("video"))
        return {
            index: frame.to_ndarray(format="rgb24", width=video.width, height=video.height)
            for index, frame in enumerate(frames)
            if index in wanted
        }


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 3), np.float32)],
)
def test_an_rgb_frame_refuses_other_pixels(pixels):
    with pytest.raises(ValueError, match="must be uint8"):
        RgbFrame(0.0, pixels)


def test_a_negative_number_of_threads_is_refused_at_once(make_video, numbered):
    video = probe(make_video("film.mp4", numbered(5)))
    with pytest.raises(ValueError, match="threads is -1"):
        decode_at(video, [0.0], threads=-1)
