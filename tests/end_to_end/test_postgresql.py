"""A catalog on a server answers as one in a folder does, and keeps the password to itself."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import REPOSITORY, Vsearch
from tests.postgresql_server import ASKED, Server
from tests.subtitled import srt
from vsearch.__main__ import run as command

PASSWORD = "hunter-2%secret"
IN_A_URL = "hunter-2%25secret"

QUESTIONS = """\
a red circle
"a red circle" --not "a square" -k 20 --per-video 0
noise --in holidays
"a dog" --and "a cat" --then "a bird" --within 60
--said "hello world"
"a red circle" --said hello
noise --min-duration 4 --sort path
noise --like "{film}@2"
noise --tag colours --show-duplicates
"""


@pytest.fixture
def user(postgresql_server: Server) -> Iterator[str]:
    """The name of a user whom the server asks for a password."""
    name = f"user{os.urandom(4).hex()}"
    postgresql_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' IN ROLE {ASKED}")
    return name


@pytest.fixture
def url(postgresql_server: Server, user: str) -> str:
    """The URL of an empty database of that user, with the password."""
    name = postgresql_server.new_database()
    postgresql_server.execute(f"ALTER DATABASE {name} OWNER TO {user}")
    return postgresql_server.url(name, user=f"{user}:{IN_A_URL}")


def answers(vsearch: Vsearch, library: Path, catalog: object) -> list[dict[str, Any]]:
    """The answers to all questions, without the time that they took."""
    questions = vsearch.home.parent / "questions.txt"
    questions.write_text(QUESTIONS.format(film=library / "two words.mp4"))
    run = vsearch("query", "--queries", questions, "--json", "--catalog", catalog)
    assert run.code == 0, run.err
    found = [json.loads(line) for line in run.out.splitlines()]
    assert len(found) == len(QUESTIONS.splitlines())
    for answer in found:
        del answer["took_ms"]
    return found


def without_ids(found: Any) -> Any:
    """Answers without the numbers that films got: in the order in which each run finished them."""
    if isinstance(found, list):
        return [*map(without_ids, found)]
    if not isinstance(found, dict):
        return found
    of_runs = {"clip_id", "video_id"}
    return {name: without_ids(value) for name, value in found.items() if name not in of_runs}


def status(vsearch: Vsearch, catalog: object) -> dict[str, Any]:
    found = vsearch("status", "--json", "--catalog", catalog).json
    own = {"catalog", "catalog_uuid", "uuid", "database_bytes", "snapshot_bytes", "generation"}
    return {name: value for name, value in found.items() if name not in own}


def test_both_engines_answer_alike_and_a_copy_does(
    vsearch: Vsearch, library: Path, model: Path, url: str, postgresql_server: Server
) -> None:
    said = [(0.5, 2.0, "Hello world"), (2.0, 4.5, "hello again, all of the world")]
    (library / "two words.srt").write_text(srt(*said))
    (library.parent / "labels.txt").write_text("colours: noise\nshapes: a red circle\n")
    folder = vsearch.home / "catalog"
    for catalog in (folder, url):
        run = vsearch(
            *("index", library, "--model", model, "--workers", "1", "--json", "--catalog", catalog)
        )
        assert (run.code, run.json["indexed"]) == (0, 3), run.err
        labels = ("--labels", library.parent / "labels.txt", "--min-confidence", "weak")
        assert vsearch("tag", *labels, "--write", "--catalog", catalog).code == 0
    first, on_server = (answers(vsearch, library, catalog) for catalog in (folder, url))
    assert without_ids(on_server) == without_ids(first)
    assert sum(bool(answer["hits"]) for answer in first) >= 7
    assert status(vsearch, url) == status(vsearch, folder)

    other = postgresql_server.url(postgresql_server.new_database())
    done = vsearch("catalog", "copy", url, other, "--json")
    assert (done.code, done.json["videos"], done.json["problems"]) == (0, 3, []), done.err
    assert PASSWORD not in done.out
    assert answers(vsearch, library, other) == on_server

    moved = library.parent / "elsewhere"
    for catalog in (folder, url):
        assert vsearch("relocate", library, moved, "--catalog", catalog).code == 0
        assert vsearch("forget", moved / "short.mp4", "--catalog", catalog).code == 0
        assert vsearch("verify", "--json", "--catalog", catalog).json["problems"] == []
    assert status(vsearch, url) == status(vsearch, folder)


def secrets_in(text: str) -> list[str]:
    return [word for word in (PASSWORD, IN_A_URL) if word in text]


def test_the_password_is_told_to_nobody(
    vsearch: Vsearch, library: Path, model: Path, url: str, user: str
) -> None:
    run = vsearch("index", library, "--model", model, "-v", "--json", "--catalog", url)
    assert run.code == 0, run.err
    assert secrets_in(run.out + run.err) == []
    kept = [path for path in vsearch.home.rglob("*") if path.is_file()]
    assert kept
    assert not any(PASSWORD.encode() in path.read_bytes() for path in kept)

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    page = vsearch.start("ui", "--port", port, "--no-browser", "--catalog", url)
    try:
        deadline = time.monotonic() + 120
        while "-m\0ui" not in command_line_of(page.pid) and page.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert page.poll() is None
        assert secrets_in(command_line_of(page.pid)) == []
        assert f"{user}@127.0.0.1" in Path(f"/proc/{page.pid}/environ").read_text()
    finally:
        page.terminate()
        out, err = page.communicate(timeout=60)
    assert secrets_in(out + err) == []


def test_no_message_repeats_the_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VSEARCH_HOME", str(tmp_path))
    for code, words in (
        (1, ("status", "--json", "-v", "--catalog", url)),
        (1, ("relocate", "/nowhere", "/else", "--catalog", url)),
        (1, ("status", "--catalog", url.replace(IN_A_URL, f"wrong{IN_A_URL}"))),
        (1, ("status", "--catalog", re.sub(":[0-9]+/", ":1/", url))),
        (1, ("status", "--catalog", f"{url}nowhere")),
        (2, ("status", "--catalog", url.replace("@", "/@"))),
        (2, ("status", "--catalog", url.replace("postgresql", "mysql"))),
    ):
        assert command([*words]) == code
        told = capfd.readouterr()
        assert secrets_in(told.out + told.err) == []
        assert told.err.count("\n") == 1, told.err


def command_line_of(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text()


def test_libpq_finds_the_password_as_its_users_expect(
    url: str,
    user: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def refusal() -> str:
        assert command(["status", "--catalog", bare]) == 1
        return capfd.readouterr().err

    monkeypatch.setenv("VSEARCH_HOME", str(tmp_path))
    bare = url.replace(f":{IN_A_URL}", "")
    kept = tmp_path / "pgpass"
    kept.write_text(f"127.0.0.1:*:*:{user}:{PASSWORD}\n")
    kept.chmod(0o600)
    assert "~/.pgpass" in refusal()
    for variable, value in (("PGPASSWORD", PASSWORD), ("PGPASSFILE", str(kept))):
        with monkeypatch.context() as given:
            given.setenv(variable, value)
            said = refusal()
        assert "there is no catalog in postgresql://" in said
        assert f"vsearch index PATH --catalog {bare}" in said


def test_without_the_driver_one_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    words = ["status", "--catalog", "postgresql://me@db/films"]
    program = (
        "import sys\nsys.modules['psycopg'] = None\nfrom vsearch.__main__ import run\n"
        f"sys.exit(run({words!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "VSEARCH_HOME": str(tmp_path)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'vsearch[postgresql]'" in done.stderr
    assert done.stderr.count("\n") == 1
