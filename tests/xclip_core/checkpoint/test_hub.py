"""Fetching from a Hub that is ours: a server on this machine that answers as the Hub does.

Each call runs in a process of its own, because the Hub's address and its cache are read from the
environment once.
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "someone/small-xclip"
ROOT = Path(__file__).parents[3]

FETCH = """
import json, sys
from xclip_core.errors import ModelError
from xclip_core.checkpoint.hub import HubName, fetch
name, revision, offline = json.loads(sys.argv[1])
said = []
try:
    folder = fetch(HubName(name, revision), offline=offline, on_message=said.append)
    print(json.dumps({"folder": str(folder), "said": said}))
except ModelError as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}))
"""

LOAD = """
import sys
from xclip_core.checkpoint.checkpoint import load_checkpoint
from xclip_core.errors import ModelError
try:
    load_checkpoint(sys.argv[1])
except ModelError as error:
    print(error)
"""

# What the client holds and what its own children inherit, after a look for a model.
TELEMETRY = """
import os
from xclip_core.errors import HubUnreachableError
from xclip_core.checkpoint.hub import HubName, fetch
try:
    fetch(HubName("someone/unheard-of", None), offline=True, on_message=print)
except HubUnreachableError:
    from huggingface_hub import constants
    print(constants.HF_HUB_DISABLE_TELEMETRY, os.environ["HF_HUB_DISABLE_TELEMETRY"])
"""


@dataclass
class StandIn:
    """What the server holds, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)  # of the machine that asks, by its user agent
    url: str = ""
    sizes: dict[str, int] = field(default_factory=dict)  # where another one is claimed

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        owner, name, _, revision, file = path.lstrip("/").split("/", 4)
        if f"{owner}/{name}" != REPOSITORY:
            return 401, {"X-Error-Code": "RepoNotFound"}, b""
        if revision not in ("main", "v1", COMMIT):
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        headers = {"X-Repo-Commit": COMMIT}
        if file not in self.files:
            return 404, headers | {"X-Error-Code": "EntryNotFound"}, b""
        content = self.files[file]
        return 200, headers | {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'}, content


@pytest.fixture
def hub(small_folder: Path) -> Iterator[StandIn]:
    """A Hub with one model on it."""
    files = {path.name: path.read_bytes() for path in small_folder.iterdir()}
    stand_in = StandIn(files=files)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, *, with_body: bool) -> None:
            stand_in.told |= {
                part.strip().partition("/")[0]
                for part in self.headers.get("User-Agent", "").split(";")
            }
            status, headers, body = stand_in.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            claimed = stand_in.sizes.get(self.path.rpartition("/")[2], len(body))
            self.send_header("Content-Length", str(claimed))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield stand_in
    server.shutdown()
    server.server_close()
    thread.join()


def fetch_in_a_process(
    cache: Path,
    *,
    url: str,
    name: str = REPOSITORY,
    revision: str | None = None,
    offline: bool = False,
    **environment: str,
) -> dict[str, Any]:
    inherited = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", FETCH, json.dumps([name, revision, offline])],
        env={
            **inherited,
            "PYTHONPATH": str(ROOT),
            "HF_HOME": str(cache),
            "HF_ENDPOINT": url,
            "NO_PROXY": "127.0.0.1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_checkpoint_is_fetched_whole_and_once(hub: StandIn, tmp_path: Path) -> None:
    fetched = fetch_in_a_process(tmp_path, url=hub.url)
    folder = Path(fetched["folder"])
    assert folder.name == COMMIT
    for file in ("config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"):
        assert (folder / file).read_bytes() == hub.files[file]
    assert len(fetched["said"]) == 1
    assert REPOSITORY in fetched["said"][0]

    hub.asked.clear()
    again = fetch_in_a_process(tmp_path, url=hub.url)
    assert again == {"folder": str(folder), "said": []}
    assert hub.asked == []


def test_the_hub_is_told_nothing_of_this_machine_but_the_client_that_asks(
    hub: StandIn, tmp_path: Path
) -> None:
    # Its client reports much more by itself: PyTorch's version, and what program it runs under.
    fetch_in_a_process(tmp_path, url=hub.url, HF_HUB_DISABLE_TELEMETRY="0")
    assert hub.told == {"unknown", "hf_hub", "python"}


def test_whoever_is_called_by_us_reports_nothing_either() -> None:
    told = subprocess.run(
        [sys.executable, "-c", TELEMETRY],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == "True 1\n", told.stderr


def test_what_is_cached_needs_no_network(hub: StandIn, tmp_path: Path) -> None:
    first = fetch_in_a_process(tmp_path, url=hub.url)
    closed = "http://127.0.0.1:9"
    assert fetch_in_a_process(tmp_path, url=closed)["folder"] == first["folder"]
    assert fetch_in_a_process(tmp_path, url=closed, offline=True)["folder"] == first["folder"]


def test_only_the_files_that_loading_needs_are_fetched(hub: StandIn, tmp_path: Path) -> None:
    hub.files["pytorch_model.bin"] = b"large"
    fetched = fetch_in_a_process(tmp_path, url=hub.url)
    names = {path.name for path in Path(fetched["folder"]).iterdir()}
    assert names == {
        "config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "model.safetensors",
    }


def test_pickled_weights_and_a_split_vocabulary_are_fetched_where_there_is_nothing_else(
    hub: StandIn, tmp_path: Path
) -> None:
    hub.files["pytorch_model.bin"] = hub.files.pop("model.safetensors")
    del hub.files["tokenizer.json"]
    fetched = fetch_in_a_process(tmp_path, url=hub.url)
    names = {path.name for path in Path(fetched["folder"]).iterdir()}
    assert {"pytorch_model.bin", "vocab.json", "merges.txt"} <= names


def test_all_shards_are_fetched(hub: StandIn, tmp_path: Path) -> None:
    shards = ("model-1.safetensors", "model-2.safetensors")
    for shard in shards:
        hub.files[shard] = hub.files["model.safetensors"]
    del hub.files["model.safetensors"]
    index = {"weight_map": {"a": shards[0], "b": shards[1], "c": shards[0]}}
    hub.files["model.safetensors.index.json"] = json.dumps(index).encode()
    fetched = fetch_in_a_process(tmp_path, url=hub.url)
    assert {*shards} <= {path.name for path in Path(fetched["folder"]).iterdir()}


def test_a_fetch_that_was_cut_off_is_completed(hub: StandIn, tmp_path: Path) -> None:
    whole = hub.files.pop("model.safetensors")
    cut_off = fetch_in_a_process(tmp_path, url=hub.url)
    assert cut_off["error"] == "CheckpointNotFoundError"
    assert "model.safetensors" in cut_off["message"]
    hub.files["model.safetensors"] = whole
    assert "folder" in fetch_in_a_process(tmp_path, url=hub.url)


def test_a_revision_is_fetched_by_its_name(hub: StandIn, tmp_path: Path) -> None:
    assert Path(fetch_in_a_process(tmp_path, url=hub.url, revision="v1")["folder"]).name == COMMIT
    hub.asked.clear()
    assert "folder" in fetch_in_a_process(tmp_path, url=hub.url, revision="v1")
    assert "folder" in fetch_in_a_process(tmp_path, url=hub.url, revision=COMMIT)
    assert hub.asked == []


def test_an_unknown_revision_is_named(hub: StandIn, tmp_path: Path) -> None:
    refused = fetch_in_a_process(tmp_path, url=hub.url, revision="v9")
    assert refused["error"] == "CheckpointNotFoundError"
    assert "'v9'" in refused["message"]


def test_an_unknown_id_is_told_the_nearest_published_one(hub: StandIn, tmp_path: Path) -> None:
    refused = fetch_in_a_process(tmp_path, url=hub.url, name="microsoft/xclip-base-patch23")
    assert refused["error"] == "CheckpointNotFoundError"
    assert "did you mean microsoft/xclip-base-patch32?" in refused["message"]


def test_a_model_of_another_kind_is_refused(hub: StandIn, tmp_path: Path) -> None:
    del hub.files["config.json"]
    refused = fetch_in_a_process(tmp_path, url=hub.url)
    assert refused["error"] == "CheckpointNotFoundError"
    assert "no config.json" in refused["message"]


def test_a_name_that_the_hub_forbids_is_refused(hub: StandIn, tmp_path: Path) -> None:
    refused = fetch_in_a_process(tmp_path, url=hub.url, name="x/--y..")
    assert refused["error"] == "CheckpointNotFoundError"


def test_an_unreachable_hub_is_said_within_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    refused = fetch_in_a_process(
        tmp_path, url="http://127.0.0.1:9", name="microsoft/xclip-base-patch32"
    )
    assert time.monotonic() - began < 15
    assert refused["error"] == "HubUnreachableError"
    message = refused["message"]
    assert "does not answer" in message
    assert "demo" not in message  # it knows coloured shapes only: no way out for anybody's videos
    assert "\n" not in message


@pytest.mark.parametrize(
    ("offline", "environment", "named"),
    [
        (True, {}, "network is not to be used"),
        (False, {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
    ],
)
def test_an_uncached_model_without_network_is_told_so(
    hub: StandIn, tmp_path: Path, offline: bool, environment: dict[str, str], named: str
) -> None:
    refused = fetch_in_a_process(tmp_path, url=hub.url, offline=offline, **environment)
    assert refused["error"] == "HubUnreachableError"
    assert named in refused["message"]
    assert hub.asked == []


def test_a_server_that_never_answers_is_given_up_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        refused = fetch_in_a_process(
            tmp_path, url=f"http://127.0.0.1:{silent.getsockname()[1]}", name=REPOSITORY
        )
    assert time.monotonic() - began < 30
    assert refused["error"] == "HubUnreachableError"


def load_in_a_process(cache: Path, *, url: str) -> str:
    """What is said of a checkpoint that cannot be loaded; nothing of one that can."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, REPOSITORY],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HOME": str(cache), "HF_ENDPOINT": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "file", ["model.safetensors", "config.json", "preprocessor_config.json", "tokenizer.json"]
)
@pytest.mark.parametrize("kept", [0, 100])
def test_what_is_told_of_a_damaged_file_in_the_cache_leads_to_a_sound_one(
    hub: StandIn, tmp_path: Path, file: str, kept: int
) -> None:
    sound = hub.files[file]
    hub.files[file] = sound[:kept]
    told = load_in_a_process(tmp_path, url=hub.url)
    assert file in told

    hub.files[file] = sound
    command = told.partition("`")[2].partition("`")[0]
    assert command.startswith("rm ")
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert load_in_a_process(tmp_path, url=hub.url) == ""


def test_a_damaged_file_in_a_folder_of_the_users_is_not_to_be_deleted(
    small_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(small_folder, tmp_path / "mine")
    (folder / "config.json").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "put a sound copy of it there" in done.stdout
    assert "rm " not in done.stdout


def test_a_cache_that_cannot_be_written_is_not_called_a_silent_hub(
    hub: StandIn, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    refused = fetch_in_a_process(tmp_path / "file", url=hub.url)
    assert refused["error"] == "CheckpointError"
    assert "does not answer" not in refused["message"]
    assert "HF_HOME" in refused["message"]


def test_weights_that_the_disk_has_no_room_for_are_not_fetched(
    hub: StandIn, tmp_path: Path
) -> None:
    hub.sizes["model.safetensors"] = 10**18
    refused = fetch_in_a_process(tmp_path, url=hub.url)
    assert refused["error"] == "CheckpointError"
    assert "1,000,000,000,000 MB" in refused["message"]
    assert "HF_HOME" in refused["message"]
    assert not any(path.endswith("/vocab.json") for path in hub.asked)


def test_the_size_of_what_is_fetched_and_its_place_are_told_before(
    hub: StandIn, tmp_path: Path
) -> None:
    (said,) = fetch_in_a_process(tmp_path, url=hub.url)["said"]
    assert f"{len(hub.files['model.safetensors']) / 1e6:,.0f} MB" in said
    assert str(tmp_path) in said


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_refuses_is_named_without_its_password(tmp_path: Path, variable: str) -> None:
    proxy = {variable: "http://name:secret@127.0.0.1:9"}
    refused = fetch_in_a_process(tmp_path, url="https://hub.invalid", **proxy)
    assert refused["error"] == "HubUnreachableError"
    assert "through the proxy http://127.0.0.1:9" in refused["message"]
    assert "secret" not in refused["message"]
