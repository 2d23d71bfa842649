import io
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from indexer import (
    ClipsEmbedded,
    Event,
    FileDone,
    LibraryWalked,
    Outcome,
    VideoStarted,
    Walking,
)
from vsearch.show.output import console
from vsearch.show.progress.index_run import IndexProgress

FILM = Path("/films/a.mp4")
HALFWAY: tuple[Event, ...] = (
    LibraryWalked(2, 2, 2_000),
    VideoStarted(FILM, 1_000, 3_600.0),
    ClipsEmbedded(FILM, 450, 1_800.0),
)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def terminal(*, width: int = 120) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width)


def log() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=120)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_log_gets_one_line_a_minute_after_a_first_one() -> None:
    now, output = Clock(), log()
    with IndexProgress(quiet=False, verbose=False, output=output, now=now) as counters:
        for event in HALFWAY:
            counters.record(event)
        assert text_of(output) == ""
        for seconds in (5.0, 30.0, 60.0, 65.0, 119.0, 124.0):
            now.seconds = seconds
            counters.record(HALFWAY[-1])
    lines = text_of(output).splitlines()
    assert len(lines) == 2
    assert "360.0 × realtime" in lines[0]  # half an hour of video in five seconds
    assert lines[0].endswith("; now at /films/a.mp4  30:00 of 1:00:00")
    assert "\x1b" not in text_of(output)


def test_a_log_goes_on_while_nothing_happens() -> None:
    now, output = Clock(), log()
    with IndexProgress(quiet=False, verbose=False, output=output, now=now) as counters:
        counters.record(Walking(70))
        now.seconds = 6.0
        while not text_of(output):
            pass  # until the thread that looks after it has had its turn
    assert text_of(output) == "looking for videos, 70 found so far\n"


def test_a_terminal_gets_a_bar_with_files_speed_time_left_and_the_current_film() -> None:
    now, output = Clock(), terminal()
    with IndexProgress(quiet=False, verbose=False, output=output, now=now) as counters:
        counters.record(HALFWAY[0])
        now.seconds = 60.0
        for event in HALFWAY[1:]:
            counters.record(event)
    text = text_of(output)
    assert "\x1b" in text
    assert "0/2 files, 30:00 of video done" in plain(text)
    assert "/films/a.mp4  30:00 of 1:00:00" in plain(text)


def test_a_terminal_is_told_of_the_walk_of_a_large_folder() -> None:
    output = terminal()
    with IndexProgress(quiet=False, verbose=False, output=output) as counters:
        counters.record(Walking(12_345))
    assert "looking for videos, 12,345 found so far" in plain(text_of(output))


@pytest.mark.parametrize("width", [20, 40, 59, 60, 200])
def test_a_bar_takes_one_line_for_the_numbers_and_one_for_the_film(width: int) -> None:
    output = terminal(width=width)
    long = Path("/films") / ("very long name " * 20 + ".mp4")
    with IndexProgress(quiet=False, verbose=False, output=output) as counters:
        for event in (HALFWAY[0], VideoStarted(long, 1_000, 3_600.0), ClipsEmbedded(long, 1, 9.0)):
            counters.record(event)
    last = plain(text_of(output)).rstrip("\n\r").replace("\r", "\n").splitlines()
    assert all(len(line.rstrip()) <= width for line in last)
    assert "of 1:00:00" in last[-1]
    assert "0/2 files" in last[-2]


def test_verbose_tells_of_each_file_and_escapes_its_name() -> None:
    output = log()
    with IndexProgress(quiet=False, verbose=True, output=output) as counters:
        counters.record(VideoStarted(FILM, 1_000, 3_600.0, resumed=2_400.0))
        counters.record(FileDone(FILM, 1_000, Outcome.INDEXED, clips=3, video_seconds=12.0))
        counters.record(FileDone(Path("/b\n.mp4"), 10, Outcome.FAILED, error="it is empty"))
        counters.record(FileDone(FILM, 9, Outcome.INDEXED, clips=1, damage="breaks off at 03:12"))
        assert counters.progress().indexed == 2
    assert text_of(output).splitlines() == [
        "going on with /films/a.mp4 at 40:00",
        "indexed /films/a.mp4",
        r"failed /b\n.mp4 (it is empty)",
        "indexed /films/a.mp4 (breaks off at 03:12)",
    ]


def test_quiet_shows_nothing_on_a_terminal_either() -> None:
    output = terminal()
    with IndexProgress(quiet=True, verbose=True, output=output) as counters:
        for event in HALFWAY:
            counters.record(event)
        counters.record(FileDone(FILM, 1_000, Outcome.INDEXED, clips=3, video_seconds=12.0))
    assert text_of(output) == ""


@pytest.mark.parametrize("as_events", [False, True])
def test_whoever_stops_reading_the_progress_ends_no_run(as_events: bool) -> None:
    ours, theirs = os.pipe()
    output = console(stderr=True)
    output.file = os.fdopen(theirs, "w", buffering=1)
    with IndexProgress(quiet=False, verbose=True, as_events=as_events, output=output) as counters:
        counters.record(HALFWAY[0])
        os.close(ours)
        for number in range(3):
            counters.record(FileDone(FILM, number, Outcome.INDEXED))
    assert counters.progress().indexed == 3
    with suppress(BrokenPipeError):
        output.file.close()
