"""Progress: what a run's events add up to."""

from pathlib import Path

import pytest

from indexer import (
    ClipsEmbedded,
    FileDone,
    LibraryWalked,
    Outcome,
    VideoStarted,
)
from indexer.progress import ProgressMeter

A, B, C = Path("/a.mp4"), Path("/b.mp4"), Path("/c.mp4")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def meter(clock):
    return ProgressMeter(clock=clock)


def test_nothing_is_guessed_before_a_video_was_opened(meter):
    meter.observe(LibraryWalked(files=9, waiting=3, waiting_bytes=600))
    progress = meter.progress()
    assert (progress.files_done, progress.files) == (0, 3)
    assert (progress.video_seconds_left, progress.speed, progress.seconds_left) == (None,) * 3


def test_what_is_left_counts_hours_of_video_and_not_files(meter, clock):
    meter.observe(LibraryWalked(files=9, waiting=3, waiting_bytes=1000))
    meter.observe(VideoStarted(A, 100, 60.0))  # 0.6 seconds per byte
    clock.now += 10
    meter.observe(ClipsEmbedded(A, 8, 40.0))
    progress = meter.progress()
    assert progress.speed == pytest.approx(4.0)
    assert progress.video_seconds_left == pytest.approx(20.0 + 900 * 0.6)
    assert progress.seconds_left == pytest.approx(560 / 4)


def test_a_run_that_is_over_has_nothing_left(meter, clock):
    meter.observe(LibraryWalked(files=3, waiting=3, waiting_bytes=300))
    meter.observe(VideoStarted(A, 100, 60.0))
    meter.observe(VideoStarted(B, 100, 30.0))
    clock.now += 5
    meter.observe(ClipsEmbedded(B, 3, 12.0))
    meter.observe(FileDone(B, 100, Outcome.FAILED, error="broken"))
    meter.observe(ClipsEmbedded(A, 14, 60.0))
    meter.observe(FileDone(A, 100, Outcome.INDEXED, clips=14, video_seconds=60.0))
    meter.observe(FileDone(C, 100, Outcome.MOVED))
    progress = meter.progress()
    assert (progress.files_done, progress.files, progress.failed) == (3, 3, 1)
    assert progress.video_seconds == 60.0
    assert progress.video_seconds_left == 0.0
    assert progress.seconds_left == 0.0


def test_a_run_over_known_content_only_has_no_speed_and_nothing_left(meter):
    meter.observe(LibraryWalked(files=1, waiting=1, waiting_bytes=100))
    meter.observe(FileDone(A, 100, Outcome.MOVED))
    progress = meter.progress()
    assert (progress.speed, progress.video_seconds_left, progress.seconds_left) == (None, 0.0, None)


def test_the_events_of_a_real_run_add_up(index, film, library):
    film("a.mp4", seconds=30)
    film("b.mp4", seconds=3, first=90)
    (library / "bad.mp4").write_text("this is no film")
    meter, seen = ProgressMeter(), []

    def look(event):
        meter.observe(event)
        seen.append(meter.progress())

    report = index(clips_wanted=2, on_event=look)
    assert seen[-1].files_done == seen[-1].files == 3
    assert seen[-1].failed == len(report.failed) == 1
    assert seen[-1].video_seconds == pytest.approx(report.video_seconds)
    assert seen[-1].video_seconds_left == pytest.approx(0.0)
    done = [progress.video_seconds for progress in seen]
    assert done == sorted(done)
    # The long film's seven clips come in four batches or more; a busy machine takes in two at once.
    assert any(0 < seconds < 30 for seconds in done)
