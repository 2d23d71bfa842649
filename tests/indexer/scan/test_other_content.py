"""Suffixes with two meanings: what is no video is no failure, what is damaged is one."""

import gzip
import os
from pathlib import Path

import av
import numpy as np
import pytest

from indexer import FileDone, Outcome
from indexer.scan.other_content import other_content
from media import write_video

TRACKER = bytes(20) + b"\x01lead" * 212 + b"M.K." + bytes(4000)
OTHERS = {
    "main.ts": b"export const x: number = 1\n",
    "index.mts": b"export {}",
    "empty.ts": b"",
    "app_de.ts": '<?xml version="1.0"?><TS>\u00dc</TS>'.encode("utf-16"),
    "latin.ts": "// gr\u00fc\u00dfe".encode("latin-1"),
    "go.mod": b"module example.com/x\n",
    "linalg.MOD": gzip.compress(b"GFORTRAN module version '15'"),
    "tune.mod": TRACKER[:1080] + b"M.K." + bytes(4000),
    "script.nut": b"local x = 1\r\n\tprint(x)",
    "notes.rm": b"remove me",
    "card.tp": b"todo:\n",
}


@pytest.fixture
def others(library) -> None:
    for name, content in OTHERS.items():
        (library / name).write_bytes(content)


@pytest.mark.usefixtures("others")
def test_what_is_no_video_is_counted_and_not_opened_again(film, index, catalog):
    film("a.mp4", seconds=1)
    told: list[object] = []
    report = index(on_event=told.append)
    assert (report.indexed, report.no_video, report.failed) == (1, len(OTHERS), ())
    outcomes = {e.path.name: e.outcome for e in told if isinstance(e, FileDone)}
    assert outcomes == {"a.mp4": Outcome.INDEXED, **dict.fromkeys(OTHERS, Outcome.NO_VIDEO)}
    assert catalog.status().failures == ()
    told.clear()
    again = index(on_event=told.append)
    assert (again.unchanged, again.no_video, again.failed) == (1, len(OTHERS), ())
    assert not [event for event in told if isinstance(event, FileDone)]
    assert index(retry_failed=True).no_video == len(OTHERS)


def test_damaged_and_empty_videos_are_failures_all_the_same(film, index, library):
    whole = film("whole.mp4", seconds=2).read_bytes()
    (library / "noise.ts").write_bytes(os.urandom(100_000))
    (library / "zeros.mts").write_bytes(bytes(100_000))
    (library / "empty.mp4").touch()
    (library / "text.mp4").write_text("not a film")
    (library / "page.mkv").write_text("<html>404 Not Found</html>")
    (library / "cut.mod").write_bytes(whole[: len(whole) // 3])
    report = index()
    assert (report.indexed, report.no_video) == (1, 0)
    failed = {failure.path.name for failure in report.failed}
    assert failed == {"noise.ts", "zeros.mts", "empty.mp4", "text.mp4", "page.mkv", "cut.mod"}


@pytest.mark.parametrize(
    ("muxer", "suffix"), [("mpegts", ".ts"), ("mpegts", ".mts"), ("vob", ".mod")]
)
def test_real_video_under_such_a_suffix_is_none_of_them(tmp_path, muxer, suffix):
    path = tmp_path / f"real{suffix}"
    with av.open(str(path), "w", format=muxer) as out:
        stream = out.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((144, 176, 3), number, np.uint8))
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    assert other_content(path) is None


def write_sound(path: Path, *, muxer: str, cover: bool = False) -> None:
    with av.open(str(path), "w", format=muxer) as container:
        picture = container.add_stream("mjpeg", rate=25) if cover else None
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=16_000)
        if picture is not None:
            grey = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), format="rgb24")
            container.mux(picture.encode(grey.reformat(format="yuvj420p")) + picture.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), "fltp", "mono")
        silence.sample_rate = 16_000
        container.mux(sound.encode(silence) + sound.encode(None))


def test_sound_alone_is_no_video_in_any_container(index, library):
    write_sound(library / "memo.mp4", muxer="mp4")
    write_sound(library / "radio.ts", muxer="mpegts")
    write_sound(library / "copy.mkv", muxer="matroska")
    write_sound(library / "song.m4p", muxer="mp4", cover=True)
    (library / "again.mp4").write_bytes((library / "memo.mp4").read_bytes())
    report = index()
    assert (report.no_video, report.failed) == (5, ())
    assert (index().no_video, index().failed) == (5, ())


def test_a_video_that_turned_into_something_else_goes_from_the_catalog(index, catalog, library):
    film = library / "a.ts"
    write_video(film, (np.full((48, 64, 3), n, np.uint8) for n in range(8)), frame_rate=2)
    assert index().indexed == 1
    film.write_text("export const changed = true")
    report = index()
    assert (report.no_video, report.failed, catalog.status().videos) == (1, (), 0)
