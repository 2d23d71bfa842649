"""The file of a film by range, as players ask for it."""

import os
import random
import socket
import time
from typing import Any

from vsearch.services.answers.search import open_searcher


def test_a_film_comes_whole_and_in_any_range(cinema: Any) -> None:
    content = (cinema.folder / "sounding.mp4").read_bytes()
    size, address = len(content), cinema.of("film", "sounding.mp4")
    whole = cinema.get(address)
    assert (whole.status, whole.body) == (200, content)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    for told, first, last in [
        ("bytes=0-", 0, size - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        (f"bytes={size - 1}-", size - 1, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=-{size * 2}", 0, size - 1),
        (f"bytes=5-{size * 9}", 5, size - 1),
    ]:
        part = cinema.get(address, Range=told)
        assert (part.status, part.body) == (206, content[first : last + 1]), told
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert part.headers["content-length"] == str(last - first + 1)


def test_a_range_behind_the_end_is_refused_and_what_is_none_is_ignored(cinema: Any) -> None:
    content = (cinema.folder / "sounding.mp4").read_bytes()
    address = cinema.of("film", "sounding.mp4")
    for told in (f"bytes={len(content)}-", "bytes=-0", "bytes=999999999999-"):
        refused = cinema.get(address, Range=told)
        assert refused.status == 416, told
        assert refused.headers["content-range"] == f"bytes */{len(content)}"
        assert "error" in refused.json
    for told in ("bytes=9-1", "bytes=-", "bytes=0-1,5-9", "pages=1-2", "bytes=a-b", "bytes=١-٢"):
        assert cinema.get(address, Range=told.encode()).body == content, told


def test_head_tells_all_but_the_bytes(cinema: Any) -> None:
    size = (cinema.folder / "sounding.mp4").stat().st_size
    head = cinema.get(cinema.of("film", "sounding.mp4"), method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(size))
    part = cinema.get(cinema.of("film", "sounding.mp4"), method="HEAD", Range="bytes=2-3")
    assert (part.status, part.body, part.headers["content-length"]) == (206, b"", "2")


def test_a_part_is_joined_only_to_the_same_file(cinema: Any) -> None:
    address = cinema.of("film", "sounding.mp4")
    told = cinema.get(address, method="HEAD").headers
    for same in (told["etag"], told["last-modified"]):
        assert cinema.get(address, Range="bytes=1-2", If_Range=same).status == 206
    for other in ('"another"', "W/" + told["etag"], "Thu, 01 Jan 1970 00:00:00 GMT"):
        assert cinema.get(address, Range="bytes=1-2", If_Range=other).status == 200
    assert cinema.get(address, If_None_Match=f'"a", {told["etag"]}').status == 304
    assert cinema.get(address, If_None_Match='"a"').status == 200


def test_only_films_of_the_catalog_are_given(cinema: Any) -> None:
    (cinema.folder / "note.txt").write_text("private")
    for name in (
        "0",
        "999999",
        "-1",
        "1.5",
        "9" * 5000,
        "%2e%2e",
        "..%2fnote.txt",
        "x",
        "%EF%BC%91",
    ):
        for kind in ("film", "live", "playable", "still", "sprite"):
            answer = cinema.get(f"/{kind}/{name}?at=1&start=0&end=2")
            assert answer.status in (400, 404) or b"<html" in answer.body, (kind, name)
            assert b"private" not in answer.body


def test_a_film_that_is_gone_changed_or_swapped_is_told(cinema: Any) -> None:
    (cinema.folder / "doomed.mp4").unlink()
    with (cinema.folder / "edited.mp4").open("ab") as file:
        file.write(b"more")
    swapped = cinema.folder / "swapped.mp4"
    swapped.unlink()
    os.mkfifo(swapped)
    queries = {
        "film": "",
        "live": "start=1",
        "playable": "",
        "still": "at=1",
        "sprite": "start=0&end=2",
    }
    for name, status, word in (
        ("doomed.mp4", 410, "gone"),
        ("edited.mp4", 409, "changed"),
        ("swapped.mp4", 409, "changed"),
    ):
        for kind, query in queries.items():
            answer = cinema.get(cinema.of(kind, name, query))
            assert answer.status == status, (kind, name)
            assert word in answer.json["error"]
            assert str(cinema.folder) not in answer.body.decode()


def test_another_web_page_gets_no_film(cinema: Any) -> None:
    for kind, query in (("film", ""), ("live", "start=1"), ("playable", ""), ("still", "at=1")):
        address = cinema.of(kind, "sounding.mp4", query)
        assert cinema.get(address, Host="evil.example").status == 403
        assert cinema.get(address, Origin="http://evil.example").status == 403
        assert cinema.get(address, Sec_Fetch_Site="cross-site").status == 403
        assert cinema.get(address, method="POST").status == 403


def test_after_hundreds_of_seeks_no_film_is_open_and_seeks_are_quick(cinema: Any) -> None:
    size, chance = (cinema.folder / "large.mp4").stat().st_size, random.Random(1)
    address = cinema.of("film", "large.mp4")
    for _ in range(200):  # each ends in the middle, as a player's seek does
        ask = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{cinema.port}\r\n"
        with socket.create_connection(("127.0.0.1", cinema.port), timeout=30) as player:
            player.sendall(f"{ask}Range: bytes={chance.randrange(size)}-\r\n\r\n".encode())
            assert player.recv(100).startswith(b"HTTP/1.1 206")
    begun = time.monotonic()
    assert cinema.get(address, Range="bytes=1000-1999").status == 206
    assert time.monotonic() - begun < 2
    deadline = time.monotonic() + 20
    while cinema.files_open():
        assert time.monotonic() < deadline, cinema.files_open()
        time.sleep(0.05)


def test_a_browser_that_reads_slowly_is_not_read_ahead_for(cinema: Any) -> None:
    with socket.socket() as player:
        player.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        player.connect(("127.0.0.1", cinema.port))
        address = cinema.of("film", "large.mp4")
        player.sendall(f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{cinema.port}\r\n\r\n".encode())
        player.recv(10)
        deadline = time.monotonic() + 20
        time.sleep(1)  # for whoever reads on
        assert len(cinema.files_open()) == 1
    while cinema.files_open():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_film_of_a_moment_is_found_by_its_number(cinema: Any) -> None:
    with open_searcher(cinema.settings) as searcher:
        hits = searcher.search("a film").hits
    assert hits
    numbers = {hit.path.name: hit.video_id for hit in hits}
    assert numbers == {name: cinema.ids[name] for name in numbers}
