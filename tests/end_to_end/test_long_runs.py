"""Runs that are ended, told of, and met by others: real processes, real signals."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows knows no such signals")

# So many clips that most of the work is still to come when the first film is done.
FINE = ("--window", 1, "--stride", 0.1, "--workers", 1)


@pytest.fixture
def films(tmp_path: Path, make_film: Any) -> Path:
    for number in range(20):
        make_film(tmp_path / "films" / f"{number:02}.mp4", seconds=12, seed=number)
    return tmp_path / "films"


@contextmanager
def indexing(vsearch: Any, films: Path, model: Path, *flags: str) -> Any:
    """An index run that has finished a film and has most of its work ahead."""
    process = vsearch.start("index", films, "--model", model, "-v", *FINE, *flags)
    try:
        for line in process.stderr:
            if "indexed" in line:
                break
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_whoever_ends_a_run_it_puts_away_what_is_finished(
    vsearch: Any, films: Path, model: Path, asked: signal.Signals, code: int
) -> None:
    with indexing(vsearch, films, model, "--json") as process:
        process.send_signal(asked)
        out, err = process.communicate(timeout=120)
    assert process.returncode == code
    assert 1 <= json.loads(out)["indexed"] < 20
    messages = [json.loads(line) for line in err.splitlines()]
    assert "the same command goes on from there" in messages[-1]["text"]
    status = vsearch("status", "--json").json
    assert status["videos"] == json.loads(out)["indexed"]
    assert vsearch("verify", "-q").code == 0


def test_a_terminal_that_is_closed_ends_a_run_as_a_signal_does(
    vsearch: Any, films: Path, model: Path
) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = vsearch.start(
        *("index", films, "--model", model, "-v", *FINE),
        **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
        start_new_session=True,
        # The first terminal that a session opens is its own, and hangs up on it.
        preexec_fn=lambda: os.close(os.open(os.ttyname(theirs), os.O_RDWR)),
    )
    os.close(theirs)
    seen = b""
    while b"indexed" not in seen:
        seen += os.read(ours, 65536)
    os.close(ours)
    assert process.wait(timeout=120) == 129
    assert 1 <= vsearch("status", "--json").json["videos"] < 20


def test_a_run_under_nohup_outlives_its_terminal(
    vsearch: Any, library: Path, model: Path, run_from: Callable[..., Any]
) -> None:
    command = vsearch.start("index", library, "--model", model, "-v", preexec_fn=_ignore_hangups)
    command.send_signal(signal.SIGHUP)
    assert command.stderr.readline()
    command.send_signal(signal.SIGHUP)
    out, _ = command.communicate(timeout=120)
    assert (command.returncode, out.startswith("Indexed 3 videos")) == (0, True)


def _ignore_hangups() -> None:
    """What `nohup` does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_a_second_run_on_the_same_catalog_says_who_is_at_it_and_queries_go_on(
    vsearch: Any, films: Path, model: Path
) -> None:
    with indexing(vsearch, films, model) as process:
        process.send_signal(signal.SIGSTOP)  # so that it is still at it, however slow the others
        second = vsearch("index", films, "--json")
        assert (second.code, second.out) == (1, "")
        (refusal,) = map(json.loads, second.err.splitlines())
        assert refusal["event"] == "message"
        assert f"`vsearch index {films}` (process {process.pid}" in refusal["text"]
        assert vsearch("forget", films).code == 1
        assert vsearch("query", "a red circle", "--all", "--json").json["hits"]
    # It was killed: nobody is at it any more.
    assert vsearch("forget", films).code == 0


def test_every_line_on_stderr_is_an_event_for_programs(
    vsearch: Any, tmp_path: Path, library: Path, model: Path
) -> None:
    (tmp_path / "bad\n.mp4").write_text("this is no film")
    run = vsearch("index", library, tmp_path / "bad\n.mp4", "--model", model, "--json")
    assert run.code == 3
    events = [json.loads(line) for line in run.err.splitlines()]
    names = [event["event"] for event in events]
    assert names.count("walked") == 1
    assert set(names) <= {"walking", "walked", "progress", "file", "message"}
    files = {event["path"]: event for event in events if event["event"] == "file"}
    assert len(files) == 4
    assert files[str(tmp_path / "bad\n.mp4")]["error"] == run.json["failed"][0]["error"]
    assert "--retry-failed" in events[-1]["text"]
    again = vsearch("index", library, "--json", "-q")
    assert (again.code, again.err) == (0, "")


def test_a_log_that_nobody_can_write_to_any_more_ends_no_run(
    vsearch: Any, library: Path, model: Path
) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    process = vsearch.start("index", library, "--model", model, "-v", stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(timeout=120)
    assert (process.returncode, out.startswith("Indexed 3 videos")) == (0, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_log_on_a_full_disk_ends_no_run(vsearch: Any, library: Path, model: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = vsearch.start("index", library, "--model", model, "-v", stderr=full)
        out, _ = process.communicate(timeout=120)
    assert (process.returncode, out.startswith("Indexed 3 videos")) == (0, True)


@pytest.mark.parametrize(
    ("limit", "told"),
    [(20_000, "disk I/O error"), (700_000, "and kept")],
)
def test_a_limit_on_the_size_of_files_is_one_sentence_and_what_was_done_is_kept(
    vsearch: Any, films: Path, model: Path, limit: int, told: str
) -> None:
    import resource

    assert vsearch("index", films / "00.mp4", "--model", model, *FINE).code == 0
    process = vsearch.start(
        *("index", films),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert told in err
    assert "Traceback" not in err
    assert vsearch("verify", "-q").code == 0
    assert vsearch("index", films, "--json").json["unchanged"] >= 1


def test_a_snapshot_that_cannot_be_saved_hides_nothing_of_what_was_done(
    vsearch: Any, library: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    assert vsearch("index", tmp_path / "none", "--model", model).code == 0
    # A folder stands where the snapshot belongs: it cannot be replaced by a file.
    (vsearch.home / "catalog" / "vectors.faiss" / "in the way").mkdir(parents=True)
    run = vsearch("index", library, "--model", model)
    assert (run.code, run.out.startswith("Indexed 3 videos")) == (0, True)
    assert "All of it is in the catalog" in run.err
    assert len(vsearch("query", "a red circle", "--all", "--json").json["hits"]) >= 3
