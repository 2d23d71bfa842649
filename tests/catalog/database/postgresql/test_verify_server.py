"""A catalog on a server is checked and repaired as one in a folder is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog import Catalog, CatalogLockedError, Cue, SubtitleFile
from catalog.folder import SNAPSHOT_NAME
from catalog.verify import verify_catalog
from tests.catalog.conftest import ROOT, Shelf

ENGINES = ["postgresql"]


@pytest.fixture
def server(shelf, catalog):
    """The address of a catalog with ten videos, subtitles beside one of them, and a snapshot."""
    for n in range(10):
        shelf.add(f"{n}.mp4", clips=1 + n, seed=n, frames=True)
    cues = (Cue(0.0, 2.0, "hello world"), Cue(2.0, 4.0, "goodbye"))
    path = ROOT / "3.srt"
    catalog.details.put_subtitle_files([SubtitleFile(path, 1, 1, (ROOT / "3.mp4",), "en", cues)])
    assert len(catalog.details.cues_saying("hello", limit=9)) == 1
    catalog.save_snapshot()
    return catalog.address


def paths(address) -> set[str]:
    with Catalog.open(address) as catalog:
        query = np.eye(16, dtype=np.float32)[0]
        return {match.path.name for match in catalog.nearest_clips(query, limit=100)}


EVERY = {f"{n}.mp4" for n in range(10)}
HARM = {
    "a vector of another length": (
        "UPDATE clips SET vector = x'0000' WHERE video_id = 6",
        "videos have clips whose vectors",
        EVERY - {"5.mp4"},
    ),
    "a video in no file": (
        "DELETE FROM files WHERE video_id = 3",
        "1 videos are in no file",
        EVERY - {"2.mp4"},
    ),
    "clips without a video": (
        "DELETE FROM videos WHERE id = 4",
        "rows of table clips refer to rows that do not exist",
        EVERY - {"3.mp4"},
    ),
    "cues without subtitles": ("DELETE FROM subtitles", "rows of table cues refer", EVERY),
    "frames that are damaged": ("UPDATE frames SET vectors = x'00'", "frame vectors", EVERY),
}


@pytest.mark.parametrize("harm", HARM)
def test_wrong_rows_are_found_and_removed_alone(server, execute, harm):
    change, what, left = HARM[harm]
    assert verify_catalog(server).problems == ()
    execute(server, change)
    told = verify_catalog(server)
    assert any(what in problem.what for problem in told.problems), told
    assert not told.sound
    repaired = verify_catalog(server, repair=True)
    assert repaired.sound, repaired
    assert verify_catalog(server) == replace(repaired, problems=())
    assert paths(server) == left


def test_a_repair_waits_for_nobody_who_has_the_lock(server, catalog):
    with catalog.lock("vsearch index /films"):
        assert verify_catalog(server).problems == ()
        with pytest.raises(CatalogLockedError, match="`vsearch index /films`"):
            verify_catalog(server, repair=True)


def test_a_view_that_disagrees_with_the_rows_is_made_again(server, catalog, execute):
    execute(server, "UPDATE cues SET text = 'other words'")
    assert ["words of subtitles" in p.what for p in verify_catalog(server).problems] == [True]
    assert verify_catalog(server, repair=True).sound
    assert [match.text for match in catalog.details.cues_saying("words", limit=1)] == [
        "other words"
    ]
    (catalog.folder / SNAPSHOT_NAME).write_bytes(b"no snapshot")
    assert [p.what.startswith(SNAPSHOT_NAME) for p in verify_catalog(server).problems] == [True]
    assert verify_catalog(server, repair=True).sound
    assert verify_catalog(server).problems == ()


def test_a_view_of_another_state_is_not_believed(server, catalog, new_address, execute):
    """A backup brings generations back, with other rows: their uuids tell the views of them."""
    twin = new_address("twin")
    with Catalog.open(twin) as other:
        other.bind(catalog.provenance)
        Shelf(other).add("x.mp4", clips=4, seed=77)
        other.save_snapshot()
        snapshot = (other.folder / SNAPSHOT_NAME).read_bytes()
    (catalog.folder / SNAPSHOT_NAME).write_bytes(snapshot)
    assert paths(server) == EVERY
    execute(server, "UPDATE history SET uuid = 'restored'; UPDATE cues SET text = 'of a backup'")
    assert [m.text for m in catalog.details.cues_saying("backup", limit=9)] == ["of a backup"] * 2


def test_without_a_folder_for_views_questions_are_answered(server, tmp_path, query, catalog):
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    with Catalog.open(replace(server, views=nowhere / "views")) as without:
        assert [m.text for m in without.details.cues_saying("hello", limit=9)] == ["hello world"]
        expected = [match.clip_id for match in catalog.nearest_clips(query, limit=9)]
        assert [match.clip_id for match in without.nearest_clips(query, limit=9)] == expected
        assert without.status().snapshot_bytes == 0
    assert Path(nowhere).is_file()
