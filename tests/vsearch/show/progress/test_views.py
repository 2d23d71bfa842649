import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from indexer import CurrentVideo, FileDone, LibraryWalked, Outcome, Progress
from vsearch.show.progress.views import (
    EventView,
    LineView,
    progress_text,
    shown_in,
    video_text,
)

NOTHING_YET = Progress(
    files_done=0,
    files=1,
    failed=0,
    indexed=0,
    video_seconds=0.0,
    video_seconds_left=None,
    speed=None,
    seconds_left=None,
)
UNDER_WAY = Progress(
    files_done=3,
    files=20,
    failed=1,
    indexed=2,
    video_seconds=7_200.0,
    video_seconds_left=36_000.0,
    speed=40.0,
    seconds_left=900.0,
)
FILM = CurrentVideo(Path("/films/2019/holiday.mkv"), 5_520.0, 724.0)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_time_left_counts_hours_of_video() -> None:
    assert progress_text(UNDER_WAY) == (
        "3/20 files, 2:00:00 of video done, 10:00:00 of video left, 40.0 × realtime, "
        "about 15:00 to go, 1 failed"
    )


def test_what_cannot_be_told_yet_is_left_out() -> None:
    assert progress_text(NOTHING_YET) == "0/1 file"


def test_the_walk_of_a_large_folder_is_told_of() -> None:
    assert progress_text(replace(NOTHING_YET, walking=12_345)) == (
        "looking for videos, 12,345 found so far"
    )


def test_a_narrow_terminal_gets_what_matters_most() -> None:
    widths = (80, 60, 40, 30, 12)
    texts = [progress_text(UNDER_WAY, width=width) for width in widths]
    assert texts[2:] == ["3/20 files, about 15:00 to go, 1 failed", texts[3], "3/20 files"]
    assert texts[3] == "3/20 files, about 15:00 to go"
    assert all(len(text) <= width for text, width in zip(texts, widths, strict=True))


def test_the_current_film_is_named_with_how_far_it_is() -> None:
    assert video_text(FILM) == "/films/2019/holiday.mkv  12:04 of 1:32:00"


@pytest.mark.parametrize("width", range(20, 60))
@pytest.mark.parametrize(
    "name",
    ["a-very-long-name-of-one-film-s01e07.mkv", "猫の映画" * 12 + ".mp4", "x\x1b[2J" * 9 + ".avi"],
)
def test_a_long_name_is_shortened_to_the_width_and_keeps_its_end(name: str, width: int) -> None:
    text = shown_in(Path("/films/of/a/large/archive") / name, width)
    assert cell_len(text) <= width
    assert text[-4:] == name[-4:]
    assert "…" in text
    assert text.isprintable()


def test_a_name_that_fits_is_shown_whole_with_as_much_of_its_folder_as_there_is_room() -> None:
    assert shown_in(FILM.path, 30) == "/films/2019/holiday.mkv"
    assert shown_in(FILM.path, 20) == "/films/…/holiday.mkv"
    assert shown_in(FILM.path, 13) == "…/holiday.mkv"


def test_a_log_gets_a_line_soon_and_then_one_a_minute() -> None:
    now, log = Clock(), io.StringIO()
    view = LineView(log, now=now)
    for second in range(200):
        now.seconds = second
        view.show(replace(UNDER_WAY, current=FILM))
    lines = log.getvalue().splitlines()
    assert len(lines) == 4  # after 5, 65, 125 and 185 seconds
    assert lines[0].endswith("1 failed; now at /films/2019/holiday.mkv  12:04 of 1:32:00")


def test_events_tell_of_files_at_once_and_of_progress_once_a_second() -> None:
    now, log = Clock(), io.StringIO()
    view = EventView(log, now=now)
    view.show(replace(NOTHING_YET, walking=7))
    view.tell(LibraryWalked(7, 2, 2_000))
    view.show(NOTHING_YET)
    view.tell(FileDone(FILM.path, 1_000, Outcome.FAILED, error="no film"))
    view.show(NOTHING_YET)
    now.seconds = 1.0
    done = FileDone(Path("/b\n.mp4"), 9, Outcome.INDEXED, 3, 12.0, damage="breaks off at 00:12")
    view.tell(done)
    view.show(replace(UNDER_WAY, current=FILM))
    view.show(replace(UNDER_WAY, current=FILM))
    view.stop()
    events = [json.loads(line) for line in log.getvalue().splitlines()]
    assert events == [
        {"event": "walking", "files": 7},
        {"event": "walked", "files": 7, "waiting": 2, "waiting_bytes": 2_000},
        {
            "event": "file",
            "path": "/films/2019/holiday.mkv",
            "outcome": "failed",
            "clips": 0,
            "video_seconds": 0.0,
            "error": "no film",
            "damage": None,
        },
        {
            "event": "file",
            "path": "/b\n.mp4",
            "outcome": "indexed",
            "clips": 3,
            "video_seconds": 12.0,
            "error": None,
            "damage": "breaks off at 00:12",
        },
        {
            "event": "progress",
            "files_done": 3,
            "files": 20,
            "failed": 1,
            "video_seconds": 7_200.0,
            "video_seconds_left": 36_000.0,
            "speed": 40.0,
            "seconds_left": 900.0,
            "path": "/films/2019/holiday.mkv",
            "path_seconds": 724.0,
            "path_duration": 5_520.0,
        },
    ]
