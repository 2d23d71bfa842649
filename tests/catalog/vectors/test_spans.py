"""The clips that lie in stretches of videos. A clip lasts 8 s, and one begins every 4 s."""

import pytest
from sqlalchemy import insert, select

from catalog.database.tables import TAGS
from catalog.vectors.spans import clip_ids_in


@pytest.fixture
def within(database):
    """The ids of the clips in stretches (video, start, end), which are stored as tags."""

    def ask(*spans: tuple[int, float, float]) -> list[int]:
        with database.writing() as connection:
            for video, start, end in spans:
                row = {"name": "x", "confidence": "likely", "score": 0.5}
                connection.execute(insert(TAGS).values(video_id=video, start=start, end=end, **row))
            query = select(TAGS.c.video_id, TAGS.c.start, TAGS.c.end)
            return clip_ids_in(connection, query).tolist()

    return ask


@pytest.mark.parametrize(
    ("span", "ids"),
    [
        ((0.0, 8.0), [1, 2]),  # all of the first clip, half of the second
        ((0.0, 7.9), [1]),
        ((4.1, 8.1), [1, 2]),  # shorter than a clip
        ((10.0, 11.0), [2, 3]),
        ((7.5, 8.5), [1, 2, 3]),  # half of it in each
        ((0.0, 24.0), [1, 2, 3, 4, 5]),
        ((20.0, 99.0), [5]),
        ((9.0, 9.0), [2, 3]),  # an instant
        ((99.0, 100.0), []),
    ],
)
def test_half_of_the_shorter_one_has_to_lie_in_both(shelf, within, span, ids):
    shelf.add("a.mp4", clips=5, seed=0)
    assert within((1, *span)) == ids


def test_stretches_of_several_videos_and_each_clip_once(shelf, within):
    shelf.add("a.mp4", clips=3, seed=0)
    shelf.add("b.mp4", clips=3, seed=1)
    shelf.add("c.mp4", clips=3, seed=2)
    assert within((2, 0.0, 8.0), (1, 8.0, 16.0), (2, 1.0, 9.0)) == [2, 3, 4, 5]


def test_without_stretches_there_are_no_clips(shelf, within):
    shelf.add("a.mp4", clips=3, seed=0)
    assert within() == []


def test_times_are_read_without_vectors(shelf, folder, database):
    shelf.add("a.mp4", clips=3, seed=0)
    with database.reading() as connection:
        plans = []
        raw = connection.connection.driver_connection
        raw.set_trace_callback(plans.append)
        clip_ids_in(connection, select(TAGS.c.video_id, TAGS.c.start, TAGS.c.end))
        raw.set_trace_callback(None)
        rows = raw.execute(f"EXPLAIN QUERY PLAN {plans[-1]}").fetchall()
    assert any("clips USING COVERING INDEX ix_clips_times" in row[3] for row in rows), rows
