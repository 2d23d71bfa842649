"""Holes in the middle of files: frames behind them are read, at their own times."""

import ast
from pathlib import Path

import pytest

from media import decode_at, probe

KEYS = {"g": "25", "sc_threshold": "0"}
REPOSITORY = Path(__file__).parents[3]
M2TS = {"container_options": {"mpegts_m2ts_mode": "1"}}
VP8 = {"codec": "libvpx", "options": {"g": "25", "deadline": "realtime", "cpu-used": "8"}}
MPEG2 = {"codec": "mpeg2video", "options": KEYS | {"b": "2M"}}


def _with_hole(path: Path, filling: bytes, *, instead: int = 0) -> None:
    """Put `filling` into the middle of the file, in the place of as many bytes as `instead`."""
    data, middle = path.read_bytes(), path.stat().st_size // 2 // 192 * 192
    path.write_bytes(data[:middle] + filling + data[middle + instead :])


@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
@pytest.mark.parametrize(
    "film",
    [
        ("film.ts", {}),
        ("film.m2ts", M2TS),
        ("film.mts", {"container_options": {"mpegts_m2ts_mode": "1"}}),
        ("film.ts", MPEG2),
        ("film.ogg", VP8),
        ("film.mpg", MPEG2),
        ("film.flv", {}),
        ("film.nut", {"codec": "mpeg4", "options": KEYS}),
    ],
)
def test_all_frames_behind_a_megabyte_of_filling_are_read(
    make_video, numbered, read_number, film, filling
):
    name, kind = film
    path = make_video(name, numbered(500), **({"options": KEYS} | kind))
    _with_hole(path, filling * (1 << 20))
    video = probe(path)
    assert video.duration == pytest.approx(20.0, abs=0.1)
    frames = decode_at(video, [2.0, 18.0], threads=1)
    assert [read_number(frame.pixels) for frame in frames] == pytest.approx([50, 450], abs=1)


def test_frames_behind_a_long_hole_keep_the_times_of_the_file(make_video, read_number, numbered):
    path = make_video("film.ts", numbered(1500), options=KEYS)
    _with_hole(path, bytes(1 << 20), instead=path.stat().st_size // 3 // 188 * 188)
    video = probe(path)
    assert video.duration == pytest.approx(60.0, abs=0.1)
    assert video.damage is not None
    assert video.damage.startswith("is unreadable from 00:")
    (frame,) = decode_at(video, [55.0], threads=1)
    assert read_number(frame.pixels) == 55 * 25


def test_a_hole_larger_than_the_video_is_skipped(make_video, numbered):
    path = make_video("film.ts", numbered(250), options=KEYS)
    _with_hole(path, bytes(16 << 20))
    assert probe(path).duration == pytest.approx(10.0, abs=0.1)


def test_a_demuxer_that_never_finds_a_packet_is_given_up(make_video, numbered):
    path = make_video("film.ts", numbered(250), options=KEYS)
    _with_hole(path, bytes(16 << 20), instead=path.stat().st_size)
    video = probe(path)
    assert video.duration == pytest.approx(5.0, abs=0.5)


def test_packets_are_read_in_one_place_only():
    """Anywhere else FFmpeg's "try again" would be taken for the end of the video."""
    product = [path for path in REPOSITORY.iterdir() if (path / "__init__.py").is_file()]
    readers = {
        file.relative_to(REPOSITORY).as_posix()
        for package in product
        if package.name != "benchmarks"
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "demux"
    }
    readers.remove("media/playback/soundtrack.py")  # sound of a film that plays may end earlier
    readers.remove("media/cutting/copying.py")  # and so may that of a moment
    readers.remove("media/subtitles/sidecar.py")  # bytes in memory, where nothing is tried again
    assert readers == {"media/container/source.py"}


def test_containers_are_decoded_from_their_packets_only():
    """PyAV's `container.decode` reads packets by itself, and ends with the first hole."""
    calls = [
        f"{file.name}:{node.lineno}"
        for file in (REPOSITORY / "media").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "decode"
        if "container" in ast.unparse(node.value)
    ]
    assert calls == []
