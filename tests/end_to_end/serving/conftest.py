"""A server over a small library, and the command in a process of its own or in this one."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vsearch.__main__ import run as run_here

REPOSITORY = Path(__file__).parents[3]
ODD = os.fsdecode(b"line\nbreak \xff.mp4")


@dataclass
class Place:
    """A home with a catalog, a folder of films to stand in, and the server."""

    home: Path
    films: Path
    port: int
    process: "subprocess.Popen[str]"

    def environment(self, **more: str) -> dict[str, str]:
        variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "VSEARCH_HOME": str(self.home)}
        return {**variables, "HF_HUB_CACHE": str(self.home / "hub"), "OMP_NUM_THREADS": "1", **more}

    def command(self, *words: object, **more: Any) -> "subprocess.CompletedProcess[bytes]":
        """Run `vsearch` in the folder of films."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "vsearch", *map(str, words)],
            cwd=self.films,
            env=self.environment(**more),
            capture_output=True,
            timeout=300,
            check=False,
        )

    def served(self, *words: object) -> tuple[int, bytes, bytes]:
        """The same, and it has handed the question over: it has not even imported the commands."""
        done = self.command(*words, PYTHONPROFILEIMPORTTIME="1")
        lines = done.stderr.splitlines(keepends=True)
        imports = [line for line in lines if line.startswith(b"import time:")]
        said = [line for line in lines if not line.startswith(b"import time:")]
        assert not [line for line in imports if line.split()[-1] == b"typer"], words
        return done.returncode, done.stdout, b"".join(said)

    def request(
        self,
        path: str,
        body: object = None,
        *,
        method: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Ask over HTTP; the status and the JSON of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = None if body is None else json.dumps(body)
        told = {"Content-Type": "application/json"} if headers is None else headers
        connection.request(method or ("GET" if body is None else "POST"), path, sent, told)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        kind = answer.getheader("content-type")
        assert kind == ("application/json" if answer.status < 400 else "application/problem+json")
        connection.close()
        return answer.status, found

    def search(self, **question: Any) -> tuple[int, Any]:
        return self.request("/api/search", question)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path, films: Path, *flags: str, **variables: str) -> Iterator[Place]:
    """`vsearch serve`, ready to answer."""
    place = Place(home, films, free_port(), None)  # type: ignore[arg-type]
    command = [sys.executable, "-P", "-m", "vsearch", "serve", "--json", "--port", str(place.port)]
    with subprocess.Popen(
        [*command, *flags],
        cwd=films,
        env=place.environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as place.process:
        assert place.process.stdout is not None
        assert place.process.stdout.readline(), place.process.communicate()
        try:
            yield place
        finally:
            place.process.kill()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, make_film: Any) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make_film(folder / "long.mp4", seconds=20, seed=3)
    make_film(folder / "short.mp4", seconds=3, seed=1)
    make_film(folder / "gone.mp4", seconds=3, seed=4)
    make_film(folder / "odd.mp4", seconds=3, seed=2).rename(folder / ODD)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, run_from: Any, films: Path, model: Path) -> Path:
    """A home whose catalog knows the films."""
    home = tmp_path_factory.mktemp("home")
    run = run_from(home)("index", films, "--model", model)
    assert run.code == 0, run.err
    Image.new("RGB", (64, 48), (200, 30, 30)).save(films / "red.png")
    return home


@pytest.fixture(scope="module")
def place(home: Path, films: Path) -> Iterator[Place]:
    with serving(home, films) as served:
        yield served


@pytest.fixture
def here(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> Callable[..., tuple[int, bytes, bytes]]:
    """Run the command in this process, which asks no server."""
    for name, value in place.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(place.films)

    def answer(*words: object) -> tuple[int, bytes, bytes]:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        code = run_here(list(map(str, words)))
        return (code, *capfdbinary.readouterr())

    return answer
