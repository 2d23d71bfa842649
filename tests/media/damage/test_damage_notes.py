"""Notes of damage: on damaged videos, and none on sound ones."""

import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from media import decode_at, probe
from media.damage.intervals import DamagedIntervals, PendingIntervals
from tests.media.real_videos import REAL_VIDEOS

IN_FRONT = {"container_options": {"movflags": "+faststart"}}
FRAGMENTS = {"container_options": {"movflags": "+frag_keyframe+empty_moov+dash+global_sidx"}}
KEYS = {"g": "25", "sc_threshold": "0"}
MPEG2 = {"codec": "mpeg2video", "options": KEYS | {"b": "2M"}}
OGG = {"codec": "libvpx", "options": KEYS | {"deadline": "realtime"}}
WMV = {"codec": "wmv2", "options": {"g": "25"}}


def _noisy(count: int) -> list[np.ndarray]:
    """Pictures that take many bytes, so that damage has something to hit."""
    draw = np.random.default_rng(1)
    return list(draw.integers(0, 256, (count, 48, 64, 3), dtype=np.uint8))


def _notes(path: Path) -> list[str]:
    """All notes of damage on the video at `path` from probing and from decoding it whole."""
    video = probe(path)
    notes = [video.damage] if video.damage else []
    times = [video.duration * index / 50 for index in range(51)]
    frames = list(decode_at(video, times, threads=1, on_damage=notes.append))
    assert len(frames) == len(times)
    return notes


def _end_of_six_tenths(data: bytes) -> int:
    """Where to cut a file: FFmpeg opens no fragmented MP4 that ends in the header of a fragment."""
    header = data.rfind(b"moof", 0, len(data) * 6 // 10)
    return len(data) * 6 // 10 - 1 if header < 0 else header + 2000


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", IN_FRONT),
        ("film.mov", IN_FRONT),
        ("film.mp4", FRAGMENTS),
        ("film.mkv", {}),
        ("film.webm", {"codec": "libvpx", "options": KEYS | {"deadline": "realtime"}}),
        ("film.avi", {"codec": "mpeg4", "options": KEYS}),
        ("film.flv", {}),
        ("film.rm", {"codec": "rv10", "options": {"g": "25"}}),
        ("film.mxf", MPEG2),
        ("film.ivf", {"codec": "libvpx", "options": KEYS | {"deadline": "realtime"}}),
    ],
)
def test_a_truncated_video_is_noted_with_actual_and_declared_duration(make_video, name, options):
    path = make_video(name, _noisy(250), **({"options": KEYS} | options))
    data = path.read_bytes()
    path.write_bytes(data[: _end_of_six_tenths(data)])
    notes = _notes(path)
    assert notes[0] in ("breaks off at 00:05 of 00:10", "breaks off at 00:06 of 00:10")
    assert 5.0 < probe(path).duration < 7.0
    path.write_bytes(data)
    assert _notes(path) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.wmv", WMV),
        ("film.ogg", OGG),
        ("film.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("film.mp4", {"container_options": {"movflags": "+frag_keyframe+empty_moov"}}),
    ],
)
def test_a_truncated_video_without_declared_duration_is_noted_with_its_end(
    make_video, name, options
):
    path = make_video(name, _noisy(250), **({"options": KEYS} | options))
    data = path.read_bytes()
    path.write_bytes(data[: _end_of_six_tenths(data)])
    assert _notes(path)[0] in ("breaks off at 00:05", "breaks off at 00:06")
    path.write_bytes(data)
    assert _notes(path) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", {}),
        ("film.mkv", {}),
        ("film.webm", {"codec": "libvpx", "options": KEYS | {"deadline": "realtime"}}),
        ("film.avi", {"codec": "mpeg4", "options": KEYS}),
        ("film.ts", {}),
        ("film.ts", {"codec": "mpeg2video", "options": KEYS | {"b": "2M"}}),
        ("film.mpg", {"codec": "mpeg2video", "options": KEYS | {"b": "2M"}}),
        ("film.flv", {}),
        ("film.m2ts", {"container_options": {"mpegts_m2ts_mode": "1"}}),
        ("film.vob", {"codec": "mpeg2video", "options": KEYS | {"b": "2M"}}),
        ("film.wmv", WMV),
        ("film.ogg", OGG),
        ("film.rm", {"codec": "rv10", "options": {"g": "25"}}),
        ("film.mxf", MPEG2),
        ("film.nut", {"codec": "mpeg4", "options": KEYS}),
    ],
)
@pytest.mark.parametrize("kind", ["zeros", "noise"])
def test_a_damaged_middle_is_noted_and_later_frames_keep_their_times(
    make_video, name, options, kind
):
    path = make_video(name, _noisy(250), **({"options": KEYS} | options))
    data = bytearray(path.read_bytes())
    start, size = len(data) // 2, len(data) // 12
    data[start : start + size] = (
        bytes(size) if kind == "zeros" else random.Random(2).randbytes(size)
    )
    path.write_bytes(data)
    (note, *_) = _notes(path)
    assert "at 00:0" in note or "from 00:0" in note
    assert probe(path).duration == pytest.approx(10.0, abs=0.1)


def test_an_unreachable_end_of_a_fragmented_video_is_noted(make_video):
    no_index = {"movflags": "+frag_keyframe+empty_moov"}
    path = make_video("film.mp4", _noisy(250), options=KEYS, container_options=no_index)
    data = bytearray(path.read_bytes())
    place = data.index(b"moof", len(data) // 2) - 4
    data[place : place + len(data) // 5] = bytes(len(data) // 5)
    path.write_bytes(data)
    (note, *_) = _notes(path)
    assert note in ("is unreadable beyond 00:04", "is unreadable beyond 00:05")


# A process in which the disk breaks after `sys.argv[2]` packets: from then on the kernel itself
# (a seccomp filter) answers each read from a file with EIO.
BREAKING_DISK = """
import ctypes, errno, os, struct, sys
from pathlib import Path
from media import MediaError, decode_at, probe
from media.packets.scan import PacketScan

def break_disk():
    read = {"x86_64": 0, "aarch64": 63}[os.uname().machine]
    program = [(0x20, 0, 0, 0), (0x15, 0, 3, read), (0x20, 0, 0, 16), (0x35, 0, 1, 3),
               (0x06, 0, 0, 0x00050000 | errno.EIO), (0x06, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    head = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    prctl = ctypes.CDLL(None).prctl
    assert prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, head, 0, 0) == 0

packets_left = int(sys.argv[2])
def watch(frame, event, argument):
    global packets_left
    if event == "call" and frame.f_code is PacketScan.add.__code__:
        packets_left -= 1
        if packets_left == 0:
            sys.setprofile(None)
            break_disk()

path = Path(sys.argv[1])
sys.setprofile(watch)
if packets_left == 0:
    break_disk()
try:
    video = probe(path)
    print(video.damage, video.duration)
except MediaError as error:
    print(type(error).__name__, error)
"""


def _probed_on_a_breaking_disk(path: Path, *, packets: int) -> str:
    run = [sys.executable, "-c", BREAKING_DISK, str(path), str(packets)]
    result = subprocess.run(run, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs seccomp, which Linux has")
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_a_read_error_in_the_middle_is_not_taken_for_the_end(make_video, name):
    path = make_video(name, _noisy(500), options=KEYS | {"crf": "5"}, **IN_FRONT)
    told = _probed_on_a_breaking_disk(path, packets=100)
    note, _, duration = told.rpartition(" ")
    assert note.startswith("cannot be read beyond 00:0")
    assert note.endswith("Input/output error")
    assert 4.0 < float(duration) < 12.0
    told = _probed_on_a_breaking_disk(path, packets=0)
    assert told == "UnreadableError cannot be read: Input/output error"


@pytest.mark.parametrize("name", REAL_VIDEOS)
def test_sound_real_videos_have_no_notes(real_videos, name):
    assert _notes(real_videos / name) == []
    assert probe(real_videos / name).gaps == ()


OPEN = {"x264-params": "open-gop=1:bframes=3:keyint=25"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", OPEN),
        ("film.mkv", OPEN),
        ("film.ts", OPEN),
        ("film.mp4", {"x264-params": "intra-refresh=1"}),
        ("film.ts", {"x264-params": "intra-refresh=1"}),
        ("film.flv", {"bf": "3"}),
    ],
)
def test_videos_with_open_gops_have_no_notes(make_video, numbered, name, options):
    assert _notes(make_video(name, numbered(250), options=options)) == []


def test_videos_with_uneven_frame_times_have_no_notes(make_video, numbered):
    draw = random.Random(3)
    stamps = [0]
    while len(stamps) < 200:
        stamps.append(stamps[-1] + draw.choice([1, 33, 40, 41, 500, 4000, 59_000]))
    for name, codec in [
        ("film.mp4", "libx264"),
        ("film.mkv", "libx264"),
        ("film.ts", "libx264"),
        ("film.flv", "libx264"),
        ("film.ogg", "libvpx"),
        ("film.wmv", "wmv2"),
        ("film.nut", "mpeg4"),
    ]:
        path = make_video(name, numbered(200), pts=stamps, time_base=Fraction(1, 1000), codec=codec)
        assert _notes(path) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.ts", {}),
        ("film.m2ts", {"container_options": {"mpegts_m2ts_mode": "1"}}),
        ("film.vob", MPEG2),
        ("film.wmv", WMV),
        ("film.ogg", OGG),
        ("film.mxf", MPEG2),
        ("film.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("film.flv", {}),
        ("film.mkv", {}),
        ("film.avi", {"codec": "mpeg4"}),
        ("film.ivf", OGG),
        ("film.nut", {"codec": "mpeg4"}),
        ("film.mp4", {"container_options": {"movflags": "+frag_keyframe+empty_moov"}}),
    ],
)
def test_files_with_padding_have_no_notes(make_video, numbered, name, options):
    path = make_video(name, numbered(100), **({"options": KEYS} | options))
    data = path.read_bytes()
    for filling in (b"\0", b"\xff"):
        path.write_bytes(data + filling * 500_000)
        assert _notes(path) == []


def test_void_elements_between_clusters_have_no_notes(make_video, numbered):
    stamps = [number * 40 + (8000 if number >= 50 else 0) for number in range(100)]
    path = make_video("film.mkv", numbered(100), pts=stamps, time_base=Fraction(1, 1000))
    data, cluster = path.read_bytes(), bytes.fromhex("1F43B675")
    behind_pause = data.index(cluster, data.index(cluster) + 4)
    room = b"\xec" + (1 << 28 | 20_000).to_bytes(4, "big")
    path.write_bytes(data[:behind_pause] + room + bytes(20_000) + data[behind_pause:])
    assert _notes(path) == []
    path.write_bytes(data[:behind_pause] + b"\x99" * 20_005 + data[behind_pause:])
    assert _notes(path) != []


def test_an_unread_part_of_a_digital_video_tape_is_noted(tmp_path):
    path, encoder = tmp_path / "film.dv", av.CodecContext.create("dvvideo", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 720, 576, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    packets = []
    for number in range(30):
        picture = np.full((576, 720, 3), number * 8, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    film = b"".join(bytes(packet) for packet in packets)
    path.write_bytes(film)
    assert _notes(path) == []
    path.write_bytes(film[: len(film) * 6 // 10 - 1])
    assert _notes(path)[0] == "breaks off at 00:00"
    hole = len(film) // 3
    path.write_bytes(film[:hole] + bytes(hole) + film[2 * hole :])
    assert _notes(path) != []


@pytest.mark.parametrize(
    "kind",
    [
        ("film.ts", "libx264", KEYS),
        ("film.ts", "libx264", OPEN),
        ("film.ts", "mpeg2video", {"bf": "2", "g": "25"}),
        ("film.mpg", "mpeg2video", {"bf": "2", "g": "25"}),
    ],
)
def test_a_recording_cut_out_of_a_broadcast_has_no_notes(make_video, numbered, kind):
    name, codec, options = kind
    path = make_video(name, numbered(500), codec=codec, options=options)
    data = path.read_bytes()
    unit = 188 if name.endswith("ts") else 1
    for begin, end in [(0.23, 0.77), (0.5, 1.0), (0.0, 0.381)]:
        first, last = (int(len(data) * part) // unit * unit for part in (begin, end))
        path.write_bytes(data[first:last])
        assert _notes(path) == []


def test_a_broadcast_with_the_advertisements_cut_out_has_no_notes(make_video, numbered):
    path = make_video("film.ts", numbered(500), options=KEYS)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        keys = [packet.pos for packet in packets if packet.is_keyframe]
    data = path.read_bytes()
    path.write_bytes(data[: keys[4]] + data[keys[14] :])
    assert _notes(path) == []


def test_a_torn_frame_at_a_cut_is_no_damage():
    losses = DamagedIntervals()
    suspicions = PendingIntervals(losses)
    for number in range(100):
        time = number * 0.04
        suspicions.watch(time, is_key=number % 25 == 0)
        if number in (24, 60, 99):  # before a key frame, between, at the end
            suspicions.add(time, end=time + 0.04)
    suspicions.finish()
    assert losses.count == 1
    assert losses.first == pytest.approx((2.4, 2.44))


def test_damaged_intervals_close_to_each_other_are_one():
    losses = DamagedIntervals()
    assert losses.sentence("is torn") is None
    for start in (61.0, 61.04, 61.9, 62.5):
        losses.add(start, end=start + 0.04)
    assert losses.sentence("is torn", origin=1.0) == "is torn from 01:00 to 01:01"
    losses.add(3700.0, end=3700.04)
    losses.add(3800.0, end=3800.04)
    assert losses.sentence("is torn") == "is torn from 01:01 to 01:02 and at 2 more places"


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.flv"])
@pytest.mark.parametrize("kind", ["zeros", "noise"])
def test_damage_in_a_frame_that_is_not_sampled_is_noted(make_video, name, kind):
    path = make_video(name, _noisy(100), options=KEYS | {"bf": "2"})
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size > 200]
        content = next(bytes(packet) for packet in packets[30:] if not packet.is_keyframe)
    data = bytearray(path.read_bytes())
    place = data.index(content)
    data[place : place + 100] = bytes(100) if kind == "zeros" else random.Random(2).randbytes(100)
    path.write_bytes(data)
    assert (probe(path).damage or "").startswith("is unreadable ")
