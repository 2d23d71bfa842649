"""The page at another address than 127.0.0.1: only with its token."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.ui.conftest import REPOSITORY, free_port

ELSEWHERE = "127.0.0.2"  # an address that needs a token, on every Linux machine
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "streamlit",
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is Linux's")


def vsearch_ui(settings: Any, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-P", "-m", "vsearch", "ui", "--catalog", str(settings.catalog)]
    variables = {"PYTHONPATH": str(REPOSITORY), "VSEARCH_HOME": str(settings.home)}
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def guarded(settings: Any, host: str) -> Iterator[tuple[int, str, str]]:
    """The port, the token, and what was said at the start."""
    port = free_port()
    process = vsearch_ui(settings, "--host", host, "--port", port, "--json")
    try:
        assert process.stderr is not None
        assert process.stdout is not None
        told = process.stderr.readline() + process.stderr.readline()
        url = json.loads(process.stdout.readline())["url"]
        assert url in told
        yield port, re.fullmatch(rf"http://.*:{port}/\?token=([\w-]{{40,}})", url)[1], told
    finally:
        process.kill()
        process.communicate()


def ask(port: int, path: str = "/", host: str = ELSEWHERE, **headers: str) -> Any:
    connection = http.client.HTTPConnection(ELSEWHERE, port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers={"Host": f"{host}:{port}", **named})
    answer = connection.getresponse()
    if answer.status != 101:
        answer.read()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def page(lasting_settings: Any) -> Iterator[tuple[int, str, str]]:
    with guarded(lasting_settings, ELSEWHERE) as page:
        yield page


def test_the_address_with_the_token_opens_the_page_once_and_for_all(page: Any) -> None:
    port, token, told = page
    assert "not encrypted" in told.replace("\n", " ")
    entered = ask(port, f"/?q=a+red%20car&token={token}")
    assert entered.status == 303
    assert entered.headers["location"] == "/?q=a+red+car"
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    pair = cookie.split(";")[0]
    for path in ("/", "/?q=a", "/_stcore/health", "/playable/1"):
        assert ask(port, path, Cookie=f"other=1; {pair}").status == 200
    origin = f"http://{ELSEWHERE}:{port}"
    assert ask(port, "/_stcore/stream", **HANDSHAKE, Cookie=pair, Origin=origin).status == 101


def test_without_the_token_nothing_is_told(page: Any) -> None:
    port, token, _ = page
    wrong = (token[:-1], token + "x", token.swapcase(), "", "é", token[::-1])
    for path in (
        "/",
        "/film/1",
        "/live/1?start=0",
        "/playable/1",
        "/still/1?at=1",
        "/_stcore/health",
    ):
        assert ask(port, path).status == 403
        for other in wrong:
            cookie = f"vsearch-{port}={other}".encode().decode("latin-1")
            assert ask(port, path, Cookie=cookie).status == 403
    for other in wrong[:4]:
        assert ask(port, f"/?token={other}").status == 403
    origin = f"http://{ELSEWHERE}:{port}"
    assert ask(port, "/_stcore/stream", **HANDSHAKE, Origin=origin).status == 403
    # The token is for the address of the page alone.
    assert ask(port, f"/film/1?token={token}").status == 403
    assert ask(port, f"//evil.example/?token={token}").status in (400, 403)


def test_another_web_page_gets_nothing_even_where_the_browser_has_the_cookie(page: Any) -> None:
    port, token, _ = page
    pair = f"vsearch-{port}={token}"
    assert ask(port, host="evil.example", Cookie=pair).status == 403
    assert ask(port, Cookie=pair, Origin="http://evil.example").status == 403
    assert ask(port, Cookie=pair, Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="video").status == 403
    assert ask(port, f"/?token={token}", host="evil.example").status == 403
    stream = ask(port, "/_stcore/stream", **HANDSHAKE, Cookie=pair, Origin="http://evil.example")
    assert stream.status == 403


def test_at_all_addresses_the_page_answers_to_numbers_and_its_own_name(
    lasting_settings: Any,
) -> None:
    with guarded(lasting_settings, "0.0.0.0") as (port, token, _):
        pair = f"vsearch-{port}={token}"
        for host in (ELSEWHERE, "127.0.0.1", "192.168.1.20", socket.gethostname()):
            assert ask(port, host=host, Cookie=pair).status == 200
            assert ask(port, host=host).status == 403
        for host in ("evil.example", "0x7f.1.", "127.0.0.1.evil.example"):
            assert ask(port, host=host, Cookie=pair).status == 403


def test_other_users_cannot_see_the_token(lasting_settings: Any) -> None:
    """Command lines are for all to see."""
    with guarded(lasting_settings, ELSEWHERE) as (_, token, _):
        lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert token not in lines.stdout


@pytest.mark.parametrize(
    ("host", "code"), [("192.0.2.1", 1), ("no.such.invalid", 1), ("", 2), ("a b", 2), ("*", 2)]
)
def test_an_address_that_is_none_is_refused_in_a_sentence(
    lasting_settings: Any, host: str, code: int
) -> None:
    process = vsearch_ui(lasting_settings, "--host", host, "--port", free_port())
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1
    assert "address" in err
