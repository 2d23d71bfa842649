import io
from pathlib import Path

from rich.console import Console

from indexer import ClipsEmbedded, Event, FileDone, FilmStarted, LibraryWalked, Outcome, Progress
from vsearch.progress import IndexProgress, progress_text

FILM = Path("/films/a.mp4")
HALFWAY: tuple[Event, ...] = (
    LibraryWalked(2, 2, 2_000),
    FilmStarted(FILM, 1_000, 3_600.0),
    ClipsEmbedded(FILM, 450, 1_800.0),
)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120)


def log() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=120)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_time_left_counts_hours_of_video() -> None:
    progress = Progress(
        files_done=3,
        files=20,
        failed=1,
        video_seconds=7_200.0,
        video_seconds_left=36_000.0,
        speed=40.0,
        seconds_left=900.0,
    )
    assert progress_text(progress) == (
        "3/20 files, 40.0 × realtime, 10:00:00 of video left: about 15:00, 1 failed"
    )


def test_what_cannot_be_told_yet_is_left_out() -> None:
    progress = Progress(
        files_done=0,
        files=1,
        failed=0,
        video_seconds=0.0,
        video_seconds_left=None,
        speed=None,
        seconds_left=None,
    )
    assert progress_text(progress) == "0/1 file"


def test_a_log_gets_one_line_a_minute() -> None:
    now, output = Clock(), log()
    with IndexProgress(quiet=False, verbose=False, output=output, now=now) as report:
        for event in HALFWAY:
            report(event)
        assert text_of(output) == ""
        for seconds in (30.0, 60.0, 61.0, 119.0, 120.0):
            now.seconds = seconds
            report(HALFWAY[-1])
    lines = text_of(output).splitlines()
    assert len(lines) == 2
    assert "30.0 × realtime" in lines[0]  # half an hour of video in a minute
    assert "\x1b" not in text_of(output)


def test_a_terminal_gets_a_bar_with_files_speed_and_time_left() -> None:
    now, output = Clock(), terminal()
    with IndexProgress(quiet=False, verbose=False, output=output, now=now) as report:
        report(HALFWAY[0])
        now.seconds = 60.0
        for event in HALFWAY[1:]:
            report(event)
    text = text_of(output)
    assert "\x1b" in text
    assert "0/2 files" in text


def test_verbose_tells_of_each_file_and_escapes_its_name() -> None:
    output = log()
    with IndexProgress(quiet=False, verbose=True, output=output) as report:
        report(FileDone(FILM, 1_000, Outcome.INDEXED, clips=3, video_seconds=12.0))
        report(FileDone(Path("/b\n.mp4"), 10, Outcome.FAILED, error="it is empty"))
    assert text_of(output).splitlines() == [
        "indexed /films/a.mp4",
        r"failed /b\n.mp4 (it is empty)",
    ]


def test_quiet_shows_nothing_on_a_terminal_either() -> None:
    output = terminal()
    with IndexProgress(quiet=True, verbose=True, output=output) as report:
        for event in HALFWAY:
            report(event)
        report(FileDone(FILM, 1_000, Outcome.INDEXED, clips=3, video_seconds=12.0))
    assert text_of(output) == ""
