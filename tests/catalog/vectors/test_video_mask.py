"""The clip ids of videos that meet a filter, also after the catalog has changed."""

import numpy as np
import pytest

from catalog.vectors.video_mask import VideoMask
from catalog.video_filter import VideoFilter


@pytest.fixture
def meeting(database):
    """The clip ids that meet conditions in the present catalog, by one mask for all calls."""
    mask = VideoMask(database.cues)
    generations = iter(range(100))

    def ask(**conditions):
        with database.reading() as connection:
            found = mask.clip_ids(
                connection, VideoFilter(**conditions), generation=next(generations)
            )
        return sorted(set(found.tolist()))

    return ask


@pytest.fixture
def matching(meeting):
    return lambda glob: meeting(inside=(glob,))


def test_all_clips_of_the_videos_that_match_and_no_others(shelf, matching):
    for n in range(6):
        shelf.add(f"{'ab'[n % 2]}/{n}.mp4", clips=n + 1, seed=n)
    assert matching("a") == [1, 4, 5, 6, 11, 12, 13, 14, 15]
    assert matching("1.mp4") == [2, 3]
    assert matching("*.mp4") == list(range(1, 22))
    assert matching("c") == []


def test_a_video_in_two_files_matches_by_either(shelf, catalog, matching):
    video = shelf.add("a/0.mp4", clips=3, seed=0)
    shelf.add("a/1.mp4", clips=2, seed=1)
    catalog.add_locations({shelf.location("b/copy.mp4"): video})
    assert matching("b") == [1, 2, 3]
    assert matching("a") == [1, 2, 3, 4, 5]


def test_added_and_removed_videos_count(shelf, catalog, matching):
    assert matching("*") == []
    shelf.add("a/0.mp4", clips=3, seed=0)
    assert matching("a") == [1, 2, 3]
    catalog.remove_files([shelf.location("a/0.mp4").path])
    assert matching("a") == []
    shelf.add("a/1.mp4", clips=2, seed=1)
    catalog.record_failure(shelf.location("a/bad.mp4"), error="it is no video")
    assert matching("a") == [4, 5]


def test_clips_between_those_of_another_video_are_not_mixed_up(shelf, catalog, execute, matching):
    shelf.add("a/0.mp4", clips=5, seed=0)
    shelf.add("b/1.mp4", clips=5, seed=1)
    execute(
        catalog.address,
        "UPDATE clips SET video_id = 2 WHERE id IN (2, 3); DELETE FROM clips WHERE id = 7",
    )
    assert matching("a") == [1, 4, 5]
    assert matching("b") == [2, 3, 6, 8, 9, 10]


def test_a_generation_is_read_once(shelf, catalog, execute, database):
    shelf.add("a/0.mp4", clips=3, seed=0)
    mask = VideoMask(database.cues)
    for glob, found in (("a", [1, 2, 3]), ("b", [])):
        with database.reading() as connection:
            ids = mask.clip_ids(connection, VideoFilter(inside=(glob,)), generation=1)
        assert np.array_equal(ids, found)
        execute(catalog.address, "UPDATE files SET relative_path = 'b/0.mp4'")


def test_a_file_matches_one_glob_and_none_of_those_left_out(shelf, catalog, meeting):
    video = shelf.add("a/0.mp4", clips=1, seed=0)
    shelf.add("b/1.mkv", clips=1, seed=1)
    shelf.add("c/2.mp4", clips=1, seed=2)
    assert meeting(inside=("a", "*.mkv")) == [1, 2]
    assert meeting(outside=("*.mp4",)) == [2]
    assert meeting(inside=("*.mp4",), outside=("a",)) == [3]
    catalog.add_locations({shelf.location("c/copy.mp4"): video})
    assert meeting(inside=("*.mp4",), outside=("a",)) == [1, 3]


@pytest.fixture
def three(shelf, catalog, execute):
    """A landscape video of 2024, a portrait one of 2025, a square one of unknown time."""
    for n in range(3):
        shelf.add(f"{n}.mp4", clips=1, seed=n)
    for number, values in enumerate(
        (
            "1280, height = 720, duration = 60, captured = 1.7e9, camera = 'Apple iPhone 15'",
            "1080, height = 1920, duration = 600, captured = 1.74e9, camera = 'Canon EOS R5'",
            "480, height = 480, duration = 5, captured = NULL, camera = NULL",
        ),
        start=1,
    ):
        execute(catalog.address, f"UPDATE videos SET width = {values} WHERE id = {number}")
    execute(catalog.address, "UPDATE files SET mtime_ns = 1600000000000000000")


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ({}, [1, 2, 3]),
        ({"after": 1.7e9}, [1, 2]),
        ({"after": 1.7e9 + 1}, [2]),
        ({"before": 1.7e9}, [3]),
        ({"before": 1.7e9 + 1}, [1, 3]),
        ({"after": 1.65e9, "before": 1.72e9}, [1]),
        ({"min_duration": 60}, [1, 2]),
        ({"max_duration": 60}, [1, 3]),
        ({"min_height": 720}, [1, 2]),
        ({"orientation": "landscape"}, [1]),
        ({"orientation": "portrait"}, [2]),
        ({"orientation": "square"}, [3]),
        ({"camera": "iphone"}, [1]),
        ({"camera": "nikon"}, []),
        ({"inside": ("0.mp4", "1.mp4"), "orientation": "portrait"}, [2]),
    ],
)
def test_each_condition_and_the_file_time_where_no_other_is_known(three, meeting, conditions, ids):
    assert meeting(**conditions) == ids


def test_a_video_in_two_files_is_as_old_as_the_older(shelf, catalog, execute, meeting):
    video = shelf.add("a.mp4", clips=1, seed=0)
    catalog.add_locations({shelf.location("b.mp4"): video})
    execute(catalog.address, "UPDATE files SET mtime_ns = 1700000000000000000 + id * 1000000000")
    assert meeting(after=1.7e9 + 1, before=1.7e9 + 2) == [1]
