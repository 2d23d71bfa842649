"""The frames of a video, from those of its overlapping clips."""

import numpy as np
import pytest

from catalog import ClipSpan, QuantisedVectors
from indexer import plan_clips, sample_times
from indexer.embed.distinct_frames import distinct_frames

T, DIM = 8, 16


def frames_of(spans, *, seed=0):
    drawn = np.random.default_rng(seed).normal(size=(len(spans), T, DIM)).astype(np.float32)
    return [QuantisedVectors.of(of_clip) for of_clip in drawn]


def test_a_frame_of_two_clips_gets_the_mean_of_both_vectors():
    spans = plan_clips(20.0, window=8.0, stride=4.0)
    frames = frames_of(spans)
    distinct = distinct_frames(spans, frames)
    assert distinct.times.tolist() == [n + 0.5 for n in range(20)]
    vectors = distinct.quantised.vectors()
    for number, time in enumerate(distinct.times):
        holding = [
            of_clip.vectors()[sample_times(span, frames=T).index(time)]
            for span, of_clip in zip(spans, frames, strict=True)
            if time in sample_times(span, frames=T)
        ]
        assert len(holding) == (1 if time < 4 or time > 16 else 2)
        np.testing.assert_allclose(vectors[number], np.mean(holding, axis=0), atol=0.02)


def test_frames_stay_a_second_apart_where_the_last_clip_looks_between_the_others():
    spans = plan_clips(21.3, window=8.0, stride=4.0)
    times = distinct_frames(spans, frames_of(spans)).times
    assert times[:20].tolist() == [n + 0.5 for n in range(20)]
    assert times[20:].tolist() == pytest.approx([20.8])
    for length in np.arange(0.1, 40.0, 0.37):
        spans = plan_clips(float(length), window=8.0, stride=4.0)
        times = distinct_frames(spans, frames_of(spans)).times
        assert np.diff(times).min(initial=1.0) >= 0.7499 * min(length, 8.0) / T
        assert len(times) <= max(T, length + 1)
        assert length - times[-1] <= 1.5


@pytest.mark.parametrize(("window", "stride"), [(5.0, 2.0), (4.0, 3.0), (8.0, 8.0), (2.0, 5.0)])
def test_any_window_and_stride_gives_frames_no_nearer_than_those_of_a_clip(window, stride):
    spans = plan_clips(61.7, window=window, stride=stride)
    times = distinct_frames(spans, frames_of(spans)).times
    assert np.diff(times).min() >= 0.7499 * window / T
    asked = {round(time, 6) for span in spans for time in sample_times(span, frames=T)}
    assert set(times.tolist()) <= asked


def test_thousands_of_clips_are_no_other_than_few(monkeypatch):
    spans = plan_clips(301.0, window=8.0, stride=4.0)
    frames = frames_of(spans)
    whole = distinct_frames(spans, frames)
    monkeypatch.setattr("indexer.embed.distinct_frames._AT_A_TIME", 7)
    parts = distinct_frames(spans, frames)
    assert np.array_equal(whole.times, parts.times)
    assert np.array_equal(whole.quantised.values, parts.quantised.values)


def test_a_single_picture_is_one_frame():
    span = ClipSpan(0.0, 0.0)
    (frames,) = frames_of([span])
    distinct = distinct_frames([span], [frames])
    assert distinct.times.tolist() == [0.0]
    np.testing.assert_allclose(
        distinct.quantised.vectors()[0], frames.vectors().mean(axis=0), atol=0.02
    )


def test_without_the_frames_of_a_clip_there_are_none_of_the_video():
    spans = plan_clips(20.0, window=8.0, stride=4.0)
    frames = frames_of(spans)
    assert distinct_frames(spans, [*frames[:-1], None]) is None
    assert distinct_frames(spans, [None] * len(spans)) is None
