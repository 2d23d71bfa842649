"""Capture time and camera: what containers record, and clocks that say nothing."""

from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from media.container.capture import Capture, capture_of
from media.container.source import open_source

pytestmark = pytest.mark.usefixtures("in_berlin")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
JUNE = datetime(2024, 6, 1, 10, 34, 56, tzinfo=UTC).timestamp()


def written(path: Path, **tags: str) -> Path:
    """A video of two frames with tags; `_` stands for `.` in names that Apple chose."""
    options = {"movflags": "use_metadata_tags"} if path.suffix in {".mp4", ".mov"} else {}
    with av.open(str(path), "w", options=options) as container:
        names = {name: name.replace("_", ".") if "apple" in name else name for name in tags}
        container.metadata.update({names[name]: value for name, value in tags.items()})
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def captured(path: Path) -> Capture:
    with open_source(path) as source:
        return capture_of(source.container, path, now=NOW)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_headers_creation_time_is_in_utc(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"a.{suffix}", creation_time="2024-06-01T10:34:56Z")
    assert captured(path) == Capture(JUNE, "creation time")


def test_quicktimes_creation_date_with_its_zone_comes_first(tmp_path: Path) -> None:
    path = written(
        tmp_path / "VID_20200101_000000.mov",
        com_apple_quicktime_creationdate="2024-06-01T06:34:56-0400",
        com_apple_quicktime_make="Apple",
        com_apple_quicktime_model="iPhone 15 Pro",
        creation_time="2024-07-01T00:00:00Z",
    )
    assert captured(path) == Capture(JUNE, "creation date", "Apple iPhone 15 Pro")


def test_matroskas_date_recorded_is_local_without_a_zone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mkv", DATE_RECORDED="2024-06-01 12:34:56")
    assert captured(path) == Capture(JUNE, "date recorded")


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("PXL_20240601_103456789.mp4", 0),
        ("VID_20240601_123456.mp4", 0),
        ("20240601_123456.mp4", 0),
        ("2024-06-01 12.34.56.mp4", 0),
        ("Screen Recording 2024-06-01 at 12.34.56.mp4", 0),
        ("2024-06-01_12-34.mp4", -56),
    ],
)
def test_names_that_cameras_give_hold_the_time(tmp_path: Path, name: str, seconds: int) -> None:
    path = written(tmp_path / name, creation_time="2024-07-01T00:00:00Z")
    assert captured(path) == Capture(JUNE + seconds, "file name")


@pytest.mark.parametrize("name", ["holiday 2024.mp4", "20241399_123456.mp4", "1080p 60.mp4"])
def test_other_names_hold_none(tmp_path: Path, name: str) -> None:
    assert captured(written(tmp_path / name)) == Capture()


@pytest.mark.parametrize(
    "time_tag",
    ["1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2000-01-01T00:03:12Z",
     "2040-02-06T06:28:15Z", "yesterday"],
)  # fmt: skip
def test_a_clock_that_was_never_set_says_nothing(tmp_path: Path, time_tag: str) -> None:
    path = written(tmp_path / "a.mkv", DATE_RECORDED=time_tag)
    assert captured(path) == Capture()


def test_gopro_writes_local_time_where_the_format_asks_for_utc(tmp_path: Path) -> None:
    path = written(
        tmp_path / "GX01.mp4", firmware="GoPro H22", creation_time="2024-06-01T12:34:56Z"
    )
    assert captured(path) == Capture(JUNE, "creation time")


def test_the_make_is_not_said_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", make="Canon", model="Canon EOS R5")
    assert captured(path).camera == "Canon EOS R5"
