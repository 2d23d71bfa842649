"""The shell, at a terminal and in a pipe; the player that it starts."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

READY = "vsearch> "


class Terminal:
    """A shell at a terminal of its own."""

    def __init__(self, vsearch: Any, *arguments: str) -> None:
        self.near, far = pty.openpty()
        self.process = vsearch.start(
            "shell", *arguments, stdin=far, stdout=far, stderr=far, start_new_session=True
        )
        os.close(far)

    def type(self, keys: str) -> None:
        os.write(self.near, keys.encode())

    def until(self, text: str, *, seconds: float = 120) -> str:
        """What is printed up to the end of this text."""
        read = b""
        deadline = time.monotonic() + seconds
        while text.encode() not in read:
            left = deadline - time.monotonic()
            assert left > 0, read
            assert select.select([self.near], [], [], left)[0], read
            read += os.read(self.near, 1)
        return read.decode()

    def press_ctrl_c(self) -> None:
        """Until it is heeded: one just before the wait for a key is not seen before the key."""
        for _ in range(20):
            self.process.send_signal(signal.SIGINT)
            try:
                self.until(READY, seconds=5)
            except AssertionError:
                continue
            return
        raise AssertionError("Ctrl-C does not end the line")

    def line(self, line: str) -> str:
        """Type a line; what is printed up to the next prompt."""
        self.type(f"{line}\n")
        self.until("\n")  # what was typed
        return self.until(READY)

    def end(self) -> int:
        code = self.process.wait(timeout=60)
        os.close(self.near)
        return int(code)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shell") / "home"


@pytest.fixture(scope="module")
def player(home: Path) -> Path:
    """A folder with a player that keeps what it was called with, and then goes on for a while."""
    folder = home.parent / "bin"
    folder.mkdir()
    script = folder / "mpv"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/played"\necho noise\nsleep 2\n')
    script.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def vsearch(
    run_from: Callable[..., Any], home: Path, player: Path, library: Path, model: Path
) -> Any:
    path = f"{player}:{os.environ['PATH']}"
    command = run_from(home, PATH=path, TERM="dumb", INPUTRC="/dev/null")
    assert command("index", library, "--model", model).code == 0
    return command


@pytest.fixture
def terminal(vsearch: Any) -> Iterator[Callable[..., Terminal]]:
    opened = []

    def make(*arguments: str) -> Terminal:
        shell = Terminal(vsearch, *arguments)
        opened.append(shell)
        shell.greeting = shell.until(READY)  # type: ignore[attr-defined]
        return shell

    yield make
    for shell in opened:
        if shell.process.poll() is None:
            shell.process.kill()
            shell.process.wait()


def piped(vsearch: Any, lines: str, *arguments: str) -> tuple[int, str, str]:
    process = vsearch.start("shell", *arguments, stdin=subprocess.PIPE)
    out, err = process.communicate(lines, timeout=120)
    return process.returncode, out, err


def test_a_person_asks_narrows_down_and_plays(
    terminal: Any, player: Path, library: Path, home: Path
) -> None:
    shell = terminal("-v")
    assert re.search(r"3 videos with \d+ clips, ready after", shell.greeting)
    assert "answered in" in shell.line("a dog on a beach --all -k 1")
    assert "give a number from 1 to 1" in shell.line(":open 2")
    assert "filters: --in '*long*' --all" in shell.line(":filters --in '*long*' --all")
    said = shell.line("'a dog' 'a beach' -k 1")
    assert "long.mp4" in said
    start = float(re.search(r"mpv --start=(\S+)", said)[1])  # type: ignore[index]
    said = shell.line(":open 1")
    assert "mpv plays" in said
    assert "noise" not in said
    assert (player / "played").read_text().splitlines() == [
        f"--start={start:.10g}",
        str(library / "holidays" / "long.mp4"),
    ]
    assert "filters: none" in shell.line(":filters none")
    assert "not closed" in shell.line("the dog's ball")
    assert "there is no command" in shell.line(":nonsense")
    assert ":filters OPTIONS" in shell.line(":help")
    shell.type("\x04")
    assert shell.end() == 0
    kept = (home / "history").read_text().splitlines()
    assert {"a dog on a beach --all -k 1", "the dog's ball", ":help"} <= set(kept)
    assert stat.S_IMODE((home / "history").stat().st_mode) == 0o600


def test_earlier_lines_come_back_and_commands_are_completed(terminal: Any) -> None:
    first = terminal()
    first.line("a purple unicorn")
    first.type(":quit\n")
    assert first.end() == 0
    second = terminal()
    second.type("\x1b[A\x1b[A")
    second.until("a purple unicorn")
    second.type("\x15:fil\t")
    second.until(":filters ")
    second.type("\n")
    assert "filters: none" in second.until(READY)
    second.type("\x04")
    assert second.end() == 0


def test_ctrl_c_ends_the_line_and_sigterm_the_shell(terminal: Any) -> None:
    shell = terminal()
    for _ in range(2):
        shell.type("half a sent")
        shell.until("half a sent")
        shell.press_ctrl_c()
    assert ":help" in shell.line(":help")
    shell.process.send_signal(signal.SIGTERM)
    assert shell.end() == 143


def test_a_history_that_is_too_long_or_cannot_be_kept_stops_nothing(
    terminal: Any, home: Path
) -> None:
    history = home / "history"
    history.write_bytes(b"a \xff line\n" + b"a line\n" * 3000)
    shell = terminal()
    shell.line("one more")
    assert history.read_bytes().count(b"\n") == 1000
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    history.unlink()
    history.mkdir()
    try:
        assert "filters" in shell.line(":filters")
        assert "filters" in terminal().line(":filters")
    finally:
        history.rmdir()


def test_in_a_pipe_there_is_no_prompt_and_answers_are_those_of_query(vsearch: Any) -> None:
    lines = "a dog --all -k 2\n\n:next\n:next\n:next\n:quit\nno more\n"
    code, out, err = piped(vsearch, lines, "--json")
    assert code == 0
    first, *more = map(json.loads, out.splitlines())
    whole = vsearch("query", "a dog", "--all", "-k", "9", "--json").json["hits"]
    assert first["hits"] == whole[:2]
    assert [hit for one in more for hit in one["hits"]] == whole[2:]
    assert "no further moments" in err
    assert READY not in out + err
    _, out, _ = piped(vsearch, "a dog --all -k 2 --sort newest\n:next\n:next\n:next\n", "--json")
    sorted_anew = [hit for line in out.splitlines() for hit in json.loads(line)["hits"]]
    assert sorted(hit["start"] for hit in sorted_anew) == sorted(hit["start"] for hit in whole)
    assert [hit["rank"] for hit in sorted_anew] == list(range(1, len(whole) + 1))


def test_more_like_a_moment_is_what_query_finds_by_its_best_second(vsearch: Any) -> None:
    _, out, _ = piped(vsearch, "a dog --all -k 1\n:more 1 --all -k 1\n:next\n", "--json")
    first, more, rest = map(json.loads, out.splitlines())
    hit = first["hits"][0]
    like = f"{hit['path']}@{hit['peak']}"
    whole = vsearch("query", "--like", like, "--all", "-k", "2", "--json").json["hits"]
    assert len(more["hits"]) == 1
    assert [one["clip_id"] for one in more["hits"] + rest["hits"]] == [
        one["clip_id"] for one in whole
    ]


def test_bad_lines_are_told_and_the_shell_goes_on(vsearch: Any) -> None:
    bad = {
        ":next": "nothing was asked",
        ":open": "give the number",
        ":open 0": "'0' is not allowed",
        ":open 1": "none was shown",
        ":more": "give the number",
        ":more 2": "none was shown",
        ":filters a dog": "'a dog' is no option",
        ":filters --after someday": "no date",
        "a dog --limit 0": "'0' is not allowed",
        "a dog --catalog /elsewhere": "for the whole command",
        ":quit now": "takes nothing",
        ":": "no command",
    }
    code, out, err = piped(vsearch, "\n".join([*bad, "a dog --all -k 1 --json"]), "--quiet")
    assert code == 0
    for line, says in zip(err.splitlines(), bad.values(), strict=True):
        assert says in line
    assert len(json.loads(out)["hits"]) == 1


def test_what_is_indexed_while_it_runs_is_found_also_in_a_catalog_made_anew(
    run_from: Any, tmp_path: Path, make_film: Any, model: Path, other_model: Path
) -> None:
    vsearch = run_from(tmp_path / "home")
    films = tmp_path / "films"
    make_film(films / "a.mp4", seed=1)
    assert vsearch("index", films, "--model", model).code == 0
    process = vsearch.start("shell", "--json", stdin=subprocess.PIPE)

    def asked() -> set[str]:
        process.stdin.write("a dog --all\n")
        process.stdin.flush()
        return {Path(hit["path"]).name for hit in json.loads(process.stdout.readline())["hits"]}

    assert asked() == {"a.mp4"}
    make_film(films / "b.mp4", seed=2)
    assert vsearch("index", films).code == 0
    assert asked() == {"a.mp4", "b.mp4"}
    assert vsearch("forget", "--all").code == 0
    assert vsearch("index", films / "b.mp4", "--model", other_model).code == 0
    assert asked() == {"b.mp4"}
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_query_plays_a_moment(vsearch: Any, player: Path, library: Path, home: Path) -> None:
    (player / "played").unlink(missing_ok=True)
    run = vsearch("query", "a dog", "--all", "--json", "--open", "2")
    assert run.code == 0
    hit = run.json["hits"][1]
    assert (player / "played").read_text().splitlines() == [
        f"--start={hit['start']:.10g}",
        hit["path"],
    ]
    for code, says, *arguments in (
        (2, "10 moments at most", "--open", "11"),
        (1, "there is no moment 9", "--open", "9", "--all", "--in", "*short*"),
    ):
        run = vsearch("query", "a dog", *arguments)
        assert (run.code, says in run.err) == (code, True), run.err
