"""Times are those of players: counted from the start of the file's earliest stream."""

import io
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from media import cut, decode_at, probe, thumbnail
from media.container.clock import Clock, StreamStarts

RATE = 25
SOUND_RATE = 48_000
PICTURES = 75


@pytest.fixture
def late_video(tmp_path, numbered) -> Callable[..., Path]:
    """`late_video(name, picture=, sound=)`: 3 s of each, from those seconds on; None for no sound.

    Codecs without B-frames keep AVI's times exact; elsewhere there are some.
    """

    def make(name: str, *, picture: float = 0.0, sound: float | None = 0.0) -> Path:
        path = tmp_path / name
        avi = path.suffix == ".avi"
        index_first = {"movflags": "+faststart"} if path.suffix in {".mp4", ".mov"} else {}
        with av.open(str(path), "w", container_options=index_first) as film:
            codec, options = ("mpeg4", {}) if avi else ("libx264", {"bf": "2", "threads": "1"})
            pictures = film.add_stream(codec, rate=RATE, options={"g": "25"} | options)
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
            pictures.codec_context.time_base = Fraction(1, RATE)
            packets = list(_encoded_sound(film, sound, "mp3" if avi else "aac"))
            for number, pixels in enumerate(numbered(PICTURES)):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame = frame.reformat(format="yuv420p", threads=1)
                frame.pts, frame.time_base = round(picture * RATE) + number, Fraction(1, RATE)
                packets += pictures.encode(frame)
            packets += pictures.encode(None)
            for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
                film.mux(packet)
        return path

    return make


def _encoded_sound(film, start: float | None, codec: str):
    if start is None:
        return
    stream = film.add_stream(codec, rate=SOUND_RATE, layout="mono")
    silence = np.zeros((1, 3 * SOUND_RATE), np.float32)
    frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
    frame.sample_rate = SOUND_RATE
    frame.pts, frame.time_base = round(start * SOUND_RATE), Fraction(1, SOUND_RATE)
    yield from stream.encode(frame)
    yield from stream.encode(None)


def _as_players_show(path: Path, read_number) -> list[tuple[float, int]]:
    """Seconds from the file's start time by FFmpeg, and the number of each frame."""
    with av.open(str(path)) as film:
        zero = Fraction(film.start_time, av.time_base)
        stream = film.streams.video[0]
        return [
            (
                float(frame.pts * stream.time_base - zero),
                read_number(frame.to_ndarray(format="rgb24")),
            )
            for frame in film.decode(stream)
        ]


def _assert_players_agree(path: Path, read_number) -> list[float]:
    """Assert that all ways to decode give each frame at its time in players; return the times."""
    shown = _as_players_show(path, read_number)
    video = probe(path)
    times = [time for time, _ in shown]
    assert video.start == pytest.approx(times[0], abs=2e-6)
    frames = list(decode_at(video, [time + 0.001 for time in times], threads=1))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=2e-6)
    assert [read_number(frame.pixels) for frame in frames] == [number for _, number in shown]
    for time, number in shown[:: len(shown) // 3]:
        (frame,) = decode_at(video, [time + 0.001], threads=1)
        assert read_number(frame.pixels) == number
        if number:  # of the first picture, which is black, a thumbnail shows one beside it
            image = Image.open(io.BytesIO(thumbnail(path, time=time + 0.001))).convert("RGB")
            assert read_number(np.asarray(image)) == number
        piece = path.with_name("piece.mp4")
        cut(path, piece, start=time + 0.001, end=time + 0.1, overwrite=True)
        with av.open(str(piece)) as film:
            assert read_number(next(film.decode(video=0)).to_ndarray(format="rgb24")) == number
    with av.open(str(path)) as film:
        end = Fraction(film.duration, av.time_base)
        if film.format.name.startswith("matroska"):  # whose duration counts from timestamp 0
            end -= Fraction(film.start_time, av.time_base)
    assert times[-1] < video.end <= video.duration <= float(end) + 1e-3
    return times


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts", ".flv"])
@pytest.mark.parametrize(
    ("picture", "sound"), [(14.0, 0.0), (0.2, 0.0), (0.0, 2.0), (5.0, 5.0), (7.0, None)]
)
def test_times_count_from_the_earliest_stream(late_video, read_number, suffix, picture, sound):
    path = late_video(f"film{suffix}", picture=picture, sound=sound)
    times = _assert_players_agree(path, read_number)
    late = picture - min(picture, picture if sound is None else sound)
    assert times[0] == pytest.approx(late, abs=0.05)  # encoders of sound start a little early


def test_an_avi_video_begins_with_its_sound(late_video, read_number):
    times = _assert_players_agree(late_video("film.avi"), read_number)
    assert times[0] == 0.0


def test_an_avi_header_can_declare_that_the_frames_begin_late(late_video, read_number):
    path = late_video("film.avi", sound=2.0)
    data = bytearray(path.read_bytes())
    pictures = data.index(b"strh") + 8  # AVISTREAMHEADER: dwStart is its eighth number
    assert data[pictures : pictures + 4] == b"vids"
    struct.pack_into("<I", data, pictures + 28, 50)
    path.write_bytes(data)
    shown = _as_players_show(path, read_number)
    assert shown[0] == (2.0, 0)
    video = probe(path)
    frames = list(decode_at(video, [time + 0.001 for time, _ in shown], threads=1))
    assert [(frame.time, read_number(frame.pixels)) for frame in frames] == shown
    assert (video.start, video.end) == (2.0, 5.0)


def test_pictures_whose_times_are_guessed_do_not_count_as_late(make_video, numbered):
    video = probe(make_video("film.avi", numbered(50), codec="mpeg4", options={"bf": "2"}))
    assert (video.start, video.end, video.duration) == (0.0, 2.0, 2.0)


def test_a_video_lasts_until_its_sound_ends(late_video):
    for suffix in (".mp4", ".mkv", ".ts"):
        video = probe(late_video(f"film{suffix}", sound=2.0))
        assert video.end == pytest.approx(3.0, abs=0.05)
        assert video.duration == pytest.approx(5.0, abs=0.05)


def _edited(path: Path, *edits: tuple[int, int]) -> Path:
    """The MP4 video with other edits (duration in ms, media time) of its first track."""
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") + 8
    assert struct.unpack_from(">I", data, place) == (len(edits),)
    for number, (duration, media_time) in enumerate(edits):
        struct.pack_into(">IiI", data, place + 4 + 12 * number, duration, media_time, 1 << 16)
    path.write_bytes(data)
    return path


def test_edit_lists_delay_and_cut_pictures(late_video, read_number):
    # One unit of media time is 1/12800 s; two B-frames put its zero two pictures late.
    path = _edited(late_video("cut.mp4"), (1000, 1024 + 12_800))
    times = _assert_players_agree(path, read_number)
    assert len(times) == RATE
    path = _edited(late_video("late.mp4", picture=2.0), (500, -1), (1000, 1024 + 6_400))
    times = _assert_players_agree(path, read_number)
    assert times[0] == pytest.approx(0.5, abs=1e-3)
    path = _edited(late_video("short.mp4", sound=None), (1300, 1024))  # within a picture
    video = probe(path)
    assert video.end == video.duration == pytest.approx(1.3, abs=1e-3)


def test_a_late_video_that_is_read_from_its_middle_shows_the_same(late_video, read_number):
    for suffix in (".mp4", ".mkv", ".ts"):
        path = late_video(f"film{suffix}", picture=30.0)
        (frame,) = decode_at(probe(path), [32.03], threads=1)
        assert (frame.time, read_number(frame.pixels)) == (pytest.approx(32.0, abs=0.05), 50)
        (frame,) = decode_at(probe(path), [1.0], threads=1)  # before there is any picture
        assert (frame.time, read_number(frame.pixels)) == (pytest.approx(30.0, abs=0.05), 0)


def _zero(first: float, shown: Sequence[float] = (), text: Sequence[float] = (), **more) -> float:
    starts = StreamStarts(tuple(map(Fraction, shown)), tuple(map(Fraction, text)), **more)
    return float(starts.earliest(Fraction(first)))


def test_text_counts_if_it_begins_a_little_before_sound_and_pictures():
    assert _zero(5.0, [5.0, 6.0], [4.5]) == 4.5
    assert _zero(5.0, [5.0, 6.0], [4.0]) == 5.0  # a second: an outlier
    assert _zero(5.0, [3.0], [-2.0, 2.5]) == 3.0
    assert _zero(5.0, [], []) == 5.0


def test_a_broadcast_clock_may_wrap_around_between_sound_and_frames():
    turn = Fraction(1 << 33, 90_000)
    assert _zero(2.0, [float(turn) - 1.5], period=turn) == pytest.approx(-1.5)
    assert _zero(float(turn) - 1.5, [2.0], period=turn) == pytest.approx(float(turn) - 1.5)
    assert _zero(2.0, [72_000.0], period=turn) == 2.0  # astray, or much later


@pytest.mark.parametrize("stamp", [-7, 0, 1, 90_000 * 3600 * 30])
def test_a_clock_converts_timestamps_to_seconds_and_back(stamp):
    clock = Clock(Fraction(7, 3), Fraction(1001, 30_000))
    assert clock.timestamp(clock.seconds(stamp) + 1e-6) == stamp


def test_sound_with_wrong_timestamps_makes_no_video_years_long(late_video):
    assert _zero(5.0, [-(2.0**52)]) == 5.0
    path = late_video("film.mkv", picture=2.0, sound=4e9)
    video = probe(path)
    assert (video.start, video.end, video.duration) == pytest.approx((0.0, 3.0, 3.0), abs=0.05)
    path = late_video("late.mkv", picture=4e9, sound=0.0)
    video = probe(path)
    assert (video.start, video.end, video.duration) == pytest.approx((0.0, 3.0, 3.0), abs=0.05)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_notes_of_damage_use_the_times_of_players(late_video, suffix):
    path = late_video(f"film{suffix}", picture=30.0, sound=28.0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    video = probe(path)
    assert 2.0 < video.end < 4.0
    assert video.damage is not None
    assert video.damage.startswith("breaks off at 00:0")
    assert video.damage.endswith("of 00:05")
