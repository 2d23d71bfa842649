import io

from rich.console import Console

from vsearch.show.progress.counting import CountProgress


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_log_is_told_soon_and_then_once_a_minute() -> None:
    now, log = Clock(), io.StringIO()
    with CountProgress("clips checked", quiet=False, output=Console(file=log), now=now) as progress:
        for second in range(100):
            now.seconds = second
            progress(second * 1_000, 100_000)
    assert log.getvalue().splitlines() == [
        "5,000 of 100,000 clips checked, about 01:35 to go",
        "65,000 of 100,000 clips checked, about 00:35 to go",
    ]


def test_a_terminal_gets_a_bar() -> None:
    log = io.StringIO()
    output = Console(file=log, force_terminal=True, width=80)
    with CountProgress("clips checked", quiet=False, output=output) as progress:
        progress(10, 100)
    assert "10/100" in log.getvalue()


def test_quiet_is_quiet() -> None:
    log = io.StringIO()
    with CountProgress(
        "clips checked", quiet=True, output=Console(file=log, force_terminal=True)
    ) as progress:
        progress(10, 100)
    assert log.getvalue() == ""
