"""The clip ids of videos at matching paths, also after the catalog has changed."""

import numpy as np
import pytest

from catalog.database.database import open_database
from catalog.vectors.path_filter import PathFilter


@pytest.fixture
def matching(folder):
    """The clip ids that match a glob in the present catalog, by one filter for all calls."""
    path_filter = PathFilter()
    generations = iter(range(100))

    def ask(glob):
        database = open_database(folder, create=False)
        with database.reading() as connection:
            found = path_filter.clip_ids(connection, glob, generation=next(generations))
        database.close()
        return sorted(set(found.tolist()))

    return ask


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


def test_clips_between_those_of_another_video_are_not_mixed_up(shelf, execute, folder, matching):
    shelf.add("a/0.mp4", clips=5, seed=0)
    shelf.add("b/1.mp4", clips=5, seed=1)
    execute(
        folder, "UPDATE clips SET video_id = 2 WHERE id IN (2, 3); DELETE FROM clips WHERE id = 7"
    )
    assert matching("a") == [1, 4, 5]
    assert matching("b") == [2, 3, 6, 8, 9, 10]


def test_a_generation_is_read_once(shelf, execute, folder):
    shelf.add("a/0.mp4", clips=3, seed=0)
    path_filter = PathFilter()
    database = open_database(folder, create=False)
    for glob, found in (("a", [1, 2, 3]), ("b", [])):
        with database.reading() as connection:
            ids = path_filter.clip_ids(connection, glob, generation=1)
        assert np.array_equal(ids, found)
        execute(folder, "UPDATE files SET relative_path = 'b/0.mp4'")
    database.close()
