"""Nearest clips: exact, ordered, filtered before the search."""

from pathlib import Path

import numpy as np
import pytest

from catalog import (
    Catalog,
    CatalogDamagedError,
    ClipSpan,
    FileLocation,
    InvalidVectorError,
    Provenance,
    VideoFilter,
    VideoRecord,
)
from catalog.vectors.faiss_shards import Float16

FILMS = Path("/films")

SHARD_ROWS = {Float16: 7}
pytestmark = pytest.mark.usefixtures("spread")


@pytest.fixture
def filled(shelf):
    for n in range(12):
        shelf.add(f"{'odd' if n % 2 else 'even'}/{n}.mp4", clips=5, seed=n)
    return shelf


def scores(matches):
    return [match.score for match in matches]


@pytest.mark.parametrize("limit", [1, 7, 60, 1000])
def test_the_best_cosines_are_found_exactly(filled, catalog, query, limit):
    found = catalog.nearest_clips(query, limit=limit)
    assert scores(found) == pytest.approx(filled.expected(query, limit=limit), abs=2e-3)
    assert len({match.clip_id for match in found}) == len(found)


def test_a_clip_finds_itself(filled, catalog):
    for video_id, vectors in filled.vectors.items():
        for n, vector in enumerate(vectors):
            best = catalog.nearest_clips(vector, limit=1)[0]
            assert (best.video_id, best.start, best.end) == (video_id, 4.0 * n, 4.0 * n + 8.0)
            assert best.duration == 24.0
            assert 0.998 < best.score <= 1.0


def test_a_clip_of_a_video_that_no_file_holds_is_damage(filled, catalog, query, execute):
    clip = catalog.nearest_clips(query, limit=1)[0]
    execute(catalog.address, f"DELETE FROM files WHERE video_id = {clip.video_id}")
    with pytest.raises(
        CatalogDamagedError, match=rf"no file holds .* clip {clip.clip_id}; .*verify"
    ):
        catalog.nearest_clips(query, limit=1)


def test_a_glob_filters_before_the_scan(filled, catalog, query):
    odd = {video for video in filled.vectors if "odd" in str(path_of(catalog, video))}
    found = catalog.nearest_clips(query, limit=25, videos=VideoFilter(inside=("odd",)))
    assert len(found) == 25
    assert {match.video_id for match in found} <= odd
    assert scores(found) == pytest.approx(filled.expected(query, limit=25, videos=odd), abs=2e-3)


def path_of(catalog, video_id):
    known = catalog.known_files([FILMS])
    return next(Path(path) for path, state in known.items() if state.video_id == video_id)


def test_a_glob_that_matches_nothing_finds_nothing(filled, catalog, query):
    assert catalog.nearest_clips(query, limit=5, videos=VideoFilter(inside=("*.avi",))) == []


def test_copies_that_match_the_glob_are_apart_from_the_others(filled, catalog, query):
    video = catalog.nearest_clips(query, limit=1)[0].video_id
    first = path_of(catalog, video)
    catalog.add_locations({filled.location("zz/copy.mp4"): video})
    match = catalog.nearest_clips(query, limit=1, videos=VideoFilter(inside=("zz",)))[0]
    assert (match.paths, match.other_paths) == ((FILMS / "zz/copy.mp4",), (first,))
    assert catalog.nearest_clips(query, limit=1)[0].path == first


def test_equal_clips_come_in_the_order_of_their_ids(catalog):
    same = np.tile(np.eye(16, dtype=np.float32)[0], (40, 1))
    for n in range(3):
        catalog.add_video(
            VideoRecord(str(n), 8.0, 8, 8, 25.0, "h264", "mp4"),
            location=FileLocation(FILMS, FILMS / f"{n}.mp4", 1, 1),
            clips=[ClipSpan(0.0, 8.0)] * 40,
            vectors=same,
        )
    for limit in (1, 5, 40, 100):
        found = [match.clip_id for match in catalog.nearest_clips(same[0], limit=limit)]
        assert found == list(range(1, limit + 1))
    assert [
        m.clip_id
        for m in catalog.nearest_clips(same[0], limit=2, videos=VideoFilter(inside=("2.mp4",)))
    ] == [
        81,
        82,
    ]


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        (np.eye(8, dtype=np.float32)[0], "16 numbers"),
        (np.zeros(16, dtype=np.float32), "length 0"),
        (np.full(16, np.nan, dtype=np.float32), "NaN"),
    ],
)
def test_a_query_without_unit_length_is_refused(filled, catalog, vector, said):
    with pytest.raises(InvalidVectorError, match=said):
        catalog.nearest_clips(vector, limit=1)


def test_a_limit_below_one_is_refused(filled, catalog, query):
    with pytest.raises(ValueError, match="limit is 0"):
        catalog.nearest_clips(query, limit=0)


def test_ids_are_never_used_twice(shelf, catalog, query):
    shelf.add("a.mp4", clips=4, seed=1)
    last = max(match.clip_id for match in catalog.nearest_clips(query, limit=10))
    catalog.remove_files([FILMS / "a.mp4"])
    shelf.add("a.mp4", clips=4, seed=1)
    assert min(match.clip_id for match in catalog.nearest_clips(query, limit=10)) > last


def test_more_files_than_one_statement_can_name_are_filtered_and_forgotten(new_address):
    with Catalog.open(new_address("many"), create=True) as catalog:
        catalog.bind(Provenance("demo", None, "ab" * 32, 4, 8, 8.0, 4.0))
        paths = [FILMS / f"{n}.mp4" for n in range(35_000)]
        catalog.add_video(
            VideoRecord("one", 8.0, 8, 8, 25.0, "h264", "mp4"),
            location=FileLocation(FILMS, FILMS / "0.mp4", 1, 1),
            clips=[ClipSpan(0.0, 8.0)],
            vectors=np.eye(4, dtype=np.float32)[:1],
        )
        assert list(catalog.known_files(paths)) == ["/films/0.mp4"]
        assert catalog.remove_files(paths) == 1


QUESTIONS = """
import sys
from pathlib import Path
import numpy as np
from catalog import Catalog, VideoFilter

with Catalog.open(Path(sys.argv[1])) as catalog:
    query = np.eye(16, dtype=np.float32)[0]
    none = VideoFilter(inside=("*.avi",))
    print(len(catalog.nearest_clips(query, limit=5, videos=none)), "faiss" in sys.modules)
    for _ in range(2):
        print(len(catalog.nearest_clips(query, limit=5)), "faiss" in sys.modules)
"""


def test_faiss_is_imported_only_when_there_are_clips_to_scan(filled, folder, tmp_path, run_program):
    empty = tmp_path / "empty"
    with Catalog.open(empty, create=True) as catalog:
        catalog.bind(Provenance("demo", None, "ab" * 32, 16, 8, 8.0, 4.0))
    assert run_program(QUESTIONS, folder=empty) == "0 False\n" * 3
    assert run_program(QUESTIONS, folder=folder) == "0 False\n5 False\n5 True\n"
