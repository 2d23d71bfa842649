"""Commands in a folder that somebody else has filled: they run nothing of it, and call nobody."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.end_to_end.recording import Recorder, counting_proxy, without_proxies

# As an installer makes it: Python puts the folder that it lies in first, not the current one.
SCRIPT = "import sys\nfrom vsearch.__main__ import main\nsys.exit(main())\n"
OURS = (
    "catalog",
    "evaluation",
    "indexer",
    "machine",
    "media",
    "search",
    "serving",
    "timelines",
    "toyworld",
    "ui",
    "vsearch",
    "xclip_core",
)


# Where libraries of ours, and programs like them, keep what they are told to do.
SETTINGS = (
    ".env",
    ".netrc",
    ".config/rich.ini",
    ".huggingface/token",
    ".streamlit/config.toml",
    ".streamlit/secrets.toml",
    ".typer.toml",
    "config.json",
    "config.toml",
    "openblas.conf",
    "pip.conf",
    "pyproject.toml",
    "pyvenv.cfg",
    "secrets.toml",
    "setup.cfg",
    "sqlite.ini",
    "token",
    "vsearch.toml",
)


@dataclass
class Foreign:
    """A folder of videos, one stands in it, with a file for every module that there is."""

    folder: Path
    recorder: Recorder
    planted: set[str]
    ran: Path
    script: Path
    variables: dict[str, str]
    asked: list[str]
    results: dict[str, "subprocess.CompletedProcess[str]"] = field(default_factory=dict)

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, self.script, *map(str, arguments)],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: object) -> None:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        self.results[str(arguments[0])] = subprocess.CompletedProcess(
            [], process.returncode, out, err
        )

    def end(self, name: str, process: "subprocess.Popen[str]") -> None:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.results[name] = subprocess.CompletedProcess([], process.returncode, out, err)


def plant(folder: Path, ran: Path) -> set[str]:
    library = {file.stem for file in Path(os.__file__).parent.glob("*.py")}
    names = {*library, *sys.stdlib_module_names, *packages_distributions(), *OURS}
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)  # as nvidia/cusparselt
        (folder / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write('{name} ')\n")
    for setting in SETTINGS:
        (folder / setting).parent.mkdir(exist_ok=True)
        (folder / setting).write_text("[server]\naddress = '0.0.0.0'\n")
    return names


@pytest.fixture(scope="module")
def foreign(
    tmp_path_factory: pytest.TempPathFactory, make_film: object, model: Path
) -> Iterator[Foreign]:
    """Every command was run there once."""
    base = tmp_path_factory.mktemp("foreign")
    folder = base / "videos"
    folder.mkdir()
    for number in range(3):
        make_film(folder / f"{number}.mp4", seconds=3, seed=number)  # type: ignore[operator]
    recorder = Recorder.make(base / "recorder")
    script = base / "bin" / "vsearch"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    with counting_proxy() as (proxies, asked):
        place = Foreign(
            folder=folder,
            recorder=recorder,
            planted=plant(folder, base / "ran"),
            ran=base / "ran",
            script=script,
            variables={
                **without_proxies(),
                **proxies,
                **recorder.variables,
                "VSEARCH_HOME": str(base / "home"),
                "VSEARCH_TEST_WATCHED": str(folder),
                "HF_HUB_CACHE": str(base / "hub"),
                "OMP_NUM_THREADS": "1",
            },
            asked=asked,
        )
        run_every_command(place, model)
        yield place


def run_every_command(place: Foreign, model: Path) -> None:
    place.run("index", "0.mp4", "1.mp4", "--model", model)
    place.run("query", "a red circle", "--json")
    place.run("cut", "a red circle", "--all", "-o", place.folder.parent / "cuts")
    place.run("export", "a red circle", "--all", "-o", place.folder.parent / "list.fcpxml")
    place.run("shell", "--json")
    labels = place.folder.parent / "labels.csv"
    labels.write_text("sentence,video\na red circle,0.mp4\n")
    place.run("eval", labels)
    place.run("classify", "0.mp4", "a", "b", "--model", model)
    (place.folder.parent / "labels.txt").write_text("a red circle\n")
    place.run("tag", "--labels", place.folder.parent / "labels.txt", "--write")
    place.run("relocate", place.folder / "old", place.folder / "new")
    place.run("forget", "1.mp4")
    place.run("verify")
    place.run("status")
    watch = place.start("watch", ".", "--settle", "0.1", "--json")
    assert watch.stdout is not None
    watch.stdout.readline()
    place.end("watch", watch)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    page = place.start("ui", "--port", port, "--no-browser")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and page.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                break
        except URLError:
            time.sleep(0.1)
    place.end("ui", page)
    server = place.start("serve", "--port", port, "--json")
    assert server.stdout is not None
    server.stdout.readline()
    place.end("serve", server)
    place.run("mcp")


def test_every_command_works_there(foreign: Foreign) -> None:
    expected = dict.fromkeys(foreign.results, 0) | {"relocate": 1}
    told = {name: done.stderr for name, done in foreign.results.items()}
    assert {name: done.returncode for name, done in foreign.results.items()} == expected, told


def test_nothing_that_lies_there_is_run(foreign: Foreign) -> None:
    assert not foreign.ran.exists(), foreign.ran.read_text()


def test_nothing_that_lies_there_is_read_but_the_videos(foreign: Foreign) -> None:
    """No settings, of whatever library: those of the foreign folder are not even opened."""
    opened = {Path(name) for name in foreign.recorder.told("open")}
    assert opened <= set(foreign.folder.glob("*.mp4"))
    assert opened


def test_every_module_that_any_process_imported_lay_there(foreign: Foreign) -> None:
    looked_for = {name.partition(".")[0] for name in foreign.recorder.told("import")}
    assert {
        "torch",
        "av",
        "faiss",
        "sqlalchemy",
        "streamlit",
        "signal",
        "socket",
        "mcp",
    } <= looked_for
    # Libraries try some that are installed for few; those are looked for in the same places.
    others = looked_for - foreign.planted - {"sitecustomize", "__main__"}
    assert [name for name in others if find_spec(name)] == []
    assert foreign.recorder.processes() > len(foreign.results)  # servers and readers as well


def test_no_process_looks_for_modules_there(foreign: Foreign) -> None:
    places = foreign.recorder.told("path")
    assert str(foreign.script.parent) in places
    assert [place for place in places if not place.startswith("/")] == []
    assert [place for place in places if place.startswith(str(foreign.folder))] == []


def test_as_a_module_it_runs_only_what_python_itself_looks_for_there(tmp_path: Path) -> None:
    """`python -m` looks in the current folder before any code of ours: such files are left out."""
    ran = tmp_path / "ran"
    folder = tmp_path / "folder"
    folder.mkdir()
    plant(folder, ran)
    of_python = [sys.executable, "-I", "-c", "import runpy, sys; print(*sys.modules)"]
    told = subprocess.run(of_python, capture_output=True, text=True, check=True).stdout
    for name in {"vsearch", *told.split()}:
        (folder / f"{name}.py").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "vsearch", "index", ".", "--model", "demo"],
        env={**os.environ, "VSEARCH_HOME": str(tmp_path / "home")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not ran.exists(), ran.read_text()


def test_only_helpers_of_ours_are_started(foreign: Foreign) -> None:
    started = foreign.recorder.told("subprocess.", "os.exec", "os.posix_spawn", "os.system")
    assert started
    # By its whole path: Python's own way to find shared libraries, as some of ours use it.
    for one in (one for one in started if "'/sbin/ldconfig'" not in one):
        assert sys.executable in one
        assert any(
            name in one
            for name in (
                "indexer.decode.fork_server",
                "'ui.serve'",
                "'serving'",
                "'serving.agents'",
            )
        )


def test_no_command_calls_anybody(foreign: Foreign) -> None:
    assert foreign.asked == []
    called = foreign.recorder.told("socket.connect", "socket.sendto", "socket.get")
    assert {address for address in called if "127.0.0.1" not in address} == set()
    assert all("127.0.0.1" in address for address in foreign.recorder.told("socket.bind"))


def test_a_model_is_fetched_from_the_hub_alone(tmp_path: Path) -> None:
    recorder = Recorder.make(tmp_path / "recorder")
    (tmp_path / "a.mp4").touch()
    with counting_proxy() as (proxies, asked):
        done = subprocess.run(
            [sys.executable, "-m", "vsearch", "index", tmp_path / "a.mp4"],
            env={
                **without_proxies(),
                **proxies,
                **recorder.variables,
                "VSEARCH_HOME": str(tmp_path / "home"),
                "HF_HOME": str(tmp_path / "hub"),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 1
    assert set(asked) == {"CONNECT huggingface.co:443 HTTP/1.1"}
    called = recorder.told("socket.connect", "socket.sendto", "socket.get")
    assert {address for address in called if "127.0.0.1" not in address} == set()


LOOK = """
import sys
from vsearch.startup import prepare_surroundings
prepare_surroundings()
print("\\n".join(sys.path))
"""


@pytest.mark.parametrize("entries", ["", "{other}:", ":{other}", ".:{other}", "sub:{other}::"])
def test_no_module_is_looked_for_relative_to_the_current_folder(
    tmp_path: Path, entries: str
) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    (here / "sub").mkdir(parents=True)
    other.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env={**os.environ, "PYTHONPATH": entries.format(other=other)},
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
    )
    places = done.stdout.splitlines()
    assert [place for place in places if not place.startswith("/")] == []
    assert [place for place in places if place.startswith(str(here))] == []
    assert (str(other) in places) == bool(entries)
