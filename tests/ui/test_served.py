"""The page as `vsearch ui` serves it: a process, a port, a browser's first requests."""

import json
import socket
import sys
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

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


def test_no_file_of_the_page_takes_the_name_of_a_library() -> None:
    """Streamlit puts the script's folder first on the path: such a file would be imported."""
    names = {path.stem for path in (REPOSITORY / "ui").glob("*.py")} - {"__init__"}
    assert len(names) >= 4
    libraries = {*sys.stdlib_module_names, *packages_distributions()}
    own = {folder.parent.name for folder in REPOSITORY.glob("*/__init__.py")}
    assert names & (libraries | own) == set()
