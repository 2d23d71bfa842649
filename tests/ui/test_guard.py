"""Requests by hand to the page's server: what another web page, or another name, could send."""

import socket
import time

import pytest

EVIL = "evil.example"
HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
PATHS = ("/", "/_stcore/health", "/_stcore/host-config", "/media/none.mp4", "/static/none.js")


def ask(port: int, first_line: str, *headers: str) -> tuple[int, dict[str, str], str]:
    """Send a request as it is written here; status, headers and body of the answer."""
    lines = [first_line, *headers, "Content-Length: 0", "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).replace("PORT", str(port)).encode())
        answer = connection.makefile("rb")
        status = int(answer.readline().split()[1])
        told = {}
        while line := answer.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            told[name.lower()] = value.strip()
        length = int(told.get("content-length", 0))
        return status, told, answer.read(length).decode()


def get(port: int, *headers: str, path: str = "/") -> int:
    return ask(port, f"GET {path} HTTP/1.1", *headers)[0]


def open_websocket(port: int, *headers: str) -> int:
    """The status of a handshake: 101 when it opens."""
    return ask(port, "GET /_stcore/stream HTTP/1.1", *HANDSHAKE, *headers)[0]


FOREIGN_HOSTS = [
    EVIL,
    f"{EVIL}:PORT",
    f"127.0.0.1.{EVIL}:PORT",
    f"localhost.{EVIL}",
    f"127.0.0.1:PORT@{EVIL}",
    f"{EVIL}/127.0.0.1:PORT",
    "127.0.0.1:",
    "127.0.0.2:PORT",
    "0.0.0.0:PORT",
    "2130706433:PORT",
    "[::1]:PORT",
    "localhost.:PORT",
    "",
]
FOREIGN_ORIGINS = [
    f"http://{EVIL}",
    f"http://{EVIL}:PORT",
    f"http://127.0.0.1:PORT.{EVIL}",
    f"http://127.0.0.1:PORT@{EVIL}",
    "http://localhost:PORT",  # another name for the same server is another site to a browser
    "http://127.0.0.1:3000",
    "http://localhost:3000",
    "https://127.0.0.1:PORT",
    "http://127.0.0.1",
    "file://",
    "null",
    "",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_request_under_a_foreign_name_is_refused(port: int, host: str) -> None:
    for path in PATHS:
        assert get(port, f"Host: {host}", path=path) in (400, 403)
    assert get(port, f"Host: {host}", f"Origin: http://{host}") in (400, 403)
    assert open_websocket(port, f"Host: {host}", f"Origin: http://{host}") in (400, 403)
    assert open_websocket(port, f"Host: {host}", "Origin: http://127.0.0.1:PORT") in (400, 403)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_request_of_a_foreign_origin_is_refused(port: int, origin: str) -> None:
    headers = ("Host: 127.0.0.1:PORT", f"Origin: {origin}")
    for path in PATHS:
        assert get(port, *headers, path=path) == 403
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        asked = (*headers, "Access-Control-Request-Method: PUT")
        status, told, _ = ask(port, f"{method} /_stcore/upload_file/a/b HTTP/1.1", *asked)
        assert status == 403
        assert not [name for name in told if name.startswith("access-control-")]
    assert open_websocket(port, *headers) == 403


def test_a_request_without_a_host_is_refused(port: int) -> None:
    assert ask(port, "GET / HTTP/1.0")[0] in (400, 403)
    assert get(port) in (400, 403)
    assert open_websocket(port, "Origin: http://127.0.0.1:PORT") in (400, 403)


def test_of_two_hosts_or_origins_neither_counts(port: int) -> None:
    own, origin = "Host: 127.0.0.1:PORT", "Origin: http://127.0.0.1:PORT"
    for pair in ((own, f"Host: {EVIL}"), (f"Host: {EVIL}", own), (own, own)):
        assert get(port, *pair) in (400, 403)
        assert open_websocket(port, *pair, origin) in (400, 403)
    for pair in ((origin, f"Origin: http://{EVIL}"), (f"Origin: http://{EVIL}", origin)):
        assert get(port, own, *pair) == 403
        assert open_websocket(port, own, *pair) in (400, 403)


def test_a_websocket_without_an_origin_is_refused(port: int) -> None:
    assert open_websocket(port, "Host: 127.0.0.1:PORT") == 403
    asked = ("Host: 127.0.0.1:PORT", "Sec-WebSocket-Protocol: streamlit, PLACEHOLDER")
    assert open_websocket(port, *asked) == 403
    assert open_websocket(port, *asked, "Sec-Fetch-Site: none") == 403


def test_the_word_of_a_proxy_counts_for_nothing(port: int) -> None:
    host, origin = f"Host: {EVIL}", f"Origin: http://{EVIL}"
    forwarded = ("X-Forwarded-Host: 127.0.0.1:PORT", "Forwarded: host=127.0.0.1", "X-Real-IP: ::1")
    assert get(port, host, *forwarded) == 403
    assert open_websocket(port, host, origin, *forwarded) == 403
    assert get(port, "Host: 127.0.0.1:PORT", "X-Forwarded-Proto: https", origin) == 403


@pytest.mark.parametrize(
    ("site", "mode", "goal"),
    [
        ("cross-site", "no-cors", "image"),
        ("cross-site", "no-cors", "script"),
        ("cross-site", "navigate", "iframe"),
        ("cross-site", "navigate", "object"),
        ("same-site", "no-cors", "video"),  # localhost, another port
        ("same-site", "navigate", "frame"),
        ("something new", "no-cors", "empty"),
    ],
)
def test_a_piece_of_the_page_is_not_for_other_sites(
    port: int, site: str, mode: str, goal: str
) -> None:
    fetched = (f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {goal}")
    for path in PATHS:
        assert get(port, "Host: localhost:PORT", *fetched, path=path) == 403


def test_only_reading_goes_without_an_origin(port: int) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert ask(port, f"{method} / HTTP/1.1", "Host: 127.0.0.1:PORT")[0] == 403
    assert ask(port, "HEAD / HTTP/1.1", "Host: 127.0.0.1:PORT")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: 127.0.0.1:PORT",),
        ("Host: LocalHost:PORT",),
        ("Host: 127.0.0.1:PORT", "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"),
        ("Host: 127.0.0.1:PORT", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: script"),
        (
            "Host: 127.0.0.1:PORT",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
        ),
        ("Host: 127.0.0.1:PORT", "Origin: http://127.0.0.1:PORT"),
    ],
)
def test_the_page_opens_by_its_address_by_a_link_and_for_itself(
    port: int, headers: tuple[str, ...]
) -> None:
    assert get(port, *headers) == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:PORT",
        "localhost:PORT",
        "localhost:9",  # the near end of a tunnel
    ],
)
def test_the_page_talks_to_its_server(port: int, host: str) -> None:
    asked = (f"Host: {host}", f"Origin: http://{host}", "Sec-WebSocket-Protocol: streamlit")
    assert open_websocket(port, *asked) == 101


def test_each_answer_forbids_what_the_page_does_not_need(port: int) -> None:
    for host in ("127.0.0.1:PORT", EVIL):
        for path in PATHS:
            _, told, _ = ask(port, f"GET {path} HTTP/1.1", f"Host: {host}")
            policy = told["content-security-policy"].split("; ")
            assert {"default-src 'none'", "script-src 'self' blob:", "connect-src 'self'"} <= {
                *policy
            }
            assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= {*policy}
            assert told["cross-origin-resource-policy"] == "same-origin"
            assert told["x-content-type-options"] == "nosniff"
            assert "access-control-allow-origin" not in told


def test_a_refusal_names_the_address_that_works(port: int) -> None:
    _, _, body = ask(port, "GET / HTTP/1.1", f"Host: {EVIL}")
    assert f"http://127.0.0.1:{port}" in body
    assert len(body.splitlines()) == 1


def test_nobody_is_called_whatever_is_asked(served) -> None:
    for origin in FOREIGN_ORIGINS:
        open_websocket(served.port, "Host: 127.0.0.1:PORT", f"Origin: {origin}")
    for host in FOREIGN_HOSTS:
        open_websocket(served.port, f"Host: {host}", f"Origin: http://{host}")
    time.sleep(1)  # for a call that is made beside the answer
    assert served.witness.exists()
    assert served.calls == []
