"""Planned decoding beside plain decoding: the same frames, for less."""

import math
import random
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from media import RgbFrame, VideoInfo, decode_at, probe
from media.frames.frame_plan import SKIP, plan_frames
from media.packets.packet_table import PacketTable
from tests.media.real_videos import REAL_VIDEOS

COUNT = 150
X265 = "log-level=none:pools=1:keyint=40:min-keyint=40:bframes=4"
_draw = random.Random(5)
_UNEVEN = [0]
while len(_UNEVEN) < COUNT:
    _UNEVEN.append(_UNEVEN[-1] + _draw.choice([10, 33, 40, 41, 100, 400]))

# name, codec, options; all but the last few tell what depends on what
TELLING = [
    ("b.mp4", "libx264", {"bf": "3", "g": "40"}),
    ("b.mkv", "libx264", {"bf": "3", "g": "40"}),
    ("b.ts", "libx264", {"bf": "3", "g": "40"}),
    ("no-b.mp4", "libx264", {"bf": "0", "g": "40"}),
    ("open.mp4", "libx264", {"bf": "3", "x264-params": "open-gop=1:keyint=40"}),
    ("open.ts", "libx264", {"bf": "3", "x264-params": "open-gop=1:keyint=40"}),
    ("refresh.ts", "libx264", {"bf": "0", "x264-params": "intra-refresh=1:keyint=40"}),
    ("uneven.mp4", "libx264", {"bf": "3", "g": "40"}),
    ("uneven.mkv", "libx264", {"bf": "3", "g": "40"}),
    ("hevc-open.mkv", "libx265", {"x265-params": f"{X265}:open-gop=1:b-pyramid=1"}),
    ("hevc-closed.ts", "libx265", {"x265-params": f"{X265}:open-gop=0"}),
    ("hevc-layers.mp4", "libx265", {"x265-params": f"{X265}:temporal-layers=3"}),
    ("vp9.webm", "libvpx-vp9", {"cpu-used": "5", "g": "40", "lag-in-frames": "16", "b": "300k"}),
    ("av1.mp4", "libsvtav1", {"preset": "12", "g": "40"}),
    ("av1.mkv", "libsvtav1", {"preset": "12", "g": "40", "svtav1-params": "irefresh-type=1"}),
    ("intra.mov", "mjpeg", {}),
]
SILENT = [
    ("vp8.webm", "libvpx", {"g": "40", "auto-alt-ref": "1", "lag-in-frames": "10"}),
    ("old.ts", "mpeg2video", {"bf": "2", "g": "15"}),
    ("old.mp4", "mpeg4", {"bf": "2", "g": "40"}),
    ("fields.mp4", "libx264", {"bf": "3", "g": "40", "flags": "+ildct+ilme"}),
    ("guessed.avi", "libx264", {"bf": "3", "g": "40"}),
]


def _moving() -> list[np.ndarray]:
    """Pictures of which each differs from every other, with noise for the codec to lose."""
    noise = np.random.default_rng(1)
    y, x = np.mgrid[:72, :128]
    pictures = []
    for number in range(COUNT):
        waves = [np.sin((x + 3 * number) / 17 + (y - number) / (9 + c)) for c in range(3)]
        picture = 128 + 80 * np.stack(waves, axis=-1) + noise.normal(0, 6, (72, 128, 3))
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


@pytest.fixture
def film(make_video):
    def make(name, codec, options) -> VideoInfo:
        uneven = name.startswith("uneven")
        path = make_video(
            name,
            _moving(),
            codec=codec,
            options=options,
            pix_fmt="yuvj420p" if codec == "mjpeg" else "yuv420p",
            pts=_UNEVEN if uneven else None,
            time_base=Fraction(1, 1000) if uneven else Fraction(1, 25),
        )
        return probe(path)

    return make


def _plain(video: VideoInfo) -> VideoInfo:
    """The video without its packet table: it is decoded sequentially."""
    return replace(video, packets=None)


def _passed_over(video: VideoInfo, times: list[float], *, tolerance: float = 0.0) -> int:
    """How many packets a plan does without; -1 where there is no plan."""
    if video.packets is None:
        return -1
    plan = plan_frames(
        video.packets,
        times,
        among=times,
        clock=video.layout.clock,
        first_pts=video.layout.first_pts,
        tolerance=tolerance,
    )
    return -1 if plan is None else int(np.count_nonzero(plan.actions == SKIP))


def _moments(video: VideoInfo, *, seed: int, count: int) -> list[float]:
    draw = random.Random(seed)
    return sorted(draw.uniform(-0.1, video.duration + 0.1) for _ in range(count))


def _assert_same(found: list[RgbFrame], expected: list[RgbFrame]) -> None:
    assert [frame.time for frame in found] == [frame.time for frame in expected]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("kind", TELLING, ids=lambda kind: kind[0])
def test_planned_decoding_gives_the_frames_of_plain_decoding(film, kind):
    video = film(*kind)
    for seed, count in enumerate([1, 2, 4, 8, 30]):
        times = _moments(video, seed=seed, count=count)
        assert _passed_over(video, times) >= 0
        expected = list(decode_at(_plain(video), times, threads=1))
        for threads in (1, 2):
            _assert_same(list(decode_at(video, times, threads=threads)), expected)
    assert _passed_over(video, [0.5]) > 0


@pytest.mark.parametrize("name", REAL_VIDEOS)
def test_planned_decoding_of_real_videos_gives_the_frames_of_plain_decoding(real_videos, name):
    video = probe(real_videos / name)
    size = (video.height // 4, video.width // 4)
    times = _moments(video, seed=3, count=12)
    expected = list(decode_at(_plain(video), times, size=size, threads=1))
    _assert_same(list(decode_at(video, times, size=size, threads=1)), expected)


@pytest.mark.parametrize("kind", SILENT, ids=lambda kind: kind[0])
@pytest.mark.parametrize("tolerance", [0.0, 0.2])
def test_videos_with_unknown_references_are_decoded_sequentially(film, kind, tolerance):
    video = film(*kind)
    times = _moments(video, seed=1, count=6)
    assert _passed_over(video, times, tolerance=tolerance) == -1
    expected = list(decode_at(_plain(video), times))
    _assert_same(list(decode_at(video, times, tolerance=tolerance)), expected)


@pytest.mark.parametrize("kind", TELLING, ids=lambda kind: kind[0])
def test_frames_are_within_the_tolerance_and_carry_their_own_time(film, kind):
    video = film(*kind)
    times = [0.25 + 0.5 * index for index in range(int(2 * video.duration))]
    on_display = list(decode_at(_plain(video), times, threads=1))
    near = list(decode_at(video, times, tolerance=0.12, threads=1))
    for time, exact, frame in zip(times, on_display, near, strict=True):
        assert frame.time == exact.time or abs(frame.time - time) <= 0.12 + 1e-9
    told = sorted(frame.time for frame in near)
    _assert_same(near, list(decode_at(_plain(video), told, threads=1)))
    assert _passed_over(video, times, tolerance=0.12) >= _passed_over(video, times)


@pytest.mark.parametrize("kind", [*TELLING, *SILENT[:3]], ids=lambda kind: kind[0])
def test_an_infinite_tolerance_gives_key_frames(film, kind):
    video = film(*kind)
    times = [0.3 * index for index in range(int(video.duration / 0.3))]
    frames = list(decode_at(video, times, tolerance=math.inf, threads=1))
    keys = _key_times(video)
    assert {frame.time for frame in frames} <= set(keys)
    if not kind[0].startswith("refresh"):  # whose other key frames are none
        nearest = [min(abs(key - time) for key in keys) for time in times]
        found = [abs(frame.time - time) for frame, time in zip(frames, times, strict=True)]
        assert found == pytest.approx(nearest)
    expected = list(decode_at(_plain(video), [frame.time for frame in frames], threads=1))
    _assert_same(frames, expected)


def _key_times(video: VideoInfo) -> list[float]:
    with av.open(str(video.path)) as container:
        unit = container.streams.video[0].time_base
        stamps = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe]
    return [float((stamp - video.layout.first_pts) * unit) for stamp in stamps]


def test_a_late_start_is_reached_by_a_seek_with_the_same_frames(make_video):
    pictures = _moving() * 3
    for name in ("film.mp4", "film.mkv", "film.ts"):
        video = probe(make_video(name, pictures, options={"bf": "3", "g": "40"}))
        times = [13.01, 13.5, 16.2]
        _assert_same(list(decode_at(video, times)), list(decode_at(_plain(video), times)))


def _with_packets(video: VideoInfo, **changes: np.ndarray) -> VideoInfo:
    assert video.packets is not None
    packets = {name: getattr(video.packets, name) for name in ("pts", "flags", "sizes", "unit")}
    return replace(video, packets=PacketTable(**(packets | changes), references=True))


def test_a_video_that_was_replaced_after_probing_is_decoded_sequentially(film):
    video, other = film(*TELLING[0]), film("other.mp4", "libx264", {"bf": "0", "g": "17"})
    times = _moments(video, seed=2, count=9)
    mistaken = replace(video, packets=other.packets)
    assert _passed_over(mistaken, times) > 0
    _assert_same(list(decode_at(mistaken, times)), list(decode_at(_plain(video), times)))


def test_after_a_missing_planned_frame_the_rest_is_decoded_sequentially(film):
    video = film(*TELLING[0])
    assert video.packets is not None
    # From the middle on the plan trusts in entries that are none, and in half of the references.
    flags = video.packets.flags.copy()
    flags[75:] = 0
    flags[75::10] = 1
    mistaken = _with_packets(video, flags=flags)
    times = [index / 2 for index in range(12)]
    found = list(decode_at(mistaken, times, threads=1))
    expected = list(decode_at(_plain(video), times, threads=1))
    assert [frame.time for frame in found] == [frame.time for frame in expected]


def test_damage_met_in_planned_decoding_is_noted_as_in_sequential_decoding(film):
    video = film("b.mkv", "libx264", {"bf": "0", "g": "40"})
    data = bytearray(video.path.read_bytes())
    for start, size in _places(video.path)[60:64]:
        data[start : start + size] = bytes(size)
    video.path.write_bytes(bytes(data))
    times = [1.0, 2.0, 3.0, 5.0]
    notes: list[list[str]] = [[], []]
    found, expected = (
        list(decode_at(each, times, threads=1, on_damage=note.append))
        for each, note in zip((video, _plain(video)), notes, strict=True)
    )
    _assert_same(found, expected)
    assert notes[0] == notes[1]
    assert len(notes[0]) == 1


def _places(path: Path) -> list[tuple[int, int]]:
    """Offsets and sizes of the packets of a video in its file."""
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    places = [(data.index(packet), len(packet)) for packet in packets]
    assert all(one < other for one, other in pairwise(places))
    return places


@pytest.mark.parametrize("tolerance", [0.12, math.inf])
def test_a_part_of_the_sample_times_gets_the_same_frames_as_all_of_them(film, tolerance):
    video = film(*TELLING[0])
    times = [0.25 + 0.2 * index for index in range(28)]
    whole = list(decode_at(video, times, tolerance=tolerance))
    for part in (slice(9, None), slice(3, 20, 5)):
        found = list(decode_at(video, times[part], tolerance=tolerance, among=times))
        _assert_same(found, whole[part])
    with pytest.raises(ValueError, match="among"):
        decode_at(video, [0.3], tolerance=tolerance, among=times)


def test_a_negative_tolerance_is_refused_at_once(film):
    video = film(*TELLING[0])
    for tolerance in (-0.1, math.nan):
        with pytest.raises(ValueError, match="tolerance"):
            decode_at(video, [0.0], tolerance=tolerance)
