"""Clip planning: what must hold for any video, window and stride."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog import ClipSpan
from indexer.decode.plan import (
    MAXIMUM_CLIPS,
    TOLERANCE,
    FrameSchedule,
    Sampling,
    plan_clips,
    sample_times,
)
from indexer.errors import SettingsError, UnreadableVideoError

rates = st.sampled_from([1, 12.5, 24000 / 1001, 25, 30000 / 1001, 60000 / 1001, 1000])
durations = st.one_of(
    st.floats(0, 20_000),
    st.builds(lambda frames, rate: frames / rate, st.integers(0, 20_000), rates),
    st.integers(0, 20_000_000).map(lambda ticks: ticks / 1000),
)
lengths = st.one_of(
    st.sampled_from([0.1, 0.3, 1.1, 4.0, 8.0, 8.008, 1 / 3, 29.97]), st.floats(0.05, 100)
)


def spans_of(duration: float, window: float, stride: float) -> tuple[ClipSpan, ...]:
    assume(duration / stride < 20_000)
    return plan_clips(duration, window=window, stride=stride)


@given(duration=durations, window=lengths, stride=lengths)
def test_clips_begin_at_the_start_end_with_the_video_and_stay_inside_it(duration, window, stride):
    spans = spans_of(duration, window, stride)
    assert spans[0].start == 0
    assert spans[-1].end == duration
    assert all(0 <= span.start <= span.end <= duration for span in spans)


@given(duration=durations, window=lengths, stride=lengths)
def test_starts_and_ends_ascend_strictly(duration, window, stride):
    for before, after in pairwise(spans_of(duration, window, stride)):
        assert before.start < after.start
        assert before.end < after.end


@given(duration=durations, window=lengths, stride=lengths)
def test_there_is_no_gap_unless_the_stride_is_longer_than_the_window(duration, window, stride):
    window, stride = max(window, stride), min(window, stride)
    for before, after in pairwise(spans_of(duration, window, stride)):
        assert after.start <= before.end + 1e-9 * duration


@given(duration=durations, window=lengths, stride=lengths)
def test_every_clip_but_the_last_starts_at_its_multiple_of_the_stride(duration, window, stride):
    spans = spans_of(duration, window, stride)
    assert [span.start for span in spans[:-1]] == [n * stride for n in range(len(spans) - 1)]


@given(duration=durations, window=lengths, stride=lengths)
def test_clips_are_one_window_long_when_the_video_is(duration, window, stride):
    assume(duration > window)
    for span in spans_of(duration, window, stride):
        assert math.isclose(span.end - span.start, window, abs_tol=1.01 * TOLERANCE)


@given(duration=durations, window=lengths, stride=lengths)
def test_every_window_that_fits_is_there_and_at_most_one_more(duration, window, stride):
    assume(duration > window + 2 * TOLERANCE)
    spans = spans_of(duration, window, stride)
    surely = math.floor((duration - window) / stride * (1 - 1e-12)) + 1
    assert surely <= len(spans) <= math.floor((duration - window + 2 * TOLERANCE) / stride) + 2


@given(duration=st.floats(0, 8))
def test_a_video_shorter_than_a_window_is_one_clip(duration):
    assert plan_clips(duration, window=8.0, stride=4.0) == (ClipSpan(0.0, duration),)


@pytest.mark.parametrize("duration", [8.0, 8.0005, 240 * 1001 / 30000 - 0.008])
def test_a_video_of_one_window_is_one_clip_whatever_its_clock_rounds_to(duration):
    assert plan_clips(duration, window=8.0, stride=4.0) == (ClipSpan(0.0, duration),)


def test_the_tail_gets_a_clip_that_ends_with_the_video():
    spans = plan_clips(18.5, window=8.0, stride=4.0)
    assert [(s.start, s.end) for s in spans] == [(0, 8), (4, 12), (8, 16), (10.5, 18.5)]


def test_a_last_window_that_ends_with_the_video_gets_no_second_one():
    spans = plan_clips(16.0, window=8.0, stride=4.0)
    assert [(s.start, s.end) for s in spans] == [(0, 8), (4, 12), (8, 16)]


def test_rounding_errors_do_not_add_up_over_a_long_video():
    spans = plan_clips(7200.0, window=0.3, stride=0.1)
    assert spans[60_000].start == pytest.approx(6000.0, abs=1e-9)


@pytest.mark.parametrize("duration", [math.nan, math.inf, -1.0])
def test_timestamps_that_make_no_duration_are_the_videos_fault(duration):
    with pytest.raises(UnreadableVideoError, match="no duration"):
        plan_clips(duration, window=8.0, stride=4.0)


def test_a_video_that_claims_a_century_is_refused_before_memory_is_spent_on_it():
    with pytest.raises(UnreadableVideoError, match="876000 hours"):
        plan_clips(3600.0 * 876_000, window=8.0, stride=4.0)
    assert len(plan_clips(4.0 * MAXIMUM_CLIPS, window=8.0, stride=4.0)) == MAXIMUM_CLIPS - 1


@pytest.mark.parametrize("bad", [0.0, -4.0, math.nan, math.inf, 0.001])
def test_a_window_or_stride_that_makes_no_sense_is_refused_by_name(bad):
    with pytest.raises(SettingsError, match="window"):
        plan_clips(10.0, window=bad, stride=4.0)
    with pytest.raises(SettingsError, match="stride"):
        plan_clips(10.0, window=8.0, stride=bad)


@given(start=st.floats(0, 10_000), length=st.floats(0.01, 100), frames=st.integers(1, 32))
def test_sample_times_are_the_middles_of_equal_segments(start, length, frames):
    times = sample_times(ClipSpan(start, start + length), frames=frames)
    assert len(times) == frames
    assert start < times[0] <= times[-1] < start + length
    for index, time in enumerate(times):
        assert time == pytest.approx(start + length * (2 * index + 1) / (2 * frames), abs=1e-6)


def test_a_video_without_length_is_looked_at_where_it_is():
    assert sample_times(ClipSpan(0.0, 0.0), frames=8) == (0.0,) * 8


@given(
    duration=st.floats(0, 200),
    window=st.floats(0.5, 20),
    stride=st.floats(0.5, 20),
    frames=st.integers(1, 16),
)
def test_a_schedule_gives_every_clip_the_frames_of_its_own_sample_times(
    duration, window, stride, frames
):
    spans = plan_clips(duration, window=window, stride=stride)
    schedule = FrameSchedule(spans, frames=frames)
    shown: dict[int, list[float]] = {clip: [] for clip in range(len(spans))}
    for time, clips in zip(schedule.times, schedule.clips(), strict=True):
        assert clips
        for clip in clips:
            shown[clip].append(time)
    for clip, span in enumerate(spans):
        assert shown[clip] == pytest.approx(sample_times(span, frames=frames), abs=1e-6)


@given(start=st.integers(0, 9000), gap=st.integers(0, 400), duration=st.floats(0, 900))
def test_a_video_whose_pictures_begin_late_is_cut_as_if_they_did_not_but_later(
    start, gap, duration
):
    gaps = [(float(gap), gap + 100.0)]
    spans = plan_clips(duration, window=8.0, stride=4.0, gaps=gaps)
    late = plan_clips(
        start + duration,
        start=float(start),
        window=8.0,
        stride=4.0,
        gaps=[(begin + start, end + start) for begin, end in gaps],
    )
    assert [span.start for span in late] == pytest.approx([span.start + start for span in spans])
    assert [span.end for span in late] == pytest.approx([span.end + start for span in spans])
    assert (late[0].start, late[-1].end) == (start, start + duration)


@given(duration=st.floats(0, 200), stride=st.sampled_from([0.5, 1.0, 2.0, 4.0]))
def test_scheduled_sample_times_ascend_and_none_is_there_twice(duration, stride):
    spans = plan_clips(duration, window=8.0, stride=stride)
    times = FrameSchedule(spans, frames=8).times
    assert all(before < after for before, after in pairwise(times))


def test_overlapping_clips_share_the_sample_times_that_they_have_in_common():
    spans = plan_clips(40.0, window=8.0, stride=4.0)
    assert len(spans) == 9
    assert FrameSchedule(spans, frames=8).times == [n + 0.5 for n in range(40)]


def test_the_distance_of_wanted_sample_times_is_that_within_a_clip():
    # Those of clips that overlap by half a second fall between each other.
    schedule = FrameSchedule(plan_clips(30.0, window=8.0, stride=3.5), frames=8)
    assert schedule.distance == 1.0
    assert FrameSchedule(plan_clips(2.0, window=8.0, stride=4.0), frames=8).distance == 0.25


def test_sampling_tells_how_far_a_frame_may_be_from_its_sample_time():
    ways = [Sampling(name).tolerance(distance=1.0) for name in ("exact", "auto", "keyframes")]
    assert ways == [0.0, 0.25, math.inf]
