"""`vsearch query` while a server runs: the same answers, and none from a wrong server."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from catalog import Catalog
from tests.end_to_end.serving.conftest import ODD, Place, free_port, serving
from vsearch.commands.handover import SERVER_FILE, TOKEN_VARIABLE, handed_over

TOKEN = "a token that nobody guesses"


def without_times(answer: tuple[int, bytes, bytes]) -> tuple[int, bytes, bytes]:
    code, out, err = answer
    return code, re.sub(rb'"took_ms": [0-9.]+', b"", out), err


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, ("a red circle", "--all")),
        (0, ("a red circle", "--all", "--json", "--curve", "--in", "*/long.mp4")),
        (0, ("a red circle", "--all", "-0")),
        (3, ("a red circle", "--all", "--paths")),
        (0, ("a red circle", "--in", "*/nowhere/*", "--after", "2001")),
        (0, ("a dog", "--then", "a cat", "--all", "--within", "5")),
        (0, ("--said", "good morning", "-q")),
        (0, ("--like", "short.mp4@0:01", "--json", "--all")),
        (0, ("a dog", "--like", "red.png^2", "--all", "--sort", "newest")),
        (2, ("--like", "missing.png")),
        (2, ("a", "--nonsense")),
        (2, ("a", "-k", "0")),
        (2, ()),
        (2, ("a", "--tag", "unheard")),
        (1, ("a red circle", "--in", "*/nowhere/*", "--open", "1")),
    ],
)
def test_a_server_answers_as_the_command_does(
    place: Place, here: Any, code: int, words: tuple[str, ...]
) -> None:
    answered = place.served("query", *words)
    assert without_times(answered) == without_times(here("query", *words))
    assert answered[0] == code
    assert answered[1] or answered[2] or "-q" in words


def test_a_terminal_gets_the_same_colours(place: Place) -> None:
    printed = []
    for flags in ((), ("--server", "none")):
        ours, theirs = os.openpty()
        variables = place.environment(TERM="xterm-256color", NO_COLOR="", CI="", COLORTERM="")
        words = ["search", "a red circle", "--all", "-k", "1", *flags]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vsearch", *words], env=variables, stdout=theirs
        )
        os.close(theirs)
        assert process.wait(timeout=120) == 0
        printed.append(os.read(ours, 65536))
        os.close(ours)
    assert printed[0] == printed[1]
    assert b"\x1b[" in printed[0]


def test_what_a_server_would_answer_otherwise_is_not_handed_over(
    place: Place, tmp_path: Path, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert here("--version")[0] == 0  # for its surroundings
    assert handed_over(["query", "a", "-q"]) == 0
    for words in (
        ("a", "--verbose"),
        ("a", "--catalog", "/nowhere"),
        ("a", "--model", "demo"),
        ("--queries", "/dev/null"),
        ("a", "--help"),
    ):
        assert handed_over(["query", *words]) is None, words
    (tmp_path / "link.mp4").symlink_to(place.films / "long.mp4")
    monkeypatch.chdir(tmp_path)
    assert handed_over(["query", "a", "-q", "--in", "long.mp4"]) == 0
    assert handed_over(["query", "a", "-q", "--in", "link.mp4"]) is None
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert handed_over(["query", "a", "-q"]) is None


def test_the_player_is_started_by_the_command_not_by_the_server(
    place: Place, tmp_path: Path
) -> None:
    player, played = tmp_path / "bin" / "mpv", tmp_path / "played"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\necho "$@" > {played}\n')
    player.chmod(0o755)
    done = place.command(
        "query", "a red circle", "--all", "--open", 1, PATH=f"{player.parent}:/usr/bin:/bin"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(b"mpv plays ")
    assert done.stdout.splitlines()[1].lstrip().startswith(b"mpv --start=")
    deadline = time.monotonic() + 20
    while not played.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert b"--start=" in played.read_bytes()


def test_a_named_server_answers_but_shows_no_files_that_are_not_indexed(place: Place) -> None:
    address = f"http://127.0.0.1:{place.port}"
    done = place.command("query", "a", "--all", "--paths", "--in", "*/long*", "--server", address)
    assert (done.returncode, done.stdout) == (0, f"{place.films}/long.mp4\n".encode())
    for example, says in (
        (place.films / "red.png", b"is no video that is indexed"),
        ("/etc/passwd", b"is no video that is indexed"),
        ("red.png", b"is no whole path"),
    ):
        done = place.command("query", "--like", example, "--server", address)
        assert (done.returncode, done.stdout) == (2, b"")
        assert says in done.stderr
    done = place.command("query", "a", "--queries", "/etc/passwd", "--server", address)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


def test_a_named_server_that_is_not_there_is_told_in_one_sentence(place: Place) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    done = place.command("query", "a", "--server", address)
    assert (done.returncode, done.stdout) == (1, b"")
    assert re.fullmatch(rb"vsearch: the server at http://\S+ cannot be reached .*\n", done.stderr)
    refused = place.command("query", "a", "--server", "localhost:1")
    assert refused.returncode == 2
    assert b"'localhost:1' is not allowed" in refused.stderr


def test_what_another_process_commits_is_in_the_answers_within_a_second(place: Place) -> None:
    gone = str(place.films / "gone.mp4")
    asked = {"text": "a", "all": True, "limit": 100, "per-video": 0}
    assert gone in {hit["path"] for hit in place.search(**asked)[1]["hits"]}
    with Catalog.open(place.home / "catalog") as catalog:
        catalog.remove_files([Path(gone)])
    started = time.monotonic()
    _, answer = place.search(**asked)
    assert time.monotonic() - started < 1
    assert answer["hits"]
    assert gone not in {hit["path"] for hit in answer["hits"]}


def agents_status(address: str, headers: dict[str, str]) -> int:
    """The status of a request for the tools of agents."""
    told = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    request = Request(f"{address}/mcp", json.dumps(asked).encode(), {**told, **headers})
    try:
        with urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_strangers_need_the_token_and_a_server_ends_in_order(
    place: Place, films: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(place.home / "catalog", home / "catalog")
    with serving(home, films, "--host", "127.0.0.2", VSEARCH_TOKEN=TOKEN) as guarded:
        address = f"http://127.0.0.2:{guarded.port}"
        ask = ("query", "a red circle", "--all", "--paths", "--in", "*/long*")
        expected = f"{films}/long.mp4\n".encode()
        assert guarded.served(*ask) == (0, expected, b"")  # it is this user's own
        refused = guarded.command(*ask, "--server", address)
        assert (refused.returncode, refused.stdout) == (1, b"")
        assert b"a token is needed" in refused.stderr
        assert guarded.command(*ask, "--server", f"{address}/?token=guessed").returncode == 1
        for named, variables in (
            (f"{address}/?token={TOKEN}", {}),
            (address, {TOKEN_VARIABLE: TOKEN}),
        ):
            told = guarded.command(*ask, "--server", named, **variables)
            assert (told.returncode, told.stdout) == (0, expected), told.stderr
        assert agents_status(address, {}) == 403
        assert agents_status(address, {"Authorization": f"Bearer {TOKEN}"}) == 200
        with socket.create_connection(("127.0.0.2", guarded.port)):  # an idle one
            guarded.process.send_signal(signal.SIGTERM)
            assert guarded.process.wait(timeout=30) == 0
        assert guarded.process.stderr is not None
        said = guarded.process.stderr.read()
        assert f"{address}/?token={TOKEN}" in said
        assert "Traceback" not in said
        assert not (home / SERVER_FILE).exists()


def test_a_catalog_that_was_replaced_is_opened_again(place: Place) -> None:
    catalog, beside = place.home / "catalog", place.home / "other"
    shutil.copytree(catalog, beside)
    with Catalog.open(beside) as other:
        other.remove_files([place.films / ODD])
    catalog.rename(place.home / "before")
    beside.rename(catalog)
    paths = {hit["path"] for hit in place.search(text="a", all=True, limit=100)[1]["hits"]}
    assert paths == {str(place.films / "long.mp4"), str(place.films / "short.mp4")}
    assert place.request("/api/status")[1]["videos"] == 2


def test_after_a_server_was_killed_the_command_answers_by_itself(place: Place) -> None:
    place.process.kill()
    place.process.wait(timeout=30)
    assert (place.home / SERVER_FILE).exists()
    done = place.command("query", "a", "--all", "--paths", "--in", "*/long*")
    assert (done.returncode, done.stdout) == (0, f"{place.films}/long.mp4\n".encode())


def test_a_server_without_a_catalog_is_refused_in_one_sentence(vsearch: Any) -> None:
    run = vsearch("serve", "--port", free_port())
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("vsearch: there is no catalog in ")
    assert run.err.count("\n") == 1
