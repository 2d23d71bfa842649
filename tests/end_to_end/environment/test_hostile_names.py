"""Whatever files, folders and models are called: no command lets their names act on the screen."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest

from indexer import IndexReport
from search import Asked, Hit, SearchResult
from tests.commands import COMMANDS
from vsearch.services.demo import Answer, DemoRun, Truth
from vsearch.show.demo import print_demo

# A screen that is cleared, lines that seem to be others', text that is read backwards, blanks.
EVIL = (
    os.fsdecode(b"\x1b[2J\x07\r\nvsearch: evil\n\xc2\x9b1m\xff") + "\u202e\u2066\u00ad\u200b\u2028"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / f"in {EVIL}"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def films(place: Path, make_film: Any) -> Path:
    """A film and its copy, one that is cut off, and one that is none: all have such names."""
    library = place / f"films {EVIL}"
    plain = make_film(place / "plain.mp4", seconds=12)
    library.mkdir()
    (library / f"copy {EVIL}.mp4").write_bytes(plain.read_bytes())
    cut = make_film(place / "cut.mkv", seconds=30, seed=1).read_bytes()
    (library / f"cut {EVIL}.mkv").write_bytes(cut[: len(cut) * 2 // 3])
    (library / f"none {EVIL}.mp4").write_bytes(b"no film" * 1000)
    plain.rename(library / f"film {EVIL}.mp4")
    (place / "cut.mkv").unlink()
    return library


@pytest.fixture(scope="module")
def named_model(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """The library that reads weights opens no path that is not Unicode."""
    folder = tmp_path_factory.mktemp("models") / f"model {EVIL}".replace("\udcff", "")
    shutil.copytree(model, folder)
    return folder


@pytest.fixture(scope="module")
def vsearch(place: Path, films: Path, named_model: Path, run_from: Callable[..., Any]) -> Any:
    """The command with all of that indexed."""
    command = run_from(place / f"home {EVIL}")
    run = command("index", films, "--model", named_model, "--verbose")
    assert run.code == 3, run.err
    assert_harmless(run.out + run.err)
    assert "copy" in run.err
    assert "cut" in run.err
    assert "none" in run.err
    return command


def assert_harmless(printed: str) -> None:
    for line in printed.split("\n"):
        assert not line.startswith("vsearch: evil")
        for letter in line:
            assert category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}, ascii(line)


COMMAND_LINES: dict[str, list[tuple[str, ...]]] = {
    "index": [
        ("FILMS", "-v"),
        ("FILMS", "GONE"),
        ("FILMS", "--include", EVIL),
        ("FILMS", "--model", EVIL),
    ],
    "query": [
        ("a",),
        (EVIL,),
        ("a", "--in", EVIL),
        ("--like", EVIL),
        ("a", "--like", f"{EVIL}@1:23"),
        ("a", "--tag", EVIL),
        ("--queries", EVIL),
        ("a", "--model", EVIL),
        ("a", "--catalog", EVIL),
        ("a", "--server", EVIL),
        ("a", "--server", f"http://{EVIL}"),
    ],
    "eval": [
        ("LABELS", "--worst", "9"),
        ("LABELS", "--compare", EVIL),
        ("LABELS", "--plot", f"/{EVIL}/plot.png"),
        ("GONE",),
        (EVIL, "--template"),
    ],
    "tag": [
        ("--labels", "LABELS", "--min-confidence", "weak"),
        ("--labels", "LABELS", "--write", "--json", "--min-confidence", "weak"),
        ("--labels", "GONE"),
        ("--list",),
        ("--remove", EVIL),
    ],
    "cut": [
        ("a", "--all", "--output", "CUTS"),
        ("a", "--all", "--dry-run", "--output", "CUTS", "--reel", f"{EVIL}.mp4"),
        ("a", "--output", "FILM"),
        ("--clips", EVIL, "--output", EVIL),
        ("--from", "GONE", "--reel", f"{EVIL}.mp4"),
    ],
    "export": [
        ("a", "--all", "--output", "LIST"),
        ("a", "--output", EVIL),
        ("--from", "GONE", "--output", f"{EVIL}.edl"),
    ],
    "shell": [(), ("--catalog", EVIL), ("--model", EVIL)],
    "search": [("a", f"-k{EVIL}"), (f"--{EVIL}",)],
    "classify": [("FILM", EVIL, "a", "--model", "MODEL"), ("NONE", "a", "b"), ("GONE", "a", "b")],
    "ui": [("--model", EVIL), ("--port", EVIL), ("--catalog", EVIL, "--port", "0")],
    "serve": [("--catalog", EVIL), ("--model", EVIL), ("--host", EVIL), ("--port", EVIL)],
    "mcp": [
        ("--print-config", "--catalog", EVIL),
        ("--print-config", "--json", "--model", EVIL.replace("\udcff", "")),
        ("--catalog", f"x://{EVIL}"),
    ],
    "status": [(), ("--verbose",), ("--catalog", EVIL)],
    "verify": [(), ("--catalog", EVIL)],
    "catalog copy": [(EVIL, "/nowhere"), (f"postgresql://a@localhost:1/{EVIL}", EVIL)],
    "relocate": [("GONE", EVIL), ("FILM", f"/elsewhere/{EVIL}")],
    "forget": [("GONE",), ("CUT",)],
}


def test_what_every_command_prints_is_looked_at() -> None:
    assert set(COMMAND_LINES) | {"demo", "watch"} == set(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_the_printed_command_plays_the_film_when_it_is_pasted(vsearch: Any, shell: str) -> None:
    run = vsearch("query", "a red circle", "--all")
    played = re.findall(r"^ {5}(?:mpv|vlc|ffplay) (?:-ss )?\S+ (.*)$", run.out, flags=re.MULTILINE)
    assert len(played) >= 2
    for name in played:
        assert subprocess.run([shell, "-c", f"test -f {name}"], check=False).returncode == 0, name


def labels(films: Path) -> Path:
    """Sentences of a file that is known, and of one that is not."""
    file = films.parent / f"labels {EVIL}.jsonl"
    rows = (
        {"sentence": EVIL, "video": str(films / f"film {EVIL}.mp4"), "start": 1, "end": 2},
        {"sentence": "a", "video": EVIL},
    )
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    return file


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_no_command_prints_what_acts_on_the_screen(
    vsearch: Any, films: Path, named_model: Path, name: str
) -> None:
    meant = {
        "FILMS": films,
        "MODEL": named_model,
        "GONE": films / f"gone {EVIL}.mp4",
        "FILM": films / f"film {EVIL}.mp4",
        "CUTS": films.parent / f"cuts {EVIL}",
        "CUT": films / f"cut {EVIL}.mkv",
        "NONE": films / f"none {EVIL}.mp4",
        "LABELS": labels(films),
        "LIST": films.parent / f"list {EVIL}.edl",
    }
    for words in COMMAND_LINES[name]:
        run = vsearch(*name.split(), *(meant.get(word, word) for word in words))
        assert run.out + run.err
        assert "Traceback" not in run.err
        assert_harmless(run.out + run.err)


def test_no_pass_of_a_watch_prints_it(vsearch: Any, films: Path) -> None:
    process = vsearch.start("watch", films, "-v", "--settle", "0.1")
    (films / f"new {EVIL}.mp4").write_bytes(b"no film either" * 1000)
    lines = [process.stderr.readline()]
    while "Not indexed" not in lines[-1]:
        assert lines[-1], lines
        lines.append(process.stderr.readline())
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert_harmless("".join(lines) + out + err)


def test_the_demo_does_not_print_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    film = Path("/demo", f"{EVIL}.mp4")
    hit = Hit(1, 0.5, film, 0.0, 8.0, 4.0, 9.0, 1, 1, ())
    answer = Answer(SearchResult(Asked.of(EVIL), "demo", 1.0, (hit,)), Truth(film, 0.0, 8.0))
    index = IndexReport(
        indexed=1,
        unchanged=0,
        moved=0,
        removed=0,
        failed=(),
        damaged=(),
        clips=1,
        video_seconds=9.0,
        took_seconds=1.0,
        interrupted=False,
        model=EVIL,
    )
    monkeypatch.setattr(sys, "argv", [f"/{EVIL}/vsearch"])
    monkeypatch.setenv("PATH", "")
    print_demo(DemoRun(Path("/demo", EVIL), Path("/demo", EVIL, "catalog"), index, (answer,)))
    assert_harmless(capsys.readouterr().out)
