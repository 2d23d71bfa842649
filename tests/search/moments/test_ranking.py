"""Merging clips into moments: worked examples, then properties of any pool."""

from itertools import combinations
from pathlib import Path
from statistics import median

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog import ClipMatch
from search import merge_into_moments
from search.moments.ranking import good_enough

WINDOW, STRIDE, DURATION = 8.0, 4.0, 64.0


def clip(start, score, *, video=1, clip_id=None, end=None):
    return ClipMatch(
        clip_id=int(video * 1000 + start * 10) if clip_id is None else clip_id,
        video_id=video,
        score=score,
        start=start,
        end=start + WINDOW if end is None else end,
        duration=DURATION,
        paths=(Path(f"/films/{video}.mp4"),),
        other_paths=(),
    )


def spans(moments):
    return [(moment.best.video_id, moment.start, moment.end) for moment in moments]


BACKGROUND = [clip(0.0, 0.1, video=video) for video in range(50, 60)]  # the median is theirs


def best_of(*clips):
    found = merge_into_moments([*clips, *BACKGROUND])
    return [span for span in spans(found) if span[0] < 50]


def test_a_neighbour_that_is_nearly_as_good_extends_the_moment():
    assert best_of(clip(4.0, 0.9), clip(8.0, 0.8)) == [(1, 4.0, 16.0)]


def test_a_much_weaker_neighbour_is_absorbed():
    assert best_of(clip(4.0, 0.9), clip(8.0, 0.4)) == [(1, 4.0, 12.0)]


def test_a_neighbour_extends_from_four_fifths_of_the_way_up_from_the_median():
    assert best_of(clip(4.0, 0.9), clip(8.0, 0.75)) == [(1, 4.0, 16.0)]
    assert best_of(clip(4.0, 0.9), clip(8.0, 0.73)) == [(1, 4.0, 12.0)]


def test_clips_of_another_video_are_never_merged():
    assert best_of(clip(4.0, 0.9), clip(4.0, 0.8, video=2)) == [(1, 4.0, 12.0), (2, 4.0, 12.0)]


def test_clips_that_only_touch_stay_apart():
    assert best_of(clip(0.0, 0.9), clip(8.0, 0.8)) == [(1, 0.0, 8.0), (1, 8.0, 16.0)]


def test_a_clip_between_two_moments_joins_them():
    assert best_of(clip(0.0, 0.9), clip(8.0, 0.85), clip(4.0, 0.8)) == [(1, 0.0, 16.0)]


def test_a_weak_clip_that_shares_less_than_half_is_a_moment_of_its_own():
    assert best_of(clip(0.0, 0.9), clip(6.0, 0.3)) == [(1, 0.0, 8.0), (1, 6.0, 14.0)]


def test_a_good_stretch_between_weak_ones_is_one_moment_of_its_own_length():
    scores = [0.1, 0.1, 0.8, 0.9, 0.85, 0.12, 0.1]
    found = best_of(*(clip(STRIDE * n, score) for n, score in enumerate(scores)))
    assert found[0] == (1, 8.0, 24.0)


def test_equal_scores_are_ordered_by_path_then_start():
    pool = [clip(0.0, 0.5, video=2), clip(40.0, 0.5), clip(8.0, 0.5)]
    assert spans(merge_into_moments(pool)) == [(1, 8.0, 16.0), (1, 40.0, 48.0), (2, 0.0, 8.0)]


def test_an_empty_pool_has_no_moments():
    assert merge_into_moments([]) == ()


scores = st.integers(min_value=-20, max_value=20).map(lambda n: n / 16)  # ties happen
planned = st.builds(
    lambda video, n, score: clip(STRIDE * n, score, video=video),
    st.integers(1, 3),
    st.integers(0, 14),
    scores,
)
pools = st.lists(planned, max_size=40, unique_by=lambda found: found.clip_id)
any_span = st.builds(
    lambda start, length, score, number: clip(start, score, clip_id=number, end=start + length),
    st.integers(0, 40).map(float),
    st.integers(0, 24).map(float),
    scores,
    st.integers(1, 10_000),
)
any_pools = st.lists(any_span, max_size=30, unique_by=lambda found: found.clip_id)


@given(any_pools, st.randoms())
def test_the_order_of_the_pool_changes_nothing(pool, random):
    shuffled = list(pool)
    random.shuffle(shuffled)
    assert merge_into_moments(shuffled) == merge_into_moments(pool)


@given(any_pools)
def test_moments_come_best_first(pool):
    found = [moment.best.score for moment in merge_into_moments(pool)]
    assert found == sorted(found, reverse=True)


@given(any_pools)
def test_the_best_clip_of_all_is_first_and_every_moment_contains_its_best_clip(pool):
    moments = merge_into_moments(pool)
    assert bool(moments) == bool(pool)
    if pool:
        assert moments[0].best.score == max(found.score for found in pool)
    for moment in moments:
        assert moment.start <= moment.best.start <= moment.best.end <= moment.end


@given(any_pools)
def test_a_moment_begins_and_ends_where_clips_of_its_video_do(pool):
    for moment in merge_into_moments(pool):
        own = [found for found in pool if found.video_id == moment.best.video_id]
        assert moment.start in {found.start for found in own}
        assert moment.end in {found.end for found in own}


def test_the_best_moments_stay_the_same_with_a_larger_limit():
    drawn = np.random.default_rng(0).normal(size=(40, 60))
    smooth = 0.3 + 0.05 * np.apply_along_axis(np.convolve, 1, drawn, np.full(4, 0.25), "same")
    films = [
        clip(STRIDE * number, float(score), video=video)
        for video, scores_of_film in enumerate(smooth)
        for number, score in enumerate(scores_of_film)
    ]
    pool = sorted(films, key=lambda found: -found.score)
    best = merge_into_moments(pool[:256])[:10]
    assert merge_into_moments(pool[:800])[:10] == best
    assert merge_into_moments(pool)[:10] == best


@given(pools)
def test_every_moment_is_within_its_video(pool):
    for moment in merge_into_moments(pool):
        assert 0.0 <= moment.start < moment.end <= moment.best.duration


@given(pools)
def test_every_second_of_a_moment_is_covered_by_clips_that_are_good_enough(pool):
    moments = merge_into_moments(pool)
    typical = median([found.score for found in pool]) if pool else 0.0
    for moment in moments:
        good = [
            found
            for found in pool
            if found.video_id == moment.best.video_id
            and moment.start <= found.start
            and found.end <= moment.end
            and found.score
            >= min(moment.best.score, good_enough(moment.best.score, typical=typical))
        ]
        assert _without_gaps(good) == [(moment.start, moment.end)]


@given(pools)
def test_moments_of_a_video_whose_clips_overlap_by_half_are_disjoint(pool):
    for one, other in combinations(merge_into_moments(pool), 2):
        if one.best.video_id == other.best.video_id:
            assert one.end <= other.start or other.end <= one.start


@given(st.lists(st.tuples(st.integers(0, 30), scores), max_size=30, unique_by=lambda pair: pair[0]))
def test_the_best_clip_of_a_moment_lies_less_than_half_in_a_better_one(starts):
    moments = merge_into_moments([clip(float(start), score) for start, score in starts])
    for better, worse in combinations(moments, 2):
        shared = min(better.end, worse.best.end) - max(better.start, worse.best.start)
        assert shared < WINDOW / 2


def _without_gaps(clips: list[ClipMatch]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in sorted((found.start, found.end) for found in clips):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
