"""The HTTP API of `vsearch serve`, as programs, web pages and the ill-behaved ask it."""

import json
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.serving.conftest import Place

READ = (
    "status",
    "videos",
    "videos/1",
    "similar?clip_id=1",
    "still?clip_id=1",
    "sprite?clip_id=1",
    "media/1",
    "index/events",
)


def test_programs_have_the_json_of_the_command(place: Place, here: Any) -> None:
    _, out, _ = here("query", "a dog", "a cat", "--not", "rain", "-k", 2, "--all", "--json")
    status, answer = place.search(text=["a dog", "a cat"], limit=2, all=True, **{"not": "rain"})
    expected = json.loads(out)
    assert status == 200
    assert answer.pop("took_ms") > 0
    del expected["took_ms"]
    assert answer == expected
    assert answer["hits"]
    assert place.request("/api/status") == (200, json.loads(here("status", "--json")[1]))


@pytest.mark.parametrize(
    ("status", "question", "says"),
    [
        (400, {"text": "a", "lmit": 3}, "there is no 'lmit'"),
        (400, {"text": "a", "catalog": "/"}, "there is no 'catalog'"),
        (400, {"text": "a", "queries": "/etc/passwd"}, "there is no 'queries'"),
        (400, {"text": "a", "open": 1}, "there is no 'open'"),
        (400, {"text": "a", "server": "none"}, "there is no 'server'"),
        (400, {"text": "a", "limit": 0}, "a whole number from 1 to"),
        (400, {}, "it is empty"),
        (400, [], "a question is a JSON object"),
        (400, {"like": "/etc/passwd"}, "no video that is indexed"),
        (400, {"like": "/etc"}, "no video that is indexed"),
        (400, {"text": "\0"}, "NUL"),
    ],
)
def test_a_question_that_cannot_be_asked_is_a_problem(
    place: Place, status: int, question: Any, says: str
) -> None:
    found, problem = place.request("/api/search", question)
    assert found == problem["status"] == status
    assert says in problem["detail"]
    assert "\n" not in problem["detail"]


def test_addresses_methods_and_kinds_that_are_not_served_are_problems(place: Place) -> None:
    assert place.request("/api/nothing")[0] == 404
    status, problem = place.request("/")
    assert (status, problem["detail"]) == (404, "there is nothing at /; see /api/openapi.json")
    status, problem = place.request("/api/search")
    assert (status, problem["detail"]) == (405, "/api/search takes POST, not GET")
    status, problem = place.request("/api/search", {"text": "a"}, headers={})
    assert (status, problem["title"]) == (415, "Unsupported Media Type")


def test_a_server_only_reads_unless_it_is_told_otherwise(place: Place) -> None:
    for path, body, method in (
        ("/api/index", {"paths": [str(place.films)]}, "POST"),
        ("/api/index", None, "GET"),
        ("/api/index", None, "DELETE"),
        ("/api/index/events", None, "GET"),
    ):
        status, problem = place.request(path, body, method=method)
        assert status == 403
        assert problem["detail"] == (
            "this server only reads the catalog; where it may index for programs, start it with"
            " `--allow-index`"
        )


def test_the_api_is_described_for_those_who_write_clients(place: Place) -> None:
    _, document = place.request("/api/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert "/command" not in document["paths"]
    assert document["servers"] == [{"url": "/api"}]
    content = document["paths"]["/search"]["post"]["requestBody"]["content"]
    properties = content["application/json"]["schema"]["properties"]
    assert {"text", "like", "limit", "in", "all"} <= set(properties)
    assert not {"catalog", "model", "queries", "json", "server"} & set(properties)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_web_pages_get_no_answer(place: Place, headers: dict[str, str]) -> None:
    typed = {"Content-Type": "application/json", **headers}
    for path, body in (
        ("/api/search", {"text": "a"}),
        ("/api/command", {}),
        ("/api/index", {"paths": ["/"]}),
        *((f"/api/{path}", None) for path in READ),
    ):
        status, problem = place.request(path, body, headers=typed)
        assert status == 403
        assert f"http://127.0.0.1:{place.port}" in problem["detail"]
    status, _ = place.request("/api/search", method="OPTIONS", headers=typed)
    assert status == 403


def test_many_ask_at_once_and_each_gets_its_own_answer(place: Place) -> None:
    sentences = [f"number {number}" for number in range(40)]
    with ThreadPoolExecutor(8) as askers:
        found = list(askers.map(lambda text: place.search(text=text, all=True), sentences))
    assert [answer["query"] for status, answer in found if status == 200] == sentences
    best = {hit["clip_id"] for _, answer in found for hit in answer["hits"]}
    assert len(best) > 1


def test_the_slow_and_the_idle_hold_nobody_up(place: Place) -> None:
    with ExitStack() as open_ones:
        for number in range(400):
            asker = open_ones.enter_context(socket.create_connection(("127.0.0.1", place.port)))
            if number % 4 == 1:
                asker.sendall(b"POST /api/se")
            if number % 4 == 2:
                head = "POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
                asker.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
            if number % 4 == 3:  # asks, and never reads
                asker.sendall(b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        started = time.monotonic()
        assert place.search(text="a", all=True)[0] == 200
        assert time.monotonic() - started < 10


def memory(process: int) -> int:
    """The most memory that it had so far, in bytes."""
    told = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(re.findall(r"^VmHWM:\s+(\d+) kB", told, flags=re.MULTILINE)[0])


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the memory of others")
@pytest.mark.parametrize("form", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("asked", ["POST /api/search", "GET /api/status", "POST /api/nothing"])
def test_a_body_of_100_mb_is_refused_before_it_is_read(place: Place, form: str, asked: str) -> None:
    before = memory(place.process.pid)
    head = f"{asked} HTTP/1.1\r\nHost: localhost\r\n{form}\r\n"
    piece = b"x" * 1_000_000
    framed = f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if "chunked" in form else piece
    with socket.create_connection(("127.0.0.1", place.port), timeout=20) as asker:
        asker.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
        told = asker.recv(4096) if piece is framed else b""
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(100):
                asker.sendall(framed)
            pytest.fail("all of it was taken")
    assert told.startswith(b"HTTP/1.1 413" if piece is framed else b"")
    assert memory(place.process.pid) - before < 20_000_000
