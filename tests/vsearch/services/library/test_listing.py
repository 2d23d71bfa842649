"""Listing of videos on a real catalog of films that never were."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from catalog import (
    Catalog,
    ClipSpan,
    FileLocation,
    Provenance,
    SubtitleFile,
    Tag,
    UnknownPathError,
    VideoRecord,
)
from vsearch.errors import UnknownVideoError
from vsearch.services.library.listing import describe_video, list_videos
from vsearch.show.videos import described_json, videos_json

MADE_BY = Provenance("demo", None, "0" * 64, 4, 8, 8.0, 4.0)


def put(catalog: Catalog, path: Path, *, content: str, root: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"film")
    return catalog.add_video(
        VideoRecord(content, 12.0, 64, 48, 10.0, "h264", "mp4", camera="Box"),
        location=FileLocation(root, path, 4, path.stat().st_mtime_ns),
        clips=[ClipSpan(0.0, 8.0), ClipSpan(4.0, 12.0)],
        vectors=np.eye(2, 4, dtype=np.float32),
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "films"


@pytest.fixture
def catalog(tmp_path: Path, root: Path) -> Iterator[Catalog]:
    """Five videos, the third also in `old`, where the last one is."""
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        catalog.bind(MADE_BY)
        for name in ("e.mp4", "d.mp4", "c.mp4", "b.mp4", "old/a.mp4"):
            put(catalog, root / name, content=name, root=root)
        put(catalog, root / "old" / "c again.mp4", content="c.mp4", root=root)
        yield catalog


def test_pages_hold_every_video_once_whatever_changes_between_them(
    catalog: Catalog, root: Path
) -> None:
    first = videos_json(list_videos(catalog, limit=2))
    assert [Path(one["path"]).name for one in first["videos"]] == ["e.mp4", "d.mp4"]
    catalog.remove_files([root / "d.mp4", root / "b.mp4"])
    put(catalog, root / "new.mp4", content="new.mp4", root=root)
    second = videos_json(list_videos(catalog, after=first["cursor"], limit=2))
    assert [Path(one["path"]).name for one in second["videos"]] == ["c.mp4", "a.mp4"]
    last = videos_json(list_videos(catalog, after=second["cursor"], limit=2))
    assert [Path(one["path"]).name for one in last["videos"]] == ["new.mp4"]
    assert last["cursor"] is None
    assert second["videos"][0] == {
        "video_id": 3,
        "path": str(root / "c.mp4"),
        "also": [str(root / "old" / "c again.mp4")],
        "duration": 12.0,
        "captured": None,
        "clips": 2,
    }


def test_a_page_that_is_just_full_is_the_last(catalog: Catalog) -> None:
    assert list_videos(catalog, limit=5).after is None
    assert list_videos(catalog, limit=4).after == 4


def test_a_folder_has_the_videos_at_or_below_it(catalog: Catalog, root: Path) -> None:
    def ids(folder: Path, after: int = 0, limit: int = 9) -> list[int]:
        page = list_videos(catalog, folder=folder, after=after, limit=limit)
        return [video.video_id for video in page.videos]

    assert ids(root / "old") == [3, 5]
    assert ids(root / "old", after=3) == [5]
    assert ids(root / "old", after=5) == []
    assert ids(root / "b.mp4") == [4]
    (root.parent / "link").symlink_to(root / "old")
    assert ids(root.parent / "link", limit=1) == [3]
    with pytest.raises(UnknownPathError, match=r"nothing is known at or below .*ol; give a folder"):
        ids(root / "ol")


def test_a_video_is_told_with_the_state_of_its_files(catalog: Catalog, root: Path) -> None:
    (root / "c.mp4").unlink()
    beside = root / "old" / "c again.srt"
    failed = SubtitleFile(beside, 3, 1, (root / "old" / "c again.mp4",), error="no subtitles")
    catalog.details.put_subtitle_files([failed])
    catalog.tags.replace(["dog"], [Tag("dog", 3, 0.0, 4.0, "strong", 0.5)])
    told = described_json(describe_video(catalog, 3))
    assert told["files"] == [
        {"path": str(root / "c.mp4"), "bytes": 4, "state": "gone"},
        {"path": str(root / "old" / "c again.mp4"), "bytes": 4, "state": "there"},
    ]
    assert told["failed_subtitles"] == [{"path": str(beside), "error": "no subtitles"}]
    assert (told["tags"], told["clips"], told["camera"], told["damage"]) == (
        ["dog"],
        2,
        "Box",
        None,
    )
    (root / "old" / "c again.mp4").write_bytes(b"another film")
    assert describe_video(catalog, 3).files[1].state == "changed"


def test_an_id_without_a_video_is_refused(catalog: Catalog) -> None:
    for unknown in (0, 99, 2**80):
        with pytest.raises(UnknownVideoError, match=f"no video {unknown}; the list of videos"):
            describe_video(catalog, unknown)
