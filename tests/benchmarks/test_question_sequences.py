"""The pairs of events that are asked for one after the other."""

from benchmarks.answers.long_videos import plan_library
from benchmarks.questions.sequences import pairs_of


def test_pairs_are_neighbours_of_one_video_that_follow_each_other_in_time() -> None:
    library = plan_library(703, videos=3)
    pairs = pairs_of(library)
    assert pairs
    for video, (one, other) in pairs:
        assert video.of is None
        assert {one, other} <= set(video.events)
        assert one.end <= other.start <= one.end + 20
        between = [e for e in video.events if one.start < e.start < other.start and not e.second]
        assert not between
