"""Real processes, real signals."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signals")

# Works until it is asked to end, then takes its time to put things away.
WORK = """
import signal, sys, time
for name in sys.argv[1:]:
    signal.signal(signal.Signals[name], signal.SIG_IGN)
from vsearch.interruption import Interruption

def work():
    try:
        print("at work", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("putting away", flush=True)
        sys.stdin.readline()
        raise

sys.exit(Interruption().exit_code_of(work))
"""

# Loses track of why it ends, as native code does that is interrupted.
LOSE_TRACK = """
import os, signal, sys
from vsearch.interruption import Interruption

def work():
    try:
        if len(sys.argv) > 1:
            os.kill(os.getpid(), signal.Signals[sys.argv[1]])
            signal.pause()
    except KeyboardInterrupt:
        pass
    raise ValueError("could not determine the shape")

sys.exit(Interruption().exit_code_of(work))
"""


def start(*, ignoring: tuple[signal.Signals, ...] = ()) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, *(one.name for one in ignoring)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    return process


def next_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize(
    ("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_lets_a_run_put_things_away(asked: signal.Signals, code: int) -> None:
    process = start()
    process.send_signal(asked)
    assert next_line(process) == "putting away\n"
    _, err = process.communicate("\n", timeout=60)
    assert (process.returncode, err) == (code, "")


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(first: signal.Signals, second: signal.Signals) -> None:
    process = start()
    process.send_signal(first)
    assert next_line(process) == "putting away\n"
    process.send_signal(second)
    assert process.wait(timeout=60) == -second
    process.communicate()


def test_a_terminal_that_is_closed_says_so_more_than_once_and_means_one_thing() -> None:
    process = start()
    process.send_signal(signal.SIGHUP)
    assert next_line(process) == "putting away\n"
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate("\n", timeout=60)
    assert (process.returncode, err) == (129, "")


# Python's import lock is held by a module that another thread waits for.
IMPORT = """
import sys, threading, time
from vsearch.interruption import Interruption

def work():
    try:
        import slow_module
        time.sleep(60)
    finally:
        other = threading.Thread(target=__import__, args=("json.tool",), daemon=True)
        other.start()
        other.join()
        print("slow_module" in sys.modules, flush=True)

sys.exit(Interruption().exit_code_of(work))
"""


@pytest.fixture
def slow_module(tmp_path: Path) -> Path:
    """A folder with a module that takes a second to import."""
    (tmp_path / "slow_module.py").write_text(
        "import time\nprint('importing', flush=True)\n"
        "for _ in range(100):\n    time.sleep(0.01)\nprint('imported', flush=True)\n"
    )
    return tmp_path


def run_beside(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Python with the modules of the folder."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{folder}"},
    )


def test_an_import_is_waited_for(slow_module: Path) -> None:
    process = run_beside(slow_module, "-c", IMPORT)
    assert next_line(process) == "importing\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("imported\nTrue\n", "", 143)


def without_ci() -> dict[str, str]:
    """This environment as at a terminal: a build server's is a log."""
    return {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}


def test_the_cursor_is_back_before_a_second_signal_can_end_it() -> None:
    import pty  # not on Windows

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", WORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        cwd=REPOSITORY,
        env=without_ci(),
    )
    assert next_line(process) == "at work\n"
    process.send_signal(signal.SIGINT)
    assert select.select([ours], [], [], 60)[0], "nothing was written"
    assert os.read(ours, 100) == b"\x1b[?25h"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == -signal.SIGINT
    process.communicate()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("ignored", [signal.SIGHUP, signal.SIGINT])
def test_what_whoever_started_it_has_it_ignore_is_ignored(ignored: signal.Signals) -> None:
    process = start(ignoring=(ignored,))
    process.send_signal(ignored)
    process.send_signal(signal.SIGTERM)
    assert next_line(process) == "putting away\n"
    process.communicate("\n", timeout=60)
    assert process.returncode == 143


@pytest.mark.parametrize(("asked", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_an_error_that_native_code_makes_of_a_signal_is_no_fault(asked: str, code: int) -> None:
    process = lose_track(asked)
    assert (process.returncode, process.stderr) == (code, "")


def test_an_error_without_a_signal_keeps_its_traceback() -> None:
    process = lose_track()
    assert process.returncode == 1
    assert "ValueError: could not determine the shape" in process.stderr


def lose_track(*asked: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", LOSE_TRACK, *asked],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        check=False,
    )


# Interrupts its own process when a module is about to be imported, or when Python ends.
WHEN = """
import atexit, os, signal, sys

def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)

def hear(event, values, wanted=os.environ["VSEARCH_TEST_WHEN"]):
    if event == "import" and values[0] == wanted and hear.waits:
        hear.waits = False
        interrupt()

hear.waits = True
sys.addaudithook(hear)
if os.environ["VSEARCH_TEST_WHEN"] == "end":
    atexit.register(interrupt)
"""


@pytest.mark.parametrize(
    "when", ["vsearch.interruption", "machine", "typer", "vsearch.cli", "catalog", "end"]
)
def test_a_ctrl_c_at_any_moment_from_its_first_line_to_its_last_is_no_fault(
    tmp_path: Path, when: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WHEN)
    done = subprocess.run(
        [sys.executable, "-m", "vsearch", "status", "--quiet"],
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "VSEARCH_HOME": str(tmp_path),
            "VSEARCH_TEST_WHEN": when,
        },
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        check=False,
    )
    assert done.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in done.stderr
    assert "KeyboardInterrupt" not in done.stderr


def test_the_traceback_of_what_fails_after_a_signal_is_told_where_all_is_told() -> None:
    told = LOSE_TRACK.replace(
        "\ndef work", "\nfrom vsearch.messages import set_volume\ndef work"
    ).replace("    try:", "    set_volume(verbose=True, quiet=False)\n    try:")
    done = subprocess.run(
        [sys.executable, "-c", told, "SIGTERM"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        check=False,
    )
    assert done.returncode == 143
    assert "ValueError: could not determine the shape" in done.stderr


ENDS = """
import sys
from vsearch.services.answers import search
def status(settings):
    raise {error}
search.status = status
from vsearch.__main__ import main
sys.argv[1:] = ["status"]
main()
"""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("SystemExit(7)", 7, ""),
        ("SystemExit('a library gave up')", 1, "a library gave up"),
        ("BrokenPipeError('of something else')", 1, "BrokenPipeError: of something else"),
        ("ValueError('a fault')", 1, "ValueError: a fault"),
    ],
)
def test_what_ends_a_command_is_not_taken_for_success(error: str, code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS.format(error=error)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert said in done.stderr
