"""The page as `vsearch ui` serves it: a process, a port, a browser's first requests."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def other_addresses() -> set[str]:
    """Whoever listens everywhere listens on these as well."""
    return {"127.0.0.2", "::1", *socket.gethostbyname_ex(socket.gethostname())[2]} - {"127.0.0.1"}


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return str(response.read().decode("utf-8"))


def wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, f"it ended by itself with {server.returncode}"
        try:
            assert fetch(f"http://127.0.0.1:{port}/_stcore/health") == "ok"
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError("it did not answer within two minutes")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def port(home: Path, tmp_path: Path) -> Iterator[int]:
    """The port of a page that `vsearch ui` serves, as started in some other folder."""
    chosen = free_port()
    variables = {"HOME": str(home), "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "vsearch", "ui", "--no-browser", "--port", str(chosen)]
    with subprocess.Popen(
        [*command, "--catalog", str(tmp_path / "catalog")],
        cwd=tmp_path,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_until_healthy(server, chosen)
            yield chosen
        finally:
            server.terminate()
            assert server.wait(timeout=30) is not None


def test_the_page_is_served_on_this_machine_only_and_leaves_the_home_folder_alone(
    port: int, home: Path
) -> None:
    assert "<html" in fetch(f"http://127.0.0.1:{port}/")
    assert [address for address in other_addresses() if answers(address, port)] == []
    assert list(home.iterdir()) == []


def test_a_page_that_is_started_by_hand_reports_nothing_and_is_served_on_this_machine_only(
    home: Path,
) -> None:
    chosen = free_port()
    flags = ["--server.headless", "true", "--server.port", str(chosen)]
    with subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(REPOSITORY / "ui" / "app.py"), *flags],
        cwd=home,
        env={**os.environ, "HOME": str(home), "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as server:
        try:
            wait_until_healthy(server, chosen)
            assert [address for address in other_addresses() if answers(address, chosen)] == []
        finally:
            server.terminate()
            said = server.communicate(timeout=30)[0]
    # Streamlit says so at the start where it does report, and looks up its address from outside.
    assert b"usage statistics" not in said
    assert b"External URL" not in said
    assert f"http://127.0.0.1:{chosen}".encode() in said


def test_no_file_of_the_page_takes_the_name_of_a_library() -> None:
    """Streamlit puts the script's folder first on the path: such a file would be imported."""
    names = {path.stem for path in (REPOSITORY / "ui").glob("*.py")} - {"__init__"}
    assert len(names) >= 4
    libraries = {*sys.stdlib_module_names, *packages_distributions()}
    own = {folder.parent.name for folder in REPOSITORY.glob("*/__init__.py")}
    assert names & (libraries | own) == set()
