"""Suffixes that are looked for, and the containers that are opened: one list must fit the other."""

import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from indexer.scan.names import SUFFIXES_BY_CONTAINER, SUFFIXES_WITH_TWO_MEANINGS, VIDEO_SUFFIXES
from media import probe
from media.container.source import _BARE_DEMUXERS, CONTAINERS

ALLOWED = set(CONTAINERS.split(","))
# What is written here of each container: FFmpeg's muxer and a codec that it takes.
WAYS = {
    "asf": ("asf", "mpeg4"),
    "avi": ("avi", "mpeg4"),
    "dv": ("dv", "dvvideo"),
    "flv": ("flv", "libx264"),
    "gif": ("gif", "gif"),
    "h264": ("h264", "libx264"),
    "hevc": ("hevc", "libx265"),
    "ivf": ("ivf", "libvpx"),
    "matroska": ("matroska", "mpeg4"),
    "mjpeg": ("mjpeg", "mjpeg"),
    "mov": ("mp4", "mpeg4"),
    "mpeg": ("vob", "mpeg2video"),
    "mpegts": ("mpegts", "mpeg2video"),
    "mpegvideo": ("mpeg2video", "mpeg2video"),
    "mxf": ("mxf", "mpeg2video"),
    "nut": ("nut", "mpeg4"),
    "obu": ("obu", "libsvtav1"),
    "ogg": ("ogg", "libvpx"),
    "rm": ("rm", "rv20"),
    "wtv": ("wtv", "mpeg2video"),
    "yuv4mpegpipe": ("yuv4mpegpipe", "rawvideo"),
}
NOT_WRITTEN = {"nsv", "nuv", "vivo"}  # FFmpeg only reads them


def write(path: Path, *, container: str) -> bool:
    """Some pictures in this container; False where this FFmpeg has no encoder for it."""
    muxer, codec = WAYS[container]
    if codec not in av.codecs_available:
        return False
    width, height = (720, 576) if codec == "dvvideo" else (176, 144)
    with av.open(str(path), "w", format=muxer) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height = width, height
        stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        for number in range(12):
            pixels = np.full((height, width, 3), 20 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            out.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        out.mux(stream.encode(None))
    return True


def test_each_suffix_is_of_a_container_that_may_be_opened():
    for container, suffixes in SUFFIXES_BY_CONTAINER.items():
        for suffix in suffixes:
            assert container in ALLOWED or _BARE_DEMUXERS.get(suffix) == container, suffix
    assert VIDEO_SUFFIXES >= SUFFIXES_WITH_TWO_MEANINGS


def test_each_container_that_may_be_opened_has_a_suffix_that_is_looked_for():
    assert ALLOWED - {"live_flv"} <= set(SUFFIXES_BY_CONTAINER)
    assert set(_BARE_DEMUXERS) <= VIDEO_SUFFIXES
    for container in ALLOWED:
        av.ContainerFormat(container, "r")  # FFmpeg knows no such container: this raises


def test_each_suffix_was_thought_of_here():
    assert set(SUFFIXES_BY_CONTAINER) == set(WAYS) | NOT_WRITTEN


@pytest.mark.parametrize("container", sorted(WAYS))
def test_a_file_of_the_container_is_read_under_each_of_its_suffixes(tmp_path, container):
    film = tmp_path / "film"
    if not write(film, container=container):
        pytest.skip(f"this FFmpeg has no encoder for {WAYS[container][1]}")
    for suffix in SUFFIXES_BY_CONTAINER[container]:
        path = tmp_path / f"a{suffix}"
        shutil.copy(film, path)
        assert probe(path).duration > 0, suffix
