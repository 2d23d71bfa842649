"""The stretch of a curve around a clip: arithmetic on heights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.moments.curve import Curve, Stretch, stretch_around


def of_frames(heights, *, begin=0.0, end=None):
    """A frame each second, in its middle."""
    heights = np.array(heights, np.float32)
    times = begin + np.arange(len(heights)) + 0.5
    until = begin + len(heights) if end is None else end
    return Curve(times, heights, of_frames=True, begin=begin, end=until)


def of_clips(heights, *, duration=None):
    """Clips of 8 s every 4 s."""
    times = 4.0 * np.arange(len(heights)) + 4
    end = times[-1] + 4 if duration is None else duration
    return Curve(times, np.array(heights, np.float32), of_frames=False, begin=0.0, end=end)


def test_the_stretch_reaches_from_the_first_to_the_last_second_that_stands_out():
    heights = np.r_[np.zeros(13), np.full(9, 0.5), np.zeros(20)]
    heights[15] = 0.6
    assert stretch_around(of_frames(heights), start=12, end=20) == Stretch(13.0, 22.0, 15.5)


def test_a_short_dip_is_bridged_and_a_long_one_is_not():
    dip = [0.0] * 5 + [0.5] * 6 + [0.1] + [0.5] * 6 + [0.0] * 5
    assert stretch_around(of_frames(dip), start=4, end=12) == Stretch(5.0, 18.0, 5.5)
    gap = [0.0] * 5 + [0.5] * 6 + [0.0] * 12 + [0.5] * 6 + [0.0] * 5
    assert stretch_around(of_frames(gap), start=4, end=12) == Stretch(5.0, 11.0, 5.5)


def test_where_all_of_the_video_stands_out_the_stretch_is_all_of_it():
    curve = of_frames([0.4] * 10, end=9.8)
    assert stretch_around(curve, start=0, end=8) == Stretch(0.0, 9.8, 0.5)


@pytest.mark.parametrize("heights", [[0.0] * 20, [-0.3] * 20, [-0.4] * 10 + [0.5] * 10])
def test_where_nothing_of_the_clip_stands_out_the_stretch_is_the_clip(heights):
    assert stretch_around(of_frames(heights), start=1, end=9) == Stretch(1, 9, 5)
    assert stretch_around(of_clips(heights[:9]), start=8, end=16) == Stretch(8, 16, 12)


def test_without_a_curve_there_the_stretch_is_the_clip():
    assert stretch_around(of_frames([0.5] * 5), start=100, end=108) == Stretch(100, 108, 104)


@given(st.lists(st.integers(-20, 20), min_size=8, max_size=24), st.integers(0, 16))
def test_no_other_stretch_around_the_best_second_has_a_larger_sum(heights, start):
    curve = of_frames(np.array(heights) / 20)
    start = min(start, len(heights) - 8)
    found = stretch_around(curve, start=start, end=start + 8)
    inside = curve.heights[start : start + 8]
    best, level = start + int(inside.argmax()), np.sort(inside)[-4:].mean()
    if inside.max() <= 0 or level <= 0:
        assert (found.start, found.end) == (start, start + 8)
        return
    gains = curve.heights.astype(float) - float(level) / 2
    sums = {
        (first, last): gains[first:last].sum()
        for first in range(best + 1)
        for last in range(best + 1, len(heights) + 1)
    }
    assert found.start <= best < found.end
    assert sums[int(found.start), int(found.end)] == pytest.approx(max(sums.values()), abs=1e-5)
    assert found.start < found.peak < found.end


def test_without_frames_the_stretch_ends_where_the_line_through_the_clips_has_fallen_by_a_quarter():
    curve = of_clips([0.0, 0.0, 0.8, 0.8, 0.4, 0.0])
    found = stretch_around(curve, start=8, end=16)
    assert (found.start, found.peak) == (pytest.approx(8 + 4 * 0.75), 12)
    assert found.end == pytest.approx(16 + 4 * 0.5)


def test_without_frames_a_line_that_does_not_fall_reaches_the_end_of_the_video():
    found = stretch_around(of_clips([0.5, 0.5, 0.5], duration=17.0), start=4, end=12)
    assert (found.start, found.end) == (0.0, 17.0)
