"""Tools for agents, asked by the SDK's own client: over HTTP, over stdio, and in this process."""

import asyncio
import base64
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import pytest
from mcp import Client, StdioServerParameters
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalog import Catalog
from serving.agents.answers import AgentAnswers
from serving.agents.endpoint import AgentsEndpoint
from serving.agents.tools import agent_server
from serving.commands import CommandLines
from serving.turns import Turns
from tests.end_to_end.serving.conftest import ODD, Place
from vsearch.services.answers.search import WarmSearch
from vsearch.settings import Settings

TOOLS = {"search_moments", "similar_moments", "list_videos", "get_moment", "classify"}
Ask = Callable[..., Any]


def asking(server: Any) -> Ask:
    """Calls a tool in a connection of its own."""

    async def ask(name: str, arguments: dict[str, Any]) -> Any:
        async with Client(server) as client:
            return await client.call_tool(name, arguments)

    return lambda name, **arguments: asyncio.run(ask(name, arguments))


@pytest.fixture(scope="module")
def ask(place: Place) -> Ask:
    """Of a server over HTTP."""
    return asking(f"http://127.0.0.1:{place.port}/mcp")


def in_process(home: Path) -> Ask:
    warm = WarmSearch(Settings(home=home, catalog=home / "catalog", device="cpu"))
    return asking(agent_server(AgentAnswers.of(CommandLines(warm)), Turns()))


def ids(place: Place) -> dict[str, int]:
    """The ids of the videos by their names."""
    with Catalog.open(place.home / "catalog") as catalog:
        return {video.paths[0].name: video.video_id for video in catalog.details.listed()}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_clients_of_either_protocol_are_told_of_tools_that_only_read(
    place: Place, path: str, mode: Any
) -> None:
    async def tools() -> Any:
        async with Client(f"http://127.0.0.1:{place.port}{path}", mode=mode) as client:
            assert "in the user's own videos" in (client.instructions or "")
            return (await client.list_tools()).tools

    found = asyncio.run(tools())
    assert {tool.name for tool in found} == TOOLS
    assert all(tool.annotations.read_only_hint for tool in found)
    assert all(tool.description and tool.output_schema for tool in found)


def test_moments_are_those_of_the_command(place: Place, ask: Ask, here: Any) -> None:
    words = ("a dog", "--not", "rain", "--in", "*.mp4", "--in", "!*/gone*", "-k", 3, "--all")
    told = json.loads(here("query", *words, "--json")[1])
    found = ask(
        "search_moments",
        text="a dog",
        minus=["rain"],
        paths=["*.mp4", "!*/gone*"],
        limit=3,
        show_unconvincing=True,
    )
    assert not found.is_error
    answer = found.structured_content
    assert json.loads(found.content[0].text)["query"] == answer["query"] == told["query"]
    assert answer["moments"]
    for moment, hit in zip(answer["moments"], told["hits"], strict=True):
        for name in ("video_id", "start", "end", "peak", "score", "captured", "confidence"):
            assert moment.get(name) == hit.get(name)
        where = f"http://127.0.0.1:{place.port}/api/media/{hit['video_id']}"
        assert moment["link"] == f"{where}#t={hit['start']:.10g},{hit['end']:.10g}"


def test_the_link_leads_to_the_file(place: Place, ask: Ask) -> None:
    found = ask("search_moments", text="a", paths=["*/long*"], show_unconvincing=True)
    with urlopen(found.structured_content["moments"][0]["link"]) as answer:
        assert answer.read() == (place.films / "long.mp4").read_bytes()


def test_a_moment_is_shown_and_has_others_like_it(place: Place, ask: Ask, here: Any) -> None:
    number = ids(place)["long.mp4"]
    found = ask("get_moment", video_id=number, seconds=6.5)
    facts, (text, picture) = found.structured_content, found.content
    assert (facts["path"], facts["seconds"]) == (str(place.films / "long.mp4"), 6.5)
    assert (facts["duration"], facts["width"], facts["height"]) == (20.0, 64, 48)
    assert "duration: 20.0" in text.text
    with Image.open(io.BytesIO(base64.b64decode(picture.data))) as still:
        assert (still.format, still.size, picture.mime_type) == ("JPEG", (64, 48), "image/jpeg")
    like = f"{place.films / 'long.mp4'}@6.5"
    told = json.loads(here("query", "--like", like, "-k", 2, "--json")[1])
    similar = ask("similar_moments", video_id=number, seconds=6.5, limit=2).structured_content
    assert [one["start"] for one in similar["moments"]] == [hit["start"] for hit in told["hits"]]
    assert len(similar["moments"]) == 2
    assert "confidence" not in similar["moments"][0]


def test_videos_are_listed_page_by_page_and_names_do_not_act(place: Place, ask: Ask) -> None:
    first = ask("list_videos", limit=3, folder=str(place.films)).structured_content
    rest = ask("list_videos", limit=3, cursor=first["cursor"]).structured_content
    videos = [*first["videos"], *rest["videos"]]
    assert {video["video_id"] for video in videos} == set(ids(place).values())
    assert rest["cursor"] is None
    paths = {video["path"] for video in videos}
    assert f"{place.films}/line\\nbreak \\xff.mp4" in paths
    shown = ask("get_moment", video_id=ids(place)[ODD], seconds=1).structured_content
    assert shown["path"] == f"{place.films}/line\\nbreak \\xff.mp4"


def test_a_video_is_classified(place: Place, ask: Ask, model: Path, here: Any) -> None:
    film = place.films / "short.mp4"
    told = json.loads(here("classify", film, "a dog", "a cat", "--json", "--device", "cpu")[1])
    number = ids(place)["short.mp4"]
    found = ask("classify", video_id=number, labels=["a dog", "a cat"]).structured_content
    assert [one["label"] for one in found["labels"]] == [one["label"] for one in told["labels"]]
    for one, other in zip(found["labels"], told["labels"], strict=True):
        assert one["probability"] == pytest.approx(other["probability"], abs=0.01)


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("search_moments", {}, "it is empty; say in words what to look for"),
        ("search_moments", {"text": "a", "after": "soon"}, "'soon' is no date; give one such as"),
        ("search_moments", {"text": "a", "tags": ["dog"]}, "there is no tag 'dog'"),
        ("search_moments", {"text": "a", "limit": 51}, "less than or equal to 50"),
        ("search_moments", {"text": "a\0"}, "NUL"),
        ("similar_moments", {"video_id": 10**30}, "the catalog has no video"),
        ("similar_moments", {"video_id": 1, "seconds": 1e8}, "ends at 00:03, before"),
        ("get_moment", {"video_id": 0, "seconds": 1}, "the catalog has no video 0"),
        ("get_moment", {"video_id": 1, "seconds": 1e8}, "the video lasts"),
        ("get_moment", {"video_id": "/etc/passwd", "seconds": 1}, "valid integer"),
        ("list_videos", {"folder": "films"}, "films is no whole path"),
        ("list_videos", {"folder": "/etc"}, "nothing is known at or below /etc"),
        ("classify", {"video_id": 1, "labels": ["a dog"]}, "give at least two labels"),
        ("remove_video", {"video_id": 1}, "Unknown tool"),
    ],
)
def test_what_cannot_be_done_is_told_in_the_words_of_the_command(
    ask: Ask, tool: str, arguments: dict[str, Any], says: str
) -> None:
    found = ask(tool, **arguments)
    assert found.is_error
    assert says in found.content[0].text
    assert len(found.content[0].text) < 500


def test_other_methods_and_web_pages_get_no_answer(place: Place) -> None:
    for path in ("/mcp", "/mcp/"):
        status, problem = place.request(path)
        assert (status, problem["detail"]) == (405, "agents send what they ask by POST")
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            told = {"Content-Type": "application/json", **headers}
            assert place.request(path, {}, headers=told)[0] == 403


def test_an_installation_without_the_extra_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch, here: Any
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)  # as Python notes that there is no such package
    code, out, err = here("mcp", "--print-config")
    assert (code, out) == (1, b"")
    assert b"install it with `pip install 'vsearch[mcp]'`" in err
    assert err.count(b"\n") == 1
    warm = WarmSearch(Settings(home=place.home, catalog=place.home / "catalog"))
    endpoint = AgentsEndpoint(CommandLines(warm), Turns(), page=False)
    told = TestClient(Starlette(routes=endpoint.routes())).post("/mcp", json={})
    assert told.status_code == 501
    assert "vsearch[mcp]" in told.json()["detail"]


def test_over_stdio_nothing_but_the_protocol_is_written_and_files_play(place: Place) -> None:
    server = StdioServerParameters(
        command=sys.executable, args=["-P", "-m", "vsearch", "mcp"], env=place.environment()
    )

    async def asked() -> Any:
        # A line that is none of the protocol would be an exception here.
        async with Client(server, raise_exceptions=True) as client:
            more = {"show_unconvincing": True, "limit": 50, "per_video": 0}
            return await client.call_tool("search_moments", {"text": "a dog", **more})

    moments = asyncio.run(asked()).structured_content["moments"]
    files = {unquote(urlsplit(one["link"]).path, errors="surrogateescape") for one in moments}
    assert files == {str(file) for file in place.films.glob("*.mp4")}
    assert {urlsplit(one["link"]).scheme for one in moments} == {"file"}
    assert moments[0]["link"].endswith(f"#t={moments[0]['start']:g},{moments[0]['end']:g}")


def test_a_signal_ends_it_although_the_agent_may_still_ask(place: Place) -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "vsearch", "mcp"],
        env=place.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        client = {"clientInfo": {"name": "test", "version": "1"}, "capabilities": {}}
        asked = {"protocolVersion": "2025-06-18", **client}
        line = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": asked}
        process.stdin.write(json.dumps(line).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
        assert process.stderr.read() == b""


def test_a_catalog_may_come_and_change_while_agents_ask(
    tmp_path: Path, run_from: Any, films: Path, model: Path
) -> None:
    ask = in_process(tmp_path)
    refused = ask("search_moments", text="a dog")
    assert refused.is_error
    assert "there is no catalog in" in refused.content[0].text
    index = run_from(tmp_path)
    assert index("index", films / "short.mp4", "--model", model).code == 0
    assert len(ask("list_videos").structured_content["videos"]) == 1
    assert index("index", films / "long.mp4").code == 0
    found = ask("search_moments", text="a dog", show_unconvincing=True).structured_content
    assert {Path(one["path"]).name for one in found["moments"]} == {"short.mp4", "long.mp4"}


def test_the_configuration_of_a_client_starts_the_tools(place: Place, tmp_path: Path) -> None:
    done = place.command("mcp", "--print-config", "--catalog", "odd", VSEARCH_HOME=str(tmp_path))
    server = json.loads(done.stdout)["mcpServers"]["vsearch"]
    assert server["args"][-2:] == ["--catalog", str(place.films / "odd")]
    assert Path(server["command"]).is_absolute()
    assert server["env"]["VSEARCH_HOME"] == str(tmp_path)
    secret = "postgresql://a:secret@127.0.0.1/b"
    told = place.command("mcp", "--print-config", "--json", "--catalog", secret)
    assert b"secret" not in told.stdout
    assert b"PGPASSWORD" in told.stderr
