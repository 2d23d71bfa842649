"""`vsearch ui` serves the page on this machine only."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(vsearch: Any, port: int) -> Iterator["subprocess.Popen[str]"]:
    process = vsearch.start("ui", "--port", port, "--no-browser", "--json")
    try:
        for _ in range(600):
            if process.poll() is not None:
                pytest.fail(f"the page ended: {process.communicate()}")
            try:
                with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                    assert answer.status == 200
                    break
            except URLError:
                time.sleep(0.1)
        else:
            pytest.fail("the page did not answer within a minute")
        yield process
    finally:
        process.kill()
        process.communicate()


def listening_addresses(port: int) -> set[str]:
    """Who is listened to on a port, by the kernel's own table (IPv4 and IPv6)."""
    addresses = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, hexadecimal = local.split(":")
            if state == "0A" and int(hexadecimal, 16) == port:
                addresses.add(address)
    return addresses


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no table of sockets but on Linux")
def test_the_page_is_served_on_this_machine_only(indexed: tuple[Any, Any]) -> None:
    vsearch, _ = indexed
    port = free_port()
    with served(vsearch, port):
        assert listening_addresses(port) == {"0100007F"}  # 127.0.0.1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_page_says_where_it_is_and_ends_on_a_signal_without_another_word(
    indexed: tuple[Any, Any], name: str
) -> None:
    vsearch, _ = indexed
    port = free_port()
    with served(vsearch, port) as process, socket.create_connection(("127.0.0.1", port)) as window:
        window.sendall(handshake(port))
        assert b" 101 " in window.recv(1000)
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=60)
    assert out == f'{{"url": "http://127.0.0.1:{port}"}}\n'
    assert err == f"the page is at http://127.0.0.1:{port}; Ctrl-C ends it\n"
    assert process.returncode == 0


def handshake(port: int) -> bytes:
    """What a browser's window opens its connection with."""
    lines = (
        "GET /_stcore/stream HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: streamlit",
    )
    return "\r\n".join((*lines, "", "")).encode()


def test_a_model_that_cannot_be_had_is_refused_as_by_a_question(indexed: tuple[Any, Any]) -> None:
    vsearch, _ = indexed
    page = vsearch("ui", "--no-browser", "--port", free_port(), "--model", "./nosuch")
    question = vsearch("query", "a film", "--model", "./nosuch")
    assert (page.code, page.out, page.err) == (1, "", question.err)
    assert "nosuch" in page.err


def test_a_port_that_is_taken_is_refused_before_anything_is_said(
    indexed: tuple[Any, Any],
) -> None:
    vsearch, _ = indexed
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        run = vsearch("ui", "--port", port, "--no-browser", "--json")
    assert (run.code, run.out) == (1, "")
    assert f"port {port}" in run.err
    assert "--port N" in run.err
    assert "Traceback" not in run.err
