"""A real small library: films, a catalog, and a tiny X-CLIP whose random weights come by seed."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from indexer import IndexSettings
from media import write_video
from tests.tiny_xclip import save_tiny_xclip
from ui.library import library_of
from vsearch.services.library.indexing import IndexOptions, index_library
from vsearch.settings import Settings, page_environment

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "ui" / "app.py"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_xclip(tmp_path_factory.mktemp("models") / "tiny", max_length=16)


Film = Callable[..., Path]


@pytest.fixture(scope="session")
def film() -> Film:
    """Write a film of `seconds`, 4 pictures in each, in which a bar moves over a tinted ground."""

    def write(path: Path, *, seconds: float, tint: int = 90) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = []
        for number in range(round(seconds * 4)):
            frame = np.full((48, 64, 3), tint, np.uint8)
            frame[:, number % 60 : number % 60 + 4] = (250 - tint, tint, 30)
            frames.append(frame)
        write_video(path, frames, frame_rate=4)
        return path

    return write


def index_into(settings: Settings, path: Path) -> None:
    options = IndexOptions(settings=IndexSettings(workers=1))
    index_library([path], settings=settings, options=options)


def two_films(folder: Path, film: Film) -> Path:
    film(folder / "morning.mp4", seconds=20, tint=40)
    film(folder / "evening.mkv", seconds=9, tint=170)
    return folder


def settings_in(home: Path, *, model: Path) -> Settings:
    return Settings(home=home, catalog=home / "catalog", model=str(model), device="cpu")


@pytest.fixture(scope="session")
def lasting_settings(tmp_path_factory: pytest.TempPathFactory, model: Path, film: Film) -> Settings:
    """Of a library that is indexed once, for tests that change nothing."""
    home = tmp_path_factory.mktemp("lasting")
    settings = settings_in(home, model=model)
    index_into(settings, two_films(home / "videos", film))
    return settings


@pytest.fixture
def settings(tmp_path: Path, model: Path) -> Settings:
    return settings_in(tmp_path, model=model)


@pytest.fixture
def videos(tmp_path: Path, film: Film) -> Path:
    return two_films(tmp_path / "videos", film)


@pytest.fixture
def index(settings: Settings) -> Callable[[Path], None]:
    return partial(index_into, settings)


@pytest.fixture
def library(videos: Path, index: Callable[[Path], None]) -> Path:
    """The folder of videos, indexed."""
    index(videos)
    return videos


class Page:
    """The page in one window, and what a person does with it."""

    def __init__(self, app: AppTest) -> None:
        self.app = app

    def look_again(self) -> "Page":
        self.app.run()
        return self

    def ask(self, sentence: str) -> "Page":
        self.app.text_input(key="q").set_value(sentence).run()
        return self

    def look_at(self, view: str) -> "Page":
        """Search, Library or Basket."""
        self.app.segmented_control(key="view").set_value(view).run()
        return self

    def press(self, label: str) -> "Page":
        """The first button that is called so."""
        next(button for button in self.app.button if button.label == label).click().run()
        return self

    def show_everything(self) -> "Page":
        """Also the moments with nothing convincing."""
        if self.offers_everything:
            self.app.button(key="all").click().run()
        return self

    @property
    def offers_everything(self) -> bool:
        """Whether there are moments with nothing convincing that are not shown."""
        return any(label.startswith("Also show ") for label in self.buttons)

    @property
    def buttons(self) -> list[str]:
        return [button.label for button in self.app.button]

    @property
    def pieces(self) -> list[str]:
        """The HTML of a page that went well, without its style sheet."""
        assert not self.app.exception
        return [piece.value for piece in self.app.html if not piece.value.startswith("<style")]

    @property
    def words(self) -> str:
        return "\n".join(self.pieces)

    @property
    def films(self) -> list[dict[str, Any]]:
        """The films that the browser is told of."""
        assert not self.app.exception
        told = [json.loads(one.proto.json) for one in self.app.get("bidi_component")]
        return next((one["films"] for one in told if "films" in one), [])

    @property
    def moments(self) -> list[dict[str, Any]]:
        """Their moments, best first, each with the name of its film."""
        every = [{"film": film["name"], **one} for film in self.films for one in film["moments"]]
        return sorted(every, key=lambda one: one["rank"])


@pytest.fixture
def page(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Page]:
    """Open the page as a browser does, with the parameters of its URL (`in_` for `in`)."""

    def visit(*, catalog: Path = settings.catalog, **url: str) -> Page:
        for name, value in page_environment(replace(settings, catalog=catalog)).items():
            monkeypatch.setenv(name, value)
        library_of.cache_clear()
        st.cache_data.clear()
        app = AppTest.from_file(str(PAGE), default_timeout=60)
        for name, value in url.items():
            app.query_params[name.rstrip("_")] = value
        return Page(app.run())

    return visit


# Told by Python itself of each process that imports it: what it opens, whom it looks up and calls.
WITNESS = """
import os, sys
note = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
surroundings = os.environ["SURROUNDINGS"]
calls = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
         "socket.gethostbyname", "socket.gethostbyaddr"}

def witness(event, arguments):
    if event in calls:
        os.write(note, f"call {event} {arguments[1:] or arguments}\\n".encode())
    elif event == "open" and str(arguments[0]).startswith(surroundings):
        os.write(note, f"open {arguments[0]}\\n".encode())

sys.addaudithook(witness)
"""

CONFIG = """
[server]
address = "0.0.0.0"
allowedHosts = ["*"]
baseUrlPath = "elsewhere"
corsAllowedOrigins = ["http://evil.example"]
enableAgentApi = true
enableCORS = false
enableStaticServing = true
enableXsrfProtection = false
maxMessageSize = 0
port = 9
sslCertFile = "nowhere"
[browser]
gatherUsageStats = true
[client]
toolbarMode = "developer"
[logger]
level = "debug"
[theme]
base = "http://theme.example/theme.toml"
font = "evil:https://fonts.example/evil.css"
"""


def plant(folder: Path) -> None:
    """Put into a folder whatever Streamlit, or Python, might take from there."""
    for name, text in {
        ".streamlit/config.toml": CONFIG,
        ".streamlit/secrets.toml": 'VSEARCH_UI_CATALOG = "nowhere"\nHTTPS_PROXY = "http://evil:9"\n',
        ".streamlit/credentials.toml": '[general]\nemail = "somebody@example.org"\n',
        "pages/1_more.py": "raise SystemExit",
        "static/file.txt": "private",
        **{f"{name}.py": "raise SystemExit" for name in ("streamlit", "uvicorn", "ui", "signal")},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def planted_variables() -> dict[str, str]:
    """The settings of `CONFIG` in the variables that Streamlit reads."""
    return {
        "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",
        "STREAMLIT_SERVER_ALLOWED_HOSTS": "*",
        "STREAMLIT_SERVER_BASE_URL_PATH": "elsewhere",
        "STREAMLIT_SERVER_COOKIE_SECRET": "known to everybody",
        "STREAMLIT_SERVER_ENABLE_AGENT_API": "true",
        "STREAMLIT_SERVER_ENABLE_CORS": "false",
        "STREAMLIT_SERVER_ENABLE_STATIC_SERVING": "true",
        "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
        "STREAMLIT_SERVER_PORT": "9",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true",
        "STREAMLIT_LOGGER_LEVEL": "debug",
        "STREAMLIT_SECRETS_FILES": "nowhere",
        "STREAMLIT_THEME_BASE": "http://theme.example/theme.toml",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch_text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return str(response.read().decode("utf-8"))


def wait_until_healthy(server: "subprocess.Popen[str]", port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, f"it ended by itself with {server.returncode}"
        try:
            assert fetch_text(f"http://127.0.0.1:{port}/_stcore/health") == "ok"
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("it did not answer within two minutes")


@dataclass(frozen=True)
class Served:
    """The page as `vsearch ui` serves it among planted settings, and what was seen of it."""

    process: "subprocess.Popen[str]"
    port: int
    home: Path
    witness: Path

    @property
    def calls(self) -> list[str]:
        return [line for line in self.witness.read_text().splitlines() if line[:4] == "call"]

    @property
    def foreign_files_opened(self) -> list[str]:
        return [line for line in self.witness.read_text().splitlines() if line[:4] == "open"]


@contextmanager
def started(
    arguments: list[str], folder: Path, **variables: str
) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Python with these arguments and a port, serving; its home and current folder is `folder`."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, *arguments, str(port)],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": str(REPOSITORY), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until_healthy(process, port)
            yield process, port
        finally:
            process.kill()


@contextmanager
def serve_among_planted_settings(settings: Settings, folder: Path) -> Iterator[Served]:
    home, surroundings = folder / "surroundings" / "home", folder / "surroundings"
    plant(home)
    plant(surroundings)
    (folder / "python").mkdir()
    (folder / "python" / "sitecustomize.py").write_text(WITNESS)
    variables = {
        **planted_variables(),
        "HOME": str(home),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join((str(folder / "python"), str(REPOSITORY))),
        "SURROUNDINGS": str(surroundings),
        "VSEARCH_HOME": str(settings.home),
        "WITNESS": str(folder / "witness"),
        # Whoever asks the net by a proxy, asks this one.
        **{f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https", "all")},
    }
    command = ["-P", "-m", "vsearch", "ui", "--no-browser", "--catalog", str(settings.catalog)]
    with started([*command, "--port"], surroundings, **variables) as (process, port):
        yield Served(process, port, home, folder / "witness")


@pytest.fixture(scope="module")
def served(
    lasting_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    plant(lasting_settings.home / "videos")
    with serve_among_planted_settings(lasting_settings, tmp_path_factory.mktemp("served")) as page:
        yield page


@pytest.fixture
def start() -> Callable[..., AbstractContextManager[tuple["subprocess.Popen[str]", int]]]:
    return started


@pytest.fixture
def serve(lasting_settings: Settings) -> Callable[[Path], AbstractContextManager[Served]]:
    """Serve the library that lasts once more; to be given an empty folder."""
    return partial(serve_among_planted_settings, lasting_settings)


@pytest.fixture
def fetch() -> Callable[[str], str]:
    return fetch_text


@pytest.fixture
def port(served: Served) -> int:
    return served.port
