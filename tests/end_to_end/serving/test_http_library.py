"""Videos, pictures, bytes and index runs over HTTP, from one server that may index."""

import http.client
import io
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from PIL import Image

from serving.api.answers import Answer, IndexState, Problem, Status, Video, Videos
from tests.end_to_end.serving.conftest import Place, serving
from vsearch.services.library.detached_index import DetachedIndex
from vsearch.settings import Settings

LARGE = 64 << 20  # more bytes than all buffers on the way to a client hold


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, make_film: Any) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make_film(folder / "long.mp4", seconds=20, seed=3)
    make_film(folder / "below" / "short.mp4", seconds=3, seed=1)
    make_film(folder / "gone.mp4", seconds=3, seed=4)
    with make_film(folder / "large.mp4", seconds=3, seed=5).open("ab") as large:
        large.write((LARGE + 8).to_bytes(4, "big") + b"free")
        large.truncate(large.tell() + LARGE)
    return folder


@pytest.fixture(scope="module")
def place(home: Path, films: Path) -> Iterator[Place]:
    (films / "gone.mp4").unlink()
    with serving(home, films, "--allow-index") as served:
        yield served


@pytest.fixture(scope="module")
def ids(place: Place) -> dict[str, int]:
    _, listed = place.request("/api/videos")
    return {Path(one["path"]).name: one["video_id"] for one in listed["videos"]}


def fetch(
    place: Place, path: str, *, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """The status, the headers and the bytes of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", place.port, timeout=60)) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()


def without_time(answer: Any) -> Any:
    assert answer.pop("took_ms") > 0
    return answer


def test_likes_of_clips_and_moments_are_those_of_the_command(
    place: Place, here: Callable[..., Any], ids: dict[str, int]
) -> None:
    long = ids["long.mp4"]
    _, out, _ = here("query", "--like", f"{place.films / 'long.mp4'}@12.5", "-k", 3, "--json")
    expected = without_time(json.loads(out))
    assert expected["hits"]
    status, found = place.request(f"/api/similar?video_id={long}&at=12.5&limit=3")
    assert (status, without_time(found)) == (200, expected)
    asked = {"video_id": long, "at": 12.5, "limit": 3}
    status, found = place.request("/api/similar", asked)
    assert (status, without_time(found)) == (200, expected)

    hit = expected["hits"][0]
    _, of_clip = place.request(f"/api/similar?clip_id={hit['clip_id']}&in=*/long.mp4")
    _, example = of_clip["asked"]["steps"][0].popitem()
    assert example[0]["path"] == hit["path"]
    assert {Path(one["path"]).name for one in of_clip["hits"]} <= {"long.mp4"}
    _, whole = place.request("/api/similar", {"video_id": long, "text": "rain", "all": True})
    _, out, _ = here("query", "rain", "--like", place.films / "long.mp4", "--all", "--json")
    assert without_time(whole) == without_time(json.loads(out))


def test_videos_are_listed_page_by_page_and_by_folder(place: Place, ids: dict[str, int]) -> None:
    assert len(ids) == 4
    seen, cursor = [], 0
    while cursor is not None:
        _, page = place.request(f"/api/videos?limit=3&cursor={cursor}")
        assert len(page["videos"]) <= 3
        seen += [one["video_id"] for one in page["videos"]]
        cursor = page["cursor"]
    assert seen == sorted(ids.values())
    _, below = place.request(f"/api/videos?folder={place.films}/below")
    assert [one["video_id"] for one in below["videos"]] == [ids["short.mp4"]]


def test_a_video_is_told_with_the_state_of_its_files(place: Place, ids: dict[str, int]) -> None:
    _, gone = place.request(f"/api/videos/{ids['gone.mp4']}")
    assert [one["state"] for one in gone["files"]] == ["gone"]
    _, there = place.request(f"/api/videos/{ids['long.mp4']}")
    assert (there["files"][0]["state"], there["clips"]) == ("there", 4)


def test_all_answers_are_of_the_types_in_the_description(place: Place, ids: dict[str, int]) -> None:
    _, document = place.request("/api/openapi.json")
    OpenAPIV31SpecValidator(document).validate()
    _, answer = place.search(text=["a", "b"], all=True, curve=True)
    Answer.model_validate(answer, strict=True)
    assert answer["hits"]
    assert answer["curves"]
    Answer.model_validate(place.search(text="unlike anything")[1], strict=True)
    for path, kind in (
        ("/api/status", Status),
        ("/api/videos", Videos),
        (f"/api/videos/{ids['long.mp4']}", Video),
        ("/api/index", IndexState),
        ("/api/videos/99", Problem),
    ):
        kind.model_validate(place.request(path)[1], strict=True)


def test_pictures_are_of_a_second_or_of_a_clip(place: Place, ids: dict[str, int]) -> None:
    long = ids["long.mp4"]
    _, answer = place.search(text="a", all=True, **{"in": "*/long.mp4", "per-video": 1})
    clip = answer["hits"][0]["clip_id"]
    for path in (f"/api/still?video_id={long}&at=2.5", f"/api/still?clip_id={clip}"):
        status, headers, body = fetch(place, path)
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(body)).format == "JPEG"
        assert fetch(place, path, If_None_Match=headers["etag"])[0] == 304
        assert fetch(place, path, method="HEAD")[::2] == (200, b"")
    status, problem = place.request(f"/api/still?video_id={long}&at=1000")
    assert (status, problem["detail"][:16]) == (416, "The film ends at")
    _, of_span, one = fetch(place, f"/api/sprite?video_id={long}&start=0&end=8")
    assert "columns=" in of_span["x-sprite"]
    assert "start=0.000 end=8.000" in of_span["x-sprite"]
    status, of_clip, other = fetch(place, f"/api/sprite?clip_id={clip}")
    assert status == 200
    assert Image.open(io.BytesIO(one)).size == Image.open(io.BytesIO(other)).size
    assert of_clip["x-sprite"].startswith("columns=")


def test_bytes_come_by_range_and_only_of_what_is_as_it_was_indexed(
    place: Place, ids: dict[str, int]
) -> None:
    whole = (place.films / "long.mp4").read_bytes()
    path = f"/api/media/{ids['long.mp4']}"
    status, headers, body = fetch(place, path)
    assert (status, headers["accept-ranges"], body) == (200, "bytes", whole)
    status, headers, body = fetch(place, path, Range="bytes=100-299")
    assert (status, body) == (206, whole[100:300])
    assert headers["content-range"] == f"bytes 100-299/{len(whole)}"
    status, headers, body = fetch(place, path, Range=f"bytes={len(whole)}-")
    assert (status, headers["content-type"]) == (416, "application/problem+json")
    assert headers["content-range"] == f"bytes */{len(whole)}"
    assert fetch(place, path, method="HEAD")[1]["content-length"] == str(len(whole))
    assert place.request(f"/api/media/{ids['gone.mp4']}")[0] == 410


@pytest.mark.parametrize(
    ("status", "path", "says"),
    [
        (400, "/api/videos?limt=3", "no 'limt' in this address; give folder, cursor, limit"),
        (400, "/api/videos?limit=x", "limit is 'x'; give a whole number"),
        (400, "/api/videos?limit=0", "limit is '0'; give 1 or more"),
        (400, "/api/videos?limit=1001", "limit is '1001'; give 1000 or less"),
        (400, "/api/videos?folder=films", "'films' is no whole path"),
        (404, "/api/videos?folder=/nowhere", "nothing is known at or below /nowhere"),
        (400, "/api/videos/x", "video_id is 'x'; give a whole number"),
        (404, "/api/videos/99", "the catalog has no video 99"),
        (400, f"/api/videos/{2**63}", "give 9223372036854775807 or less"),
        (404, f"/api/videos/{2**63 - 1}", "the catalog has no video"),
        (404, "/api/media/99", "no such film in the catalog"),
        (400, "/api/media/..%2f..%2fetc%2fpasswd", ""),
        (400, "/api/media/1?path=/etc/passwd", "there is no 'path' in this address; it has none"),
        (400, "/api/similar", "give either a clip_id or a video_id"),
        (400, "/api/similar?clip_id=1&video_id=1", "give either a clip_id or a video_id"),
        (400, "/api/similar?clip_id=1&at=2", "leave `at` out"),
        (404, "/api/similar?clip_id=999", "the catalog has no clip 999"),
        (404, "/api/similar?video_id=99", "the catalog has no video 99"),
        (400, "/api/similar?video_id=1&at=99999", "before 27:46:39"),
        (400, "/api/similar?clip_id=1&limit=0", "a whole number from 1 to"),
        (400, "/api/still?video_id=1", "give `at` in seconds"),
        (400, "/api/still?video_id=1&at=nan", "at is 'nan'; give a number"),
        (400, "/api/still?video_id=1&at=-1", "at is '-1'; give 0 or more"),
        (400, "/api/still?video_id=1&at=1e308", "at is '1e308'; give 100000000 or less"),
        (404, "/api/still?clip_id=999", "the catalog has no clip 999"),
        (400, "/api/sprite?video_id=1&start=3", "give start and end"),
        (400, "/api/sprite?video_id=1&start=3&end=2", "an end that is later"),
        (400, "/api/sprite?clip_id=1&start=3", "leave start and end out"),
        (400, "/api/status?x=1", "there is no 'x' in this address; it has none"),
    ],
)
def test_what_is_not_known_is_refused_with_a_sentence(
    place: Place, status: int, path: str, says: str
) -> None:
    found, problem = place.request(path)
    assert found == problem["status"]
    assert found == status or (found == 404 and not says)
    assert says in problem["detail"]


@pytest.mark.parametrize(
    ("status", "path", "body", "says"),
    [
        (400, "/api/similar", {"clip": 3}, "give either a clip_id or a video_id"),
        (400, "/api/similar", {"clip_id": "3"}, "clip_id is '3'; give a whole number"),
        (400, "/api/similar", {"clip_id": 1, "lmit": 3}, "there is no 'lmit' in a question"),
        (400, "/api/index", {"paths": []}, "paths is []; give a list of 1 or more"),
        (400, "/api/index", {"paths": "/films"}, "paths is '/films'; give a list"),
        (400, "/api/index", {"path": "/films"}, "paths is missing; give it"),
        (400, "/api/index", {"paths": ["/"], "model": "x"}, "model is not known here"),
        (400, "/api/index", {"paths": ["films"]}, "'films' is not a whole path"),
        (400, "/api/index", {"paths": ["/not there"]}, "/not there is not there"),
    ],
)
def test_bodies_that_make_no_sense_are_refused_with_a_sentence(
    place: Place, status: int, path: str, body: Any, says: str
) -> None:
    found, problem = place.request(path, body)
    assert found == problem["status"] == status
    assert says in problem["detail"]


def asking(place: Place, head: str) -> socket.socket:
    asker = socket.create_connection(("127.0.0.1", place.port), timeout=60)
    asker.sendall(f"{head}\r\nHost: localhost\r\n\r\n".encode())
    return asker


def holds_open(place: Place, name: str) -> bool:
    """Whether the server has a file open."""
    for link in Path(f"/proc/{place.process.pid}/fd").iterdir():
        try:
            if link.readlink() == place.films / name:
                return True
        except OSError:
            continue
    return False


def wait_until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_those_who_read_slowly_hold_nobody_up_and_leave_nothing_open(
    place: Place, ids: dict[str, int]
) -> None:
    with ExitStack() as open_ones:
        for _ in range(40):
            asker = asking(place, f"GET /api/media/{ids['large.mp4']} HTTP/1.1")
            assert open_ones.enter_context(asker).recv(100).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        assert place.search(text="a")[0] == 200
        assert fetch(place, f"/api/media/{ids['large.mp4']}", Range="bytes=0-9")[0] == 206
        assert time.monotonic() - started < 10
        assert holds_open(place, "large.mp4")
    wait_until(lambda: not holds_open(place, "large.mp4"))


def events_in(stream: Any) -> Iterator[tuple[str, str, Any]]:
    """The name, the id and the data of each server-sent event."""
    told: dict[str, str] = {}
    for line in stream:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if line == b"\n" and told:
            yield told["event"], told["id"], json.loads(told["data"])
            told = {}
        elif name in ("event", "id", "data"):
            told[name] = value


def test_an_index_run_is_started_followed_and_stopped(place: Place, make_film: Any) -> None:
    make_film(place.films / "new.mp4", seconds=5, seed=9)
    status, begun = place.request("/api/index", {"paths": [str(place.films)]})
    assert (status, begun["running"], begun["paths"]) == (202, True, [str(place.films)])
    status, problem = place.request("/api/index", {"paths": [str(place.films)]})
    assert (status, problem["detail"][:28]) == (409, "an index run goes on already")
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=60)
    with closing(connection):
        connection.request("GET", "/api/index/events")
        answer = connection.getresponse()
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        events = [*events_in(answer)]
    names = [name for name, _, _ in events]
    assert {"walked", "progress", "file", "end"} <= set(names)
    *_, (last, mark, state) = events
    assert last == "end"
    assert state == place.request("/api/index")[1]
    assert state["result"]["indexed"] == 1
    IndexState.model_validate(state, strict=True)

    _, _, again = fetch(place, "/api/index/events", Last_Event_ID=events[1][1])
    assert [*events_in(io.BytesIO(again))] == events[2:]
    assert fetch(place, "/api/index/events", Last_Event_ID=mark)[0] == 204

    make_film(place.films / "another.mp4", seconds=60, seed=10)
    assert place.request("/api/index", {"paths": [str(place.films)]})[0] == 202
    assert place.request("/api/index", method="DELETE")[0] == 200
    wait_until(lambda: not place.request("/api/index")[1]["running"])
    ended = place.request("/api/index")[1]["result"]
    assert ended is None or ended["interrupted"]


def test_the_end_of_the_server_ends_what_is_being_sent_and_no_run(
    place: Place, home: Path, films: Path, ids: dict[str, int], make_film: Any
) -> None:
    make_film(films / "last.mp4", seconds=30, seed=11)
    with serving(home, films, "--allow-index") as other:
        with asking(other, f"GET /api/media/{ids['large.mp4']} HTTP/1.1") as watching:
            assert other.request("/api/index", {"paths": [str(films)]})[0] == 202
            with asking(other, "GET /api/index/events HTTP/1.0") as following:
                assert following.recv(100).startswith(b"HTTP/1.1 200")
                started = time.monotonic()
                other.process.send_signal(signal.SIGTERM)
                while following.recv(65536):
                    pass
                assert time.monotonic() - started < 4
                assert watching.recv(100).startswith(b"HTTP/1.1 200")
        assert other.process.wait(20) == 0
        assert other.process.stderr is not None
        said = other.process.stderr.read()
        assert "Traceback" not in said
        assert "Cancel" not in said
    runs = DetachedIndex(Settings(home=home, catalog=home / "catalog"))
    wait_until(lambda: not getattr(runs.state(), "running", False), seconds=60)
    state = runs.state()
    assert state is not None
    assert state.result is not None
    assert not state.result["interrupted"]
