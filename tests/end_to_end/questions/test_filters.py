"""Questions to some videos only: by path, capture time, size and camera, as a user gives them."""

import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

YEAR_2020 = 1_590_000_000


def film(path: Path, *, size: tuple[int, int], seconds: int, seed: int, **tags: str) -> None:
    """A video with tags; its file says that it is of 2020."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = np.random.default_rng(seed)
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags)
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(4 * seconds):
            pixels = drawn.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    os.utime(path, (YEAR_2020, YEAR_2020))


@pytest.fixture
def library(vsearch: Any, tmp_path: Path, model: Path) -> Path:
    """Three videos: of 2024 by an iPhone, of 2025 by a Canon, and of 2020 as only the file says."""
    folder = tmp_path / "films"
    film(
        folder / "trip" / "a.mov", size=(64, 48), seconds=9, seed=1, make="Apple",
        model="iPhone 15", creation_time="2024-06-01T10:00:00Z",
    )  # fmt: skip
    film(
        folder / "trip" / "b.mov", size=(48, 96), seconds=17, seed=2, make="Canon",
        model="Canon EOS R5", creation_time="2025-03-01T10:00:00Z",
    )  # fmt: skip
    film(folder / "c.mov", size=(48, 48), seconds=9, seed=3)
    assert vsearch("index", folder, "--model", model).code == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), "abc"),
        (("--in", "trip"), "ab"),
        (("--in", "a.mov", "--in", "c.mov"), "ac"),
        (("--in", "!trip"), "c"),
        (("--in", "*.mov", "--in", "!b.mov"), "ac"),
        (("--after", "2024"), "ab"),
        (("--after", "2024", "--before", "2025"), "a"),
        (("--before", "2024-06-01"), "c"),
        (("--min-duration", "10"), "b"),
        (("--max-duration", "10"), "ac"),
        (("--min-height", "96"), "b"),
        (("--orientation", "landscape"), "a"),
        (("--orientation", "portrait"), "b"),
        (("--orientation", "square"), "c"),
        (("--camera", "eos"), "b"),
        (("--camera", "iphone 15"), "a"),
        (("--in", "trip", "--camera", "nikon"), ""),
    ],
)
def test_only_moments_of_videos_that_meet_the_filters(
    vsearch: Any, library: Path, arguments: tuple[str, ...], names: str
) -> None:
    result = vsearch("query", "a film", "--all", "--json", "-k", "50", *arguments)
    assert result.code == 0
    assert {Path(hit["path"]).stem for hit in result.json["hits"]} == set(names)
    if not names:
        assert "no indexed video meets the filters" in result.err


def test_the_result_says_what_was_asked_and_when_each_video_was_recorded(
    vsearch: Any, library: Path
) -> None:
    given = ("--in", "*.mov", "--in", "!b.mov", "--before", "2026", "--min-height", "48")
    result = vsearch("query", "a film", "--all", "--json", "-k", "50", *given).json
    assert result["asked"]["filters"] | {"before": ""} == {
        "inside": ["*.mov"], "outside": ["b.mov"], "before": "", "min_height": 48,
    }  # fmt: skip
    assert result["asked"]["filters"]["before"].startswith("2026-01-01T00:00:00")
    told = {
        Path(hit["path"]).stem: (hit["captured"][:4], hit["captured_from"])
        for hit in result["hits"]
    }
    assert told == {"a": ("2024", "creation time"), "c": ("2020", "file time")}
    assert vsearch("query", "a film", "--json").json["asked"]["filters"] == {}


def test_as_many_moments_come_as_were_asked_for_whatever_is_left_out(
    vsearch: Any, library: Path
) -> None:
    for _ in range(2):  # the first time without the index
        result = vsearch("query", "a film", "--all", "--json", "-k", "1", "--camera", "eos").json
        assert [Path(hit["path"]).stem for hit in result["hits"]] == ["b"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--after", "soon"), "is no date; give one such as 2024"),
        (("--after", "2025", "--before", "2024"), "no time is both after 2025-01-01"),
        (("--min-duration", "9", "--max-duration", "3"), "no video is both longer than 9 s"),
        (("--min-height", "0"), "from 1 to 100,000"),
        (("--orientation", "round"), "landscape, portrait or square"),
        (("--camera", " "), "empty"),
        (("--in", "!"), "empty"),
    ],
)
def test_filters_that_mean_nothing_are_wrong_usage(
    vsearch: Any, arguments: tuple[str, ...], words: str
) -> None:
    run = vsearch("query", "a film", *arguments)
    assert (run.code, run.out) == (2, "")
    assert words in run.err


def test_part_of_a_name_gets_a_hint(vsearch: Any, library: Path) -> None:
    run = vsearch("query", "a film", "--in", "tri")
    assert "for names that contain tri, give --in '*tri*'" in run.err
