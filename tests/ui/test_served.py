"""The page as `vsearch ui` serves it: a process, a port, a browser's first requests."""

import asyncio
import json
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import pytest
from mcp import Client

from vsearch.commands.handover import running_server

REPOSITORY = Path(__file__).parents[2]
Fetch = Callable[[str], str]


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def other_addresses() -> set[str]:
    """Whoever listens everywhere listens on these as well."""
    return {"127.0.0.2", "::1", *socket.gethostbyname_ex(socket.gethostname())[2]} - {"127.0.0.1"}


def test_the_page_is_served_on_this_machine_only(port: int, fetch: Fetch) -> None:
    assert "<html" in fetch(f"http://127.0.0.1:{port}/")
    assert [address for address in other_addresses() if answers(address, port)] == []


def test_the_page_answers_programs_and_the_commands_of_its_user(
    served, fetch: Fetch, lasting_settings
) -> None:
    address = f"http://127.0.0.1:{served.port}/api"
    assert json.loads(fetch(f"{address}/status"))["videos"] == 2
    asked = urllib.request.Request(
        f"{address}/search",
        json.dumps({"text": "a red bar", "all": True}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert json.loads(answer.read())["hits"]
    record = running_server(str(lasting_settings.home))
    assert record is not None
    assert (record["port"], record["pid"]) == (served.port, served.process.pid)


def test_agents_are_answered_with_links_to_the_page(served) -> None:
    async def ask() -> Any:
        async with Client(f"http://127.0.0.1:{served.port}/mcp") as client:
            more = {"minus": ["a dog", "a cat"], "limit": 3, "show_unconvincing": True}
            return await client.call_tool("search_moments", {"text": "a red bar", **more})

    moment = asyncio.run(ask()).structured_content["moments"][0]
    link = urlsplit(moment["link"])
    assert (link.netloc, link.path) == (f"127.0.0.1:{served.port}", "/")
    assert parse_qs(link.query) == {
        "q": ["a red bar"],
        "not": ["a dog;a cat"],
        "n": ["3"],
        "all": ["true"],
        "play": [f"{moment['video_id']}@{moment['start']:.10g}"],
    }
    with pytest.raises(HTTPError, match="405"):
        urllib.request.urlopen(f"http://127.0.0.1:{served.port}/mcp")


def test_no_settings_for_streamlit_are_read_whatever_lies_around(served, fetch: Fetch) -> None:
    """In the current folder, in the home folder, in that of the videos, and in variables."""
    fetch(f"http://127.0.0.1:{served.port}/")
    assert served.foreign_files_opened == []
    told = json.loads(fetch(f"http://127.0.0.1:{served.port}/_stcore/host-config"))
    assert "evil.example" not in json.dumps(told)
    agents = fetch(f"http://127.0.0.1:{served.port}/_stcore/agent/openapi.json")
    assert "not currently agent-accessible" in agents
    assert fetch(f"http://127.0.0.1:{served.port}/app/static/file.txt") != "private"
    assert served.calls == []


def test_the_home_folder_is_left_alone(served, fetch: Fetch) -> None:
    fetch(f"http://127.0.0.1:{served.port}/")
    assert {path.name for path in served.home.rglob("*.toml")} == {
        "config.toml",
        "credentials.toml",
        "secrets.toml",
    }
    assert len(list(served.home.iterdir())) == 7


def test_a_page_that_is_started_by_hand_reports_nothing_and_is_served_on_this_machine_only(
    start, tmp_path: Path
) -> None:
    command = ["-m", "streamlit", "run", str(REPOSITORY / "ui" / "app.py")]
    flags = ("--server.headless", "true", "--server.port")
    with start([*command, *flags], tmp_path) as (process, port):
        assert [address for address in other_addresses() if answers(address, port)] == []
        process.terminate()
        said = "".join(process.communicate(timeout=60))
    # Streamlit says so at the start where it does report, and looks up its address from outside.
    assert "usage statistics" not in said
    assert "External URL" not in said
    assert f"http://127.0.0.1:{port}" in said


def test_a_browser_is_opened_where_one_is_named(start, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}.part"; mv "{opened}.part" "{opened}"\n')
    browser.chmod(0o755)
    with start(["-P", "-m", "vsearch", "ui", "--port"], tmp_path, BROWSER=str(browser)) as (
        _,
        port,
    ):
        deadline = time.monotonic() + 60
        while not opened.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert opened.read_text() == f"http://127.0.0.1:{port}\n"


def test_no_file_of_the_page_takes_the_name_of_a_library() -> None:
    """Streamlit puts the script's folder first on the path: such a file would be imported."""
    names = {path.stem for path in (REPOSITORY / "ui").glob("*.py")} - {"__init__"}
    assert len(names) >= 4
    libraries = {*sys.stdlib_module_names, *packages_distributions()}
    own = {folder.parent.name for folder in REPOSITORY.glob("*/__init__.py")}
    assert names & (libraries | own) == set()
