"""What a command takes for the server of its user, and what it does with strange ones."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vsearch import __version__
from vsearch.commands.handover import SERVER_FILE, handed_over, running_server

RECORD = {
    "version": __version__,
    "pid": os.getpid(),
    "host": "127.0.0.1",
    "port": 1,
    "secret": "s",
    "proof": "p",
}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write the file of a server into the home folder."""
    monkeypatch.setenv("VSEARCH_HOME", str(tmp_path))

    def write(*, mode: int = 0o600, **changed: Any) -> Path:
        path = tmp_path / SERVER_FILE
        path.write_text(json.dumps({**RECORD, **changed}))
        path.chmod(mode)
        return path

    return write


def test_a_record_of_a_process_that_runs_is_taken(record: Any, tmp_path: Path) -> None:
    record()
    assert running_server(str(tmp_path)) == RECORD


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666])
def test_a_record_that_others_may_read_is_not_taken(record: Any, tmp_path: Path, mode: int) -> None:
    record(mode=mode)
    assert running_server(str(tmp_path)) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_record_of_another_user_is_not_taken(record: Any, tmp_path: Path) -> None:
    os.chown(record(), 12345, 12345)
    assert running_server(str(tmp_path)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "0.0.1"},
        {"pid": 4_000_000},
        {"pid": 10**30},
        {"pid": "1"},
        {"pid": None},
        {"version": None},
    ],
)
def test_a_record_of_a_server_that_is_gone_or_another_is_not_taken(
    record: Any, tmp_path: Path, changed: dict[str, Any]
) -> None:
    record(**changed)
    assert running_server(str(tmp_path)) is None


def test_what_is_no_record_is_not_taken(record: Any, tmp_path: Path) -> None:
    path = record()
    for text in ("", "[]", "1", "{", "{}", '"x"', "[" * 50_000, "x" * 100_000):
        path.write_text(text)
        assert running_server(str(tmp_path)) is None
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert running_server(str(tmp_path)) is None
    path.unlink()
    os.mkfifo(path, 0o600)
    assert running_server(str(tmp_path)) is None
    path.unlink()
    path.mkdir()
    assert running_server(str(tmp_path)) is None


@pytest.fixture
def listener() -> Iterator[Callable[[bytes | None], int]]:
    """A program that answers each connection so, or not at all; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(told: bytes | None) -> int:
            def serve() -> None:
                try:
                    connection, _ = server.accept()
                except OSError:  # nobody came
                    return
                with connection:
                    connection.recv(65536)
                    if told is None:
                        connection.recv(1)  # until it is given up
                    else:
                        connection.sendall(told)

            threading.Thread(target=serve, daemon=True).start()
            return int(server.getsockname()[1])

        yield answer


def told(**answer: Any) -> bytes:
    return b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n " + json.dumps(answer).encode()


ANSWER = {"proof": "p", "answered": True, "code": 3, "play": None, "quiet": False}


def test_an_answer_is_printed_as_it_was_written(
    record: Any, listener: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    written = [("out", "one\n"), ("err", "two\n"), ("out", "three\n")]
    record(port=listener(told(**ANSWER, written=written)))
    assert handed_over(["query", "a"]) == 3
    assert capsys.readouterr() == ("one\nthree\n", "two\n")


@pytest.mark.parametrize(
    "answer",
    [
        told(**{**ANSWER, "proof": "guessed"}, written=[("out", "forged")]),
        told(**{**ANSWER, "answered": False}, written=[("out", "forged")]),
        told(detail="no"),
        told(**ANSWER, written=[("out", "forged")])[:-20],
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"",
        None,
    ],
)
def test_the_command_answers_by_itself_where_another_program_does(
    record: Any, listener: Any, capsys: pytest.CaptureFixture[str], answer: bytes | None
) -> None:
    record(port=listener(answer))
    assert handed_over(["query", "a"]) is None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["index", "."],
        ["query", "--help"],
        ["query", "-"],
        ["query", "a", "-v"],
        ["query", "--queries=x"],
        ["query", "a", "--server=none"],
    ],
)
def test_other_command_lines_are_not_handed_over(
    record: Any, listener: Any, words: list[str]
) -> None:
    record(port=listener(told(**ANSWER, written=[("out", "forged")])))
    assert handed_over(words) is None
